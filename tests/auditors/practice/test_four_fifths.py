"""The four-fifths table against the Uniform Guidelines' own examples and published numbers."""

from fractions import Fraction

import numpy as np
import pytest

from evenhand.auditors.counts import Attribute, CountTable, count
from evenhand.auditors.disparity import Meaning, audit_group_disparity
from evenhand.auditors.exact_tests import exact
from evenhand.auditors.intervals import difference_interval, newcombe_interval
from evenhand.auditors.policy import Policy
from evenhand.auditors.practice.four_fifths import shortfall, standard_deviations
from evenhand.auditors.practice.groups import Counted, too_few
from evenhand.auditors.practice.one_person import (
    Selected,
    below_four_fifths,
    one_person_crosses,
    one_person_turns,
    with_one_swapped,
)
from evenhand.auditors.practice.tables import practice_tables
from evenhand.auditors.report import Estimate, Finding, FourFifths, FourFifthsGroup, GroupDisparity


def audited(**groups: tuple[int, int]) -> tuple[GroupDisparity, list[Finding]]:
    """Group to (selected, people), audited without labels."""
    cells = np.array([[[people - selected, selected]] for selected, people in groups.values()])
    table = CountTable(("group",), (tuple(groups),), cells)
    meaning = Meaning("1", "1", None, "selected", favourable_is_positive=True)
    return audit_group_disparity(table, policy=Policy(), meaning=meaning, rng=np.random.default_rng(0))


def table_of(**groups: tuple[int, int]) -> FourFifths:
    document, _ = audited(**groups)
    return practice_tables(document, policy=Policy()).four_fifths[0]


def row(table: FourFifths, name: str) -> FourFifthsGroup:
    return next(each for each in table.groups if each.group == {"group": name})


def test_example_of_question_12() -> None:
    """Uniform Guidelines, Questions and Answers 12: .60, .45, .48, .51; only .45 is below four-fifths."""
    table = table_of(White=(600, 1000), Black=(450, 1000), Hispanic=(480, 1000), Asian=(510, 1000))

    assert table.reference == {"group": "White"}
    ratios = [each.impact_ratio.estimate for each in table.groups]
    assert ratios == pytest.approx([1.0, 0.75, 0.80, 0.85])
    assert [each.flagged for each in table.groups] == [False, True, False, False]


@pytest.mark.parametrize("size", [25, 50, 100, 1000, 33_325, 1_000_000])
def test_exactly_four_fifths_is_not_below_at_any_size(size: int) -> None:
    """.48 / .60 is .7999999999999999 in floating point."""
    table = table_of(one=(size * 12 // 25, size), other=(size * 15 // 25, size))

    assert not row(table, "one").below_four_fifths


def test_one_person_under_four_fifths_is_below() -> None:
    assert below_four_fifths(Fraction(479_999, 10**6), Fraction(600_000, 10**6))


def test_quarter_selected_against_three_fifths() -> None:
    """METHODS 8.2: z, Fisher and Boschloo by statsmodels and scipy; the shortfall by hand: 40 * 60/120 - 12."""
    low = row(table_of(few=(12, 40), many=(48, 80)), "few")

    assert low.impact_ratio.estimate == pytest.approx(0.5)
    assert low.impact_ratio.low == pytest.approx(0.2927, abs=5e-5)
    assert low.impact_ratio.high == pytest.approx(0.7953, abs=5e-5)
    assert low.standard_deviations == pytest.approx(-3.098, abs=5e-4)
    assert low.fisher == pytest.approx(0.003409, abs=5e-7)
    assert low.boschloo == pytest.approx(0.002006, abs=5e-7)
    assert low.shortfall == pytest.approx(8.0)
    assert low.swapped_ratio == pytest.approx(0.553, abs=5e-4)
    assert low.flagged
    assert low.said == "Below four-fifths (.500) and significant (-3.1 standard deviations)."


def test_published_intervals_of_differences() -> None:
    """Newcombe (1998), table II, and METHODS 8.2 and 8.5 for Miettinen-Nurminen."""
    z = 1.959963984540054

    newcombe = newcombe_interval([12, 56], [40, 70], [48, 48], [80, 80], z=z)
    score = difference_interval([12, 56], [40, 70], [48, 48], [80, 80], z=z)

    assert newcombe.low == pytest.approx([-0.4559, 0.0524], abs=5e-5)
    assert newcombe.high == pytest.approx([-0.1108, 0.3339], abs=5e-5)
    assert score.low == pytest.approx([-0.4627, 0.0528], abs=5e-5)
    assert score.high == pytest.approx([-0.1110, 0.3382], abs=5e-5)


def test_a_ratio_that_one_person_turns_is_not_flagged() -> None:
    """METHODS 8.3: 2 of 10 against 3 of 10 is .667, and 1.5 after one swap."""
    low = row(table_of(few=(2, 10), many=(3, 10)), "few")

    assert low.below_four_fifths
    assert low.one_person_turns
    assert low.swapped_ratio == pytest.approx(1.5)
    assert not low.flagged
    assert "one person selected here instead of one of many would make it 1.500" in low.said


def test_example_of_question_21() -> None:
    """Questions and Answers 21: 3 of 20 against 16 of 80 is .75; with one more, 20 % against 18.75 %."""
    low = row(table_of(Black=(3, 20), White=(16, 80)), "Black")

    assert low.impact_ratio.estimate == pytest.approx(0.75)
    assert low.swapped_ratio == pytest.approx(0.20 / 0.1875)
    assert not low.flagged


def test_one_person_who_only_crosses_the_line_does_not_hide_what_is_significant() -> None:
    """400,000 and 500,001 of a million: a hair below .8, and 142 standard deviations apart."""
    low = row(table_of(few=(400_000, 10**6), many=(500_001, 10**6)), "few")

    assert one_person_crosses(Selected(400_000, 10**6), Selected(500_001, 10**6))
    assert low.below_four_fifths
    assert low.flagged


def test_one_person_who_crosses_the_line_hides_what_chance_shows() -> None:
    low = row(table_of(few=(12, 40), many=(16, 40)), "few")

    assert low.below_four_fifths
    assert not low.one_person_turns
    assert not low.flagged


def test_nobody_is_swapped_where_nobody_is_left() -> None:
    assert with_one_swapped(Selected(5, 5), Selected(3, 5)) is None
    assert with_one_swapped(Selected(2, 5), Selected(0, 5)) is None
    assert one_person_turns(Selected(0, 10), Selected(1, 10))


def test_significant_and_within_four_fifths_are_both_said() -> None:
    """METHODS 8.6."""
    low = row(table_of(one=(9_700, 10_000), other=(9_900, 10_000)), "one")

    assert low.impact_ratio.estimate == pytest.approx(0.980, abs=5e-4)
    assert low.standard_deviations == pytest.approx(-10.1, abs=0.05)
    assert not low.flagged
    assert "Within four-fifths (.980)" in low.said
    assert "significant (-10.1 standard deviations)" in low.said


def test_a_few_people_are_not_what_all_others_are_held_against() -> None:
    table = table_of(tiny=(3, 3), one=(60, 100), other=(50, 100))

    assert table.reference == {"group": "one"}
    assert row(table, "tiny").small
    assert any("tiny: selected more often than one" in note for note in table.notes)
    assert any("Under 30 people: tiny (3)" in note for note in table.notes)


def test_nobody_selected_has_no_ratio() -> None:
    table = table_of(one=(0, 40), other=(0, 50))

    assert table.reference is None
    assert all(each.impact_ratio.estimate is None and each.below_four_fifths is None for each in table.groups)


def test_unknown_people_are_counted_and_left_out() -> None:
    table = CountTable(("sex",), (("a", "b", None),), np.array([[[20, 20]], [[20, 20]], [[5, 0]]]))
    meaning = Meaning("1", "1", None, "selected", favourable_is_positive=True)
    document, _ = audit_group_disparity(table, policy=Policy(), meaning=meaning, rng=np.random.default_rng(0))

    found = practice_tables(document, policy=Policy()).four_fifths[0]

    assert found.unknown == 5
    assert [each.group["sex"] for each in found.groups] == ["a", "b"]


def test_favourable_is_what_helps_even_where_it_is_not_positive() -> None:
    cells = np.array([[[60, 40]], [[30, 70]]])
    table = CountTable(("sex",), (("a", "b"),), cells)
    meaning = Meaning("1", "0", None, "score >= 5", favourable_is_positive=False)
    document, _ = audit_group_disparity(table, policy=Policy(), meaning=meaning, rng=np.random.default_rng(0))

    found = practice_tables(document, policy=Policy()).four_fifths[0]

    assert [each.selected for each in found.groups] == [60, 30]
    assert found.groups[1].impact_ratio.estimate == pytest.approx(0.5)


def test_weighted_rows_have_a_ratio_and_no_tests_of_people() -> None:
    """Ten rows of weight .1 each: .48 / .60 stays four-fifths though sums of .1 are not exact."""
    code, selected = np.repeat([0, 1], 100), np.concatenate([np.arange(100) < 48, np.arange(100) < 60])
    table = count([Attribute("g", code, ("a", "b"))], prediction=selected.astype(int), weight=np.full(200, 0.1))
    meaning = Meaning("1", "1", None, "selected", favourable_is_positive=True)
    document, _ = audit_group_disparity(table, policy=Policy(), meaning=meaning, rng=np.random.default_rng(0))

    low = practice_tables(document, policy=Policy()).four_fifths[0].groups[0]

    assert low.impact_ratio.estimate == pytest.approx(0.8)
    assert not low.below_four_fifths
    assert low.selected is low.fisher is low.standard_deviations is low.one_person_turns is None


def test_swapping_the_groups_turns_the_sign() -> None:
    one, other = Selected(12, 40), Selected(48, 80)

    assert standard_deviations(one, other) == pytest.approx(-standard_deviations(other, one))
    assert shortfall(one, other) == pytest.approx(-shortfall(other, one))
    assert exact(12, 40, 48, 80).fisher == pytest.approx(exact(48, 80, 12, 40).fisher)


def test_a_finding_says_that_one_person_turns_its_ratio() -> None:
    _, findings = audited(few=(5, 40), many=(6, 36))

    said = [each.message for each in findings if each.metric == "impact_ratio" and each.reference is not None]

    assert len(said) == 2
    assert all("One person favoured in few instead of many makes the ratio 1.080" in message for message in said)


def test_a_finding_says_nothing_of_one_person_where_many_decide() -> None:
    _, findings = audited(few=(12, 40), many=(48, 80))

    assert not any("One person" in finding.message for finding in findings)


def test_few_units_behind_many_rows_are_not_called_few_people() -> None:
    def group(n: int) -> Counted:
        return Counted({"tone": "dark"}, n, None, None, Estimate(estimate=0.5), small=True)

    assert too_few([group(12)]) == "under 30 people"
    assert too_few([group(12), group(112)]) == "under 30 units, whose rows repeat"
