"""The proxy section of the page: the map's geometry, a feature value by value, and what is said first."""

import io
from itertools import combinations

import numpy as np
import pytest
from rich.console import Console

from evenhand.auditors.proxies import encoding
from evenhand.auditors.proxies.groups import Groups
from evenhand.auditors.proxies.profile import cells_of, profile
from evenhand.auditors.report import (
    Encodes,
    Estimate,
    ProxyAudit,
    ProxyFeature,
    ProxySet,
    Report,
    Role,
    WhatIf,
    WhatIfChange,
)
from evenhand.service import render
from evenhand.service.render import alternatives, pdf_blocks, profile_chart, proxies, proxy_map, proxy_places, screen
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

    audit = ProxyAudit(rows_used=100, gap={"sex": 0.1}, features=[unknown])

    assert proxies.row_in_words(audit, unknown) == "encodes .700; whether decisions use it is not known"


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


def proven_choice(**more: object) -> WhatIf:
    changes = [
        {"metric": metric, "against": "model", "before": before, "after": after, "change": {"estimate": after - before}}
        for metric, before, after in (("accuracy", 0.871, 0.864), ("demographic_parity_difference", 0.17, 0.13))
    ]
    group = {"group": {"sex": "Female"}, "n": 60, "to_positive": 0.012, "to_negative": 0.026}
    return WhatIf.model_validate(
        {
            "attribute": "sex",
            "features": ["zip"],
            "role": "proxy",
            "action": "neutralise",
            "rows": 100,
            "level": 0.99,
            "changes": changes,
            "groups": [group],
            "alternative": "proven",
            "message": "With zip neutralised the gap falls.",
        }
        | more
    )


def report_of(**parts: object) -> Report:
    audit = ProxyAudit.model_validate(
        {"rows_used": 100, "gap": {"sex": 0.1}, "features": [row("zip", "proxy")]} | parts
    )
    report: Report = examples.everything()
    finding = next(found for found in report.findings if found.audit == "proxy")
    said = "Zip needs justification. With zip neutralised the gap falls."
    mine = finding.model_copy(update={"id": "proxy/contribution/sex/zip", "message": said})
    return report.model_copy(
        update={"audits": report.audits.model_copy(update={"proxy": audit}), "findings": [*report.findings, mine]}
    )


def section_of(**parts: object) -> str:
    page = render.html(report_of(**parts))
    start = page.index('<h2 id="proxies">')
    return page[start : page.index("</section>", start)]


def test_proven_alternative_is_the_first_thing_said_of_an_attribute_and_said_once_there() -> None:
    section = section_of(what_if=[proven_choice(alternative="not_proven", message="Left out."), proven_choice()])

    before_the_map = section[: section.index("<figure>")]
    assert before_the_map.index("Less discriminatory alternative") < before_the_map.index("Needs justification")
    assert before_the_map.count("With zip neutralised the gap falls.") == 1
    assert "<li>Zip needs justification.</li>" in before_the_map
    assert section.count("less discriminatory, proven") == 1
    assert "Female: .012 to positive, .026 to negative" in section


def test_alternative_that_is_not_proven_is_not_called_one() -> None:
    report = report_of(what_if=[proven_choice(alternative="not_proven")])

    assert "Less discriminatory alternative" not in render.html(report)
    assert "alternative" not in render.markdown(report).lower()


def test_summary_for_a_pull_request_says_the_alternative_and_what_needs_justification() -> None:
    said = render.markdown(report_of(what_if=[proven_choice()]))

    best = "Less discriminatory alternative proven, sex: zip neutralised: gap .170 to .130, accuracy .871 to .864"
    assert said.index(best) < said.index("sex: zip needs justification")


def test_smallest_gap_among_the_proven_is_named_on_one_line() -> None:
    smaller = proven_choice(features=["zip", "age"])
    gap = smaller.changes[1].model_copy(update={"after": 0.1, "change": Estimate(estimate=-0.07)})
    smaller = smaller.model_copy(update={"changes": [smaller.changes[0], gap]})
    audit = ProxyAudit(rows_used=100, gap={"sex": 0.17}, features=[], what_if=[proven_choice(), smaller])

    assert alternatives.line(audit, "sex").startswith("sex: zip and age neutralised: gap .170 to .100")
    assert alternatives.line(audit, "sex").endswith("one more proven")
    assert alternatives.line(audit, "race") == ""


def test_region_stands_beside_everywhere_else_and_a_declared_stratum_apart() -> None:
    rows = [
        row("zip", "latent_proxy", stratum="region = north", encodes=Encodes(auc=0.86)),
        row("zip", "neutral", stratum="outside region = north", encodes=Encodes(auc=None)),
        row("zip", "neutral", stratum="2023"),
    ]
    audit = ProxyAudit(rows_used=100, gap={"sex": 0.1}, features=rows)

    (place,) = proxy_places.regions(audit, "sex")
    section = section_of(features=[row("zip", "proxy"), *rows])

    assert (place.inside.encodes.auc, place.outside.stratum) == (0.86, "outside region = north")
    assert [found.stratum for found in proxy_places.strata(audit, "sex")] == ["2023"]
    assert "where region = north" in section
    assert "not told here" in section


def joint(role: Role, stratum: str | None, auc: float) -> ProxySet:
    return ProxySet(
        features=["zip", "shift"],
        attribute="sex",
        role=role,
        encodes=Encodes(auc=auc),
        contribution=Estimate(estimate=0.12, low=0.1, high=0.14),
        stratum=stratum,
    )


def test_joint_set_of_a_region_stands_beside_everywhere_else_and_never_as_one_of_all_rows() -> None:
    rows = [
        joint("joint_proxy", "region = north", 0.93),
        joint("neutral", "outside region = north", 0.5),
        joint("joint_proxy", "2023", 0.8),
    ]
    audit = ProxyAudit(rows_used=100, gap={"sex": 0.1}, features=[row("zip", "neutral")], sets=rows)

    (place,) = proxy_places.set_regions(audit, "sex")
    section = section_of(features=[row("zip", "neutral"), row("zip", "neutral", stratum="2023")], sets=rows)

    assert (place.inside.encodes.auc, place.outside.encodes.auc) == (0.93, 0.5)
    assert [found.stratum for found in proxy_places.set_strata(audit, "sex")] == ["2023"]
    assert proxies.sets(audit, "sex") == []
    assert "zip &amp; shift" in section
    assert "where region = north" in section
    assert "in 2023" in section
    assert "Needs justification: <b>zip &amp; shift where region = north</b>" in section
    assert (
        "zip &amp; shift encode sex together (AUC .93) and account for .120 of the gap there: need justification."
        in section
    )


def test_gap_is_split_by_declared_factors_in_words() -> None:
    part = {"estimate": 0.08, "low": 0.07, "high": 0.09}
    split = {
        "attribute": "sex",
        "factors": ["hours"],
        "high": "Male",
        "low": "Female",
        "rows": 100,
        "cells": 5,
        "gap": 0.2,
        "explained": part,
        "unexplained": {"estimate": 0.12, "low": 0.1, "high": 0.14},
        "outside_common_support": {"estimate": 0.0, "low": -0.01, "high": 0.01},
        "common_support": 0.98,
        "level": 0.95,
    }

    section = section_of(explained=[split])

    assert "Of the gap of .200 (Male less Female), .080 (.070 to .090) goes with hours, declared legitimate" in section
    assert ".120 (.100 to .140) does not" in section
    assert "is for people to justify" in section


def test_influence_is_shown_with_its_interval_and_called_no_share() -> None:
    interval = Estimate(estimate=0.301, low=0.29, high=0.312)

    section = section_of(features=[row("zip", "proxy", influence=0.301, influence_interval=interval)])

    assert "never shares" in section
    assert "0.301<small>0.290 to 0.312</small>" in section


def test_what_a_surrogate_says_is_marked_wherever_it_stands() -> None:
    report = report_of(features=[row("zip", "proxy", surrogate=True)])

    assert "by the surrogate" in render.html(report)
    assert "sex: by a surrogate: zip needs justification" in render.markdown(report)
    assert "by the surrogate" in str(pdf_blocks.document(report))


def test_leakage_stands_with_its_permuted_twin_and_its_certificate() -> None:
    leak = {
        "attribute": "sex",
        "features": {"auc": 0.93, "low": 0.92, "high": 0.94},
        "score": {"auc": 0.7},
        "null_auc": 0.504,
        "p_value": 0.048,
        "permutations": 20,
        "permuted_rows": 2000,
        "balanced_error_rate": {"estimate": 0.145, "low": 0.137, "high": 0.152},
        "certificate_limit": 0.489,
        "certificate": "Not certified: too low.",
        "score_balanced_error_rate": {"estimate": 0.335},
    }

    section = section_of(leakage=[leak])

    for said in ("0.930<small>0.920 to 0.940", "0.504<small>p .048", "0.145<small>0.137 to 0.152", "above 0.489"):
        assert said in section
    assert "permuted 20 times on 2,000 rows" in section
    assert "Not certified: too low." in section


def test_document_for_paper_says_in_short_what_the_page_says_at_length() -> None:
    said = str(pdf_blocks.document(report_of(what_if=[proven_choice()])))

    assert "Less discriminatory alternative, sex: With zip neutralised the gap falls." in said
    assert "One other choice tried, one proven less discriminatory." in said


def test_summary_without_a_model_names_what_encodes_and_claims_nothing_of_use() -> None:
    unknown = row("zip", "latent_proxy", flips=None, contribution=Estimate(estimate=None, reason="no model"))

    said = render.markdown(report_of(features=[unknown]))

    assert "sex: zip encodes it; what decisions use is not known" in said
    assert "nothing found" not in said


def test_row_without_a_model_says_so_once() -> None:
    unknown = Estimate(estimate=None, reason="no model: predictions alone do not tell")
    rows = [row("zip", "latent_proxy", flips=None, contribution=unknown)]
    together = joint("latent_proxy", None, 0.8).model_copy(update={"contribution": unknown})

    section = section_of(features=rows, sets=[together])

    assert section.count("no model") == 2
    assert "though none does alone; no model: predictions alone do not tell." in section
    assert proxies.meaning(rows[0]) == "encodes the attribute"


def test_finding_that_begins_with_a_column_keeps_its_spelling() -> None:
    report = report_of()
    found = report.findings[-1].model_copy(update={"message": "zip & shift together encode sex."})

    page = render.html(report.model_copy(update={"findings": [*report.findings[:-1], found]}))

    assert "<p>zip &amp; shift together encode sex.</p>" in page


def ranked_example() -> dict[str, list[ProxyFeature | ProxySet]]:
    def part(estimate: float) -> Estimate:
        return Estimate(estimate=estimate, low=estimate - 0.01, high=estimate + 0.01)

    return {
        "features": [
            row("shift", "joint_proxy", contribution=part(0.4)),
            row("zip", "joint_proxy", contribution=part(0.3)),
            row("hours", "latent_proxy", contribution=part(0.09)),
            row("age", "masking", contribution=part(-0.2)),
            row("small", "proxy", contribution=part(0.05)),
            row("large", "proxy", contribution=part(0.06)),
        ],
        "sets": [
            joint("joint_proxy", "region = north", 0.954),
            joint("neutral", "outside region = north", 0.525),
            joint("joint_proxy", None, 0.63),
        ],
    }


def test_what_needs_justification_is_ranked_by_role_and_members_follow_their_set() -> None:
    """Features and sets the other way round than they are said."""
    report = report_of(**ranked_example())
    audit = report.audits.proxy
    assert audit is not None

    assert proxies.needing_justification(audit, "sex") == [
        "large",
        "small",
        "zip & shift",
        "zip & shift where region = north",
        "age",
        "shift",
        "zip",
    ]
    assert [found.feature for found in proxies.features(audit, "sex")] == [
        "large",
        "small",
        "age",
        "shift",
        "zip",
        "hours",
    ]
    assert "sex: large, small, zip & shift, zip & shift where region = north, age, shift, zip need" in render.markdown(
        report
    ).replace("\\", "")


def test_terminal_and_paper_give_the_numbers_of_sets_and_regions() -> None:
    report = report_of(**ranked_example())
    console = Console(width=200, record=True, file=io.StringIO())

    screen.show(report, console=console)

    lines = [line.rstrip() for line in console.export_text().splitlines() if ", sex: " in line and "encode" in line]
    in_north = (
        "zip & shift where region = north, sex: together encode .954 there, .525 elsewhere, part of the gap there "
    )
    assert lines[2] == "joint proxy       zip & shift, sex: together encode .630, part of the gap .120 (.100 to .140)"
    assert lines[3] == f"joint proxy       {in_north}.120 (.100 to .140)"
    assert [line[18:].split(",")[0] for line in lines[4:]] == ["age", "shift", "zip", "hours"]
    assert f"{in_north}.120 (.100 to .140); joint proxy." in str(pdf_blocks.document(report))


def test_feature_of_a_region_has_its_numbers_there_and_says_what_is_not_known() -> None:
    inside = row("zip", "proxy", stratum="region = north", encodes=Encodes(auc=0.86))
    outside = row("zip", "neutral", stratum="outside region = north", encodes=Encodes(auc=None))
    unknown = joint("latent_proxy", None, 0.8).model_copy(
        update={"contribution": Estimate(estimate=None, reason="few")}
    )
    audit = ProxyAudit(rows_used=100, gap={"sex": 0.1}, features=[inside, outside], sets=[unknown])

    assert proxies.row_in_words(audit, audit.features[0]) == (
        "encodes .860 there, not told elsewhere, part of the gap there .020 (.010 to .030)"
    )
    assert proxies.row_in_words(audit, audit.sets[0]) == "together encode .800; their part of the gap is not known"


def test_summary_without_a_model_names_a_set_and_not_its_members_which_do_not_encode_alone() -> None:
    unknown = Estimate(estimate=None, reason="no model")
    rows = [row(name, "latent_proxy", flips=None, contribution=unknown) for name in ("zip", "shift")]
    together = joint("latent_proxy", None, 0.8).model_copy(update={"contribution": unknown})

    said = render.markdown(report_of(features=rows, sets=[together])).replace("\\", "")

    assert "sex: zip & shift encode it; what decisions use is not known" in said
