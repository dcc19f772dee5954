"""The table of Local Law 144 against the example that the city's rules give, and the lending table."""

import numpy as np
import pytest

from evenhand.auditors.counts import Attribute, CountTable, count
from evenhand.auditors.disparity import Meaning, audit_group_disparity
from evenhand.auditors.policy import Policy
from evenhand.auditors.practice.tables import practice_tables
from evenhand.auditors.report import LocalLaw144, Practice
from evenhand.auditors.scores.audit import audit_scores
from evenhand.auditors.scores.data import ScoreData
from evenhand.service.audits.scoring import joined

MEANING = Meaning("1", "1", None, "culture fit", favourable_is_positive=True)

RACES = {
    "Hispanic": (18, 28),
    "White": (15, 40),
    "Black": (16, 32),
    "Native Hawaiian/Pacific Islander": (5, 8),
    "Asian": (10, 24),
}


def tables(attributes: dict[str, dict[str | None, tuple[int, int]]], policy: dict | None = None) -> Practice:
    """One attribute: value to (selected, people)."""
    ((name, groups),) = attributes.items()
    cells = np.array([[[people - selected, selected]] for selected, people in groups.values()])
    chosen = Policy.model_validate(policy or {})
    document, _ = audit_group_disparity(
        CountTable((name,), (tuple(groups),), cells), policy=chosen, meaning=MEANING, rng=np.random.default_rng(0)
    )
    return practice_tables(document, policy=chosen)


def scored(scores: np.ndarray, **columns: list[str | None]) -> Practice:
    """Rows with scores, favourable from .5."""
    attributes = {}
    for name, values in columns.items():
        levels = tuple(dict.fromkeys(values))
        attributes[name] = (np.array([levels.index(value) for value in values]), levels)
    table = count(
        [Attribute(name, *found) for name, found in attributes.items()], prediction=(scores >= 0.5).astype(int)
    )
    document, _ = audit_group_disparity(table, policy=Policy(), meaning=MEANING, rng=np.random.default_rng(0))
    audit = audit_scores(
        ScoreData(scores, attributes), policy=Policy(), family_level=0.95, threshold=0.5, rng=np.random.default_rng(0)
    )
    return practice_tables(joined(document, audit), policy=Policy())


def ratios(table: LocalLaw144) -> list[float | None]:
    return [None if each.impact_ratio is None else round(each.impact_ratio, 2) for each in table.categories]


def test_culture_fit_example_by_sex() -> None:
    """METHODS 8.4: Male 92 at 54.3 %, Female 76 at 44.7 %, .82."""
    table = tables({"sex": {"Male": (50, 92), "Female": (34, 76)}}).local_law_144[0]

    assert [round(100 * each.rate, 1) for each in table.categories] == [54.3, 44.7]
    assert ratios(table) == [1.0, 0.82]


def test_culture_fit_example_by_race() -> None:
    """METHODS 8.4; the most selected category has 28 people, and the rules take it all the same."""
    table = tables({"race": RACES}).local_law_144[0]

    # the source truncates 64.28
    assert [100 * each.rate for each in table.categories] == pytest.approx([64.2, 37.5, 50.0, 62.5, 41.7], abs=0.1)
    assert ratios(table) == [1.0, 0.58, 0.78, 0.97, 0.65]
    assert table.most_selected == {"race": "Hispanic"}
    assert any("under 30 people" in note for note in table.notes)


def test_a_category_under_two_per_cent_keeps_its_ratio_unless_the_policy_leaves_it_out() -> None:
    groups = {"race": {"one": (500, 1000), "other": (400, 980), "few": (19, 20)}}

    printed = tables(groups).local_law_144[0]
    left_out = tables(groups, {"practice": {"small_categories": "leave_out"}}).local_law_144[0]

    assert ratios(printed) == [0.53, 0.43, 1.0]
    assert ratios(left_out) == [1.0, 0.82, None]
    few = left_out.categories[2]
    assert (few.n, few.rate, few.left_out) == (20, 0.95, True)
    assert few.reason == "20 of 2,000 rows, under 2 %: left out of the ratios"


def test_two_per_cent_is_not_under_two_per_cent() -> None:
    table = tables({"race": {"one": (500, 980), "few": (10, 20)}}).local_law_144[0]

    assert table.categories[1].reason is None


def test_unknown_categories_are_counted_and_left_out() -> None:
    table = tables({"sex": {"Male": (50, 92), "Female": (34, 76), None: (12, 12)}}).local_law_144[0]

    assert table.unknown == 12
    assert len(table.categories) == 2
    assert table.most_selected == {"sex": "Male"}


def test_scores_are_held_against_the_median_of_everyone() -> None:
    """Scores 1 to 8: the median is 4.5; of a three of four lie above it, of b one of four."""
    table = scored(np.arange(1.0, 9.0) / 10, sex=["b", "b", "b", "a", "a", "a", "a", "b"]).local_law_144[0]

    assert table.basis == "scoring"
    assert table.median == pytest.approx(0.45)
    assert {each.group["sex"]: each.selected for each in table.categories} == {"b": 1, "a": 3}
    assert {each.group["sex"]: each.impact_ratio for each in table.categories} == pytest.approx({"b": 1 / 3, "a": 1.0})


def test_sex_race_and_their_intersection_have_a_table_each_and_four_fifths_no_intersection() -> None:
    found = scored(np.linspace(0, 1, 80), sex=["a", "b"] * 40, race=["x"] * 40 + ["y"] * 40)

    assert [table.attribute for table in found.local_law_144] == ["sex", "race", "sex × race"]
    assert [table.attribute for table in found.four_fifths] == ["sex", "race"]
    assert [table.attribute for table in found.lending] == ["sex", "race"]


def test_lending_has_the_ratio_at_each_tenth_and_at_the_cutoff_in_use() -> None:
    """A group that always scores .1 lower than the other, both uniform: by hand, (.9 - c) / (1 - c) at cutoff c."""
    low, high = np.linspace(0, 0.9, 1001)[:-1], np.linspace(0.1, 1.0, 1001)[:-1]
    table = scored(np.concatenate([low, high]), group=["low"] * 1000 + ["high"] * 1000).lending[0]

    assert table.reference == {"group": "low"}
    assert sum(cutoff.in_use for cutoff in table.cutoffs) == 1
    shares = [cutoff.favoured for cutoff in table.cutoffs if not cutoff.in_use]
    assert shares == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1][: len(shares)], abs=0.011)
    at = next(i for i, cutoff in enumerate(table.cutoffs) if cutoff.in_use)
    over = next(each for each in table.groups if each.group == {"group": "high"})
    assert over.adverse_impact_ratio[at] == pytest.approx((1 - 0.5) / (0.9 - 0.5), abs=0.01)
    assert over.standardized_mean_difference.estimate == pytest.approx(0.1 / (0.9 / np.sqrt(12)), abs=0.01)


def test_lending_compares_with_the_declared_reference() -> None:
    rng = np.random.default_rng(0)
    attributes = {"g": (np.array([0] * 300 + [1] * 200), ("a", "b"))}
    scores = rng.random(500)
    policy = Policy.model_validate({"data": {"reference": {"g": "b"}}})
    table = count([Attribute("g", *attributes["g"])], prediction=(scores >= 0.5).astype(int))
    document, _ = audit_group_disparity(table, policy=policy, meaning=MEANING, rng=rng)
    audit = audit_scores(ScoreData(scores, attributes), policy=policy, family_level=0.95, threshold=0.5, rng=rng)

    found = practice_tables(joined(document, audit), policy=policy).lending[0]

    assert found.reference == {"g": "b"}
    assert found.declared
    assert [each.n for each in found.groups] == [300, 200]
