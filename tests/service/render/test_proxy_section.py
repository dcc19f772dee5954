"""The proxy section of the page: the map's geometry, a feature value by value, and what is said first."""

from itertools import combinations

import numpy as np
import pytest

from evenhand.auditors.proxies import encoding
from evenhand.auditors.proxies.groups import Groups
from evenhand.auditors.proxies.profile import cells_of, profile
from evenhand.auditors.report import Encodes, Estimate, ProxyAudit, ProxyFeature, Report, WhatIf, WhatIfChange
from evenhand.service import render
from evenhand.service.render import profile_chart, proxies, proxy_map
from evenhand.service.render.proxy_map import NARROW, WIDE, Mark, around, box_of
from tests.service.render import examples


def marks(count: int, seed: int = 0) -> list[Mark]:
    rng = np.random.default_rng(seed)
    places = zip(rng.uniform(0.5, 1, count), rng.normal(0, 0.05, count), rng.random(count), strict=True)
    return [
        Mark(f"feature_number_{i}", auc, part, part - 0.01, part + 0.01, use, "maybe")
        for i, (auc, part, use) in enumerate(places)
    ]


def row(feature: str, role: str, *, attribute: str = "sex", flips: float | None = 0.05, **more: object) -> ProxyFeature:
    return ProxyFeature.model_validate(
        {
            "feature": feature,
            "attribute": attribute,
            "encodes": Encodes(auc=0.7, low=0.68, high=0.72),
            "flip_rate": flips,
            "contribution": Estimate(estimate=0.02, low=0.01, high=0.03),
            "role": role,
            "block": [feature],
        }
        | more
    )


def page_of(*rows: ProxyFeature) -> str:
    audit = ProxyAudit(rows_used=100, gap={"sex": 0.1}, features=list(rows))
    report: Report = examples.everything()
    return render.html(report.model_copy(update={"audits": report.audits.model_copy(update={"proxy": audit})}))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_names_on_the_map_touch_neither_one_another_nor_a_dot_and_stay_inside(seed: int, width: int) -> None:
    placed = proxy_map.place(marks(30, seed))
    shown = [(dot, dot.label) for dot in placed.dots if dot.label and (width == WIDE or not dot.label.roomy)]

    boxes = [box_of(dot, label, width) for dot, label in shown]

    assert len(boxes) >= (5 if width == WIDE else 1)
    assert not any(one.touches(other) for one, other in combinations(boxes, 2))
    assert not any(box.touches(around(dot, width)) for box in boxes for dot in placed.dots)
    assert all(box.left >= 0 and box.right <= width for box in boxes)


def test_interval_of_a_mark_spans_its_dot() -> None:
    dot = proxy_map.place(marks(1)).dots[0]

    assert dot.top is not None
    assert dot.bottom is not None
    assert dot.top < dot.y < dot.bottom


def test_more_use_is_a_larger_dot_and_more_contribution_stands_higher() -> None:
    small, large = proxy_map.place(
        [Mark("a", 0.7, 0.1, None, None, 0.1, "maybe"), Mark("b", 0.8, -0.1, None, None, 0.4, "maybe")]
    ).dots

    assert small.radius < large.radius
    assert small.y < large.y
    assert small.x < large.x


def test_set_is_joined_to_its_members() -> None:
    features = marks(3)
    joint = Mark("set", 0.9, 0.1, None, None, 0.0, "maybe", (features[0].name, features[2].name))

    dots = proxy_map.place([*features, joint]).dots

    assert dots[3].members == ((dots[0].x, dots[0].y), (dots[2].x, dots[2].y))


def test_map_says_what_it_shows_in_words() -> None:
    page = render.html(examples.everything())

    assert 'aria-label="Proxy map for sex: relationship encodes .87 and contributes .081;' in page
    assert "<title>age &amp; workclass: encodes .74, contributes .030" in page


def test_attribute_that_the_model_receives_is_said_before_everything_else() -> None:
    page = page_of(row("zip", "proxy"), row("sex", "latent_proxy"))

    section = page[page.index('<h2 id="proxies">') :]
    assert section.index("<b>The model receives sex</b>") < section.index("A proxy encodes")
    assert (
        proxies.features(ProxyAudit(rows_used=1, gap={}, features=[row("zip", "proxy"), row("sex", "neutral")]), "sex")[
            0
        ].feature
        == "sex"
    )


def test_part_of_an_intersection_is_received_too() -> None:
    assert "<b>The model receives race</b>, a part of sex × race" in page_of(
        row("race", "proxy", attribute="sex × race")
    )


@pytest.mark.parametrize("flips", [0.0, 0.005, 0.05])
def test_feature_is_said_to_be_unused_only_where_no_decision_changed(flips: float) -> None:
    shown = proxies.meaning(row("zip", "latent_proxy", flips=flips))

    assert ("no decision changed" in shown) == (flips == 0)
    assert "does not use" not in page_of(row("zip", "latent_proxy", flips=flips))


def test_each_feature_has_a_fold_with_its_values_by_group() -> None:
    groups = Groups("sex", np.array([0, 0, 1, 1], np.int32), ("Female", "Male"))
    shown = profile(cells_of(np.array(["a", "b", "b", None], object)), groups, np.array([True, False, True, True]))

    page = page_of(row("zip", "proxy", profile=shown), row("age", "neutral"))

    assert "<summary>zip: proxy</summary>" in page
    assert "<summary>age: neutral</summary>" not in page
    assert "zip by sex: rows, share of the group, and share of positive decisions" in page
    assert "unknown" in page
    assert "no rows" in page


def test_bars_are_as_long_as_shares_and_dots_stand_at_rates() -> None:
    groups = Groups("sex", np.array([0, 0, 0, 0], np.int32), ("Female",))
    shown = profile(cells_of(np.array(["a", "a", "a", "b"], object)), groups, np.array([True, False, False, False]))

    chart = profile_chart.chart(shown)

    (marks,) = chart.groups
    lengths = [float(bar.split("v")[0].split("h")[1]) for bar in marks.bars.split("M")[1:]]
    dots = [float(dot.split(" ")[0]) for dot in marks.dots.split("M")[1:]]
    assert lengths[0] / lengths[1] == pytest.approx(3, rel=0.02)
    assert dots[1] == 54.0
    assert dots[0] > 54.0


def test_feature_that_may_encode_with_more_rows_is_not_called_innocent() -> None:
    """German credit: housing, .68 with an interval from .55 to .81, is not shown to encode, and not excluded."""
    unsure = Encodes(auc=0.68, low=0.55, high=0.81)
    mirrored = Encodes(auc=0.33, low=0.2, high=0.45)
    sure = Encodes(auc=0.5, low=0.45, high=0.55)
    rows = [row(name, "neutral", encodes=some) for name, some in (("a", unsure), ("b", mirrored), ("c", sure))]
    audit = ProxyAudit(rows_used=300, gap={"sex": 0.1}, features=rows)

    assert proxies.not_excluded(audit, "sex") == ["a", "b"]
    assert "not excluded of a, b" in proxies.none_in_words(audit, "sex")
    assert "with these rows not excluded either: a, b." in page_of(*rows)


def test_what_is_not_known_without_a_model_is_said_in_words() -> None:
    unknown = row("zip", "latent_proxy", flips=None, contribution=Estimate(estimate=None, reason="no model"))

    assert proxies.row_in_words(unknown) == "encodes .700; whether decisions use it is not known"
    assert "undefined" not in proxies.row_in_words(unknown)


def test_page_and_audit_agree_from_where_a_feature_encodes() -> None:
    assert proxies.ENCODES_FROM == encoding.ENCODES


def test_what_if_shows_each_choice_with_its_change() -> None:
    change = WhatIfChange(
        metric="accuracy", against="model", before=0.8, after=0.79, change=Estimate(estimate=-0.01, low=-0.02, high=0.0)
    )
    choice = WhatIf(
        attribute="sex",
        features=["zip"],
        role="proxy",
        action="permute",
        rows=100,
        level=0.99,
        changes=[change],
        groups=[],
        alternative="not_proven",
        message="Accuracy falls.",
    )
    audit = ProxyAudit(rows_used=100, gap={"sex": 0.1}, features=[row("zip", "proxy")], what_if=[choice])
    report: Report = examples.everything()

    page = render.html(report.model_copy(update={"audits": report.audits.model_copy(update={"proxy": audit})}))

    assert "What if: one other choice, each with what it costs" in page
    assert "0.800 → 0.790<small>change −0.010</small><small>−0.020 to 0.000</small>" in page
    assert "Accuracy falls." in page
