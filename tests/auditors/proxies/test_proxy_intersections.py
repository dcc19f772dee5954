"""Attributes of several groups, and sex × race as an attribute of its own."""

import numpy as np
from planted_proxies import audited, by_feature

from evenhand.auditors.proxies import ProxyData
from evenhand.auditors.proxies.groups import compared_groups, with_intersections

N = 4_000
SEX = (np.array([0, 0, 1, 1, 2], np.int32), ("F", "M", None))
RACE = (np.array([0, 1, 0, 1, 1], np.int32), ("a", "b"))


def test_intersection_has_the_combinations_that_occur_in_order() -> None:
    codes, levels = with_intersections({"sex": SEX, "race": RACE}, depth=2)["sex × race"]

    assert [levels[code] for code in codes] == ["F × a", "F × b", "M × a", "M × b", None]


def test_depth_bounds_how_many_attributes_are_crossed() -> None:
    three = {"sex": SEX, "race": RACE, "age": RACE}

    assert list(with_intersections(three, depth=1)) == ["sex", "race", "age"]
    assert list(with_intersections(three, depth=3))[3:] == ["sex × race", "sex × age", "race × age", "sex × race × age"]


def test_small_intersections_are_left_out_and_named() -> None:
    rng = np.random.default_rng(0)
    sex, race = rng.integers(0, 2, 400).astype(np.int32), (np.arange(400) < 20).astype(np.int32)

    crossed = with_intersections({"sex": (sex, ("F", "M")), "race": (race, ("a", "b"))}, depth=2)["sex × race"]
    groups = compared_groups("sex × race", *crossed)

    assert groups.names == ("F × a", "M × a")
    assert "F × b (n = " in (groups.note or "")


def test_proxy_of_one_intersection_alone_is_found_there_and_not_in_its_parts() -> None:
    """`quota` marks women of b: it tells sex and race apart by .75 at most, the intersection nearly fully."""
    rng = np.random.default_rng(1)
    sex, race = (rng.integers(0, 2, N).astype(np.int32) for _ in range(2))
    women_of_b = (sex == 0) & (race == 1)
    columns = {"quota": rng.standard_normal(N) - 4.0 * women_of_b, "merit": rng.standard_normal(N)}
    attributes = with_intersections({"sex": (sex, ("F", "M")), "race": (race, ("a", "b"))}, depth=2)

    audit, findings = audited(ProxyData(columns, attributes=attributes), lambda x: x["quota"] + x["merit"] + 1)

    crossed = by_feature(audit, attribute="sex × race")["quota"]
    single = by_feature(audit, attribute="sex")["quota"]
    finding = next(finding for finding in findings if finding.id == "proxy/contribution/sex × race/quota")
    assert (crossed.role, crossed.encodes.group) == ("proxy", "F × b")
    assert abs((crossed.encodes.auc or 0) - 0.5) > 0.45 > abs((single.encodes.auc or 0) - 0.5)
    assert finding.group == {"sex": "F", "race": "b"}
    assert set(audit.gap) == {"sex", "race", "sex × race"}


def test_innocent_feature_stays_neutral_over_twelve_groups() -> None:
    rng = np.random.default_rng(2)
    race, sex = rng.integers(0, 6, N).astype(np.int32), rng.integers(0, 2, N).astype(np.int32)
    attributes = with_intersections({"sex": (sex, ("F", "M")), "race": (race, tuple("abcdef"))}, depth=2)

    audit, _ = audited(ProxyData({"x": rng.standard_normal(N)}, attributes=attributes), lambda x: x["x"])

    assert {row.role for row in audit.features} == {"neutral"}
    profile = by_feature(audit, attribute="sex × race")["x"].profile
    assert profile is not None
    assert len(profile.groups) == 5
    assert "the 5 largest of 12 groups" in (profile.note or "")
