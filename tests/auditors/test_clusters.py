"""Rows of the same person: design effects by hand, and what a unit column does to an audit."""

import numpy as np
import pytest

from evenhand.auditors.clusters import UnitRows
from evenhand.auditors.counts import Attribute, count
from evenhand.auditors.disparity import Meaning, audit_group_disparity
from evenhand.auditors.errors import LengthMismatch
from evenhand.auditors.metrics import COUNT_METRICS
from evenhand.auditors.policy import Check, Policy
from evenhand.auditors.report import Finding, GroupDisparity
from evenhand.auditors.verdict import Verdict

SELECTION = COUNT_METRICS["selection_rate"]
BOTH = ("a", "b")
MEANING = Meaning("1", "1", "y", "yhat", favourable_is_positive=True)


def audited(
    group: np.ndarray,
    prediction: np.ndarray,
    *,
    unit: np.ndarray | None = None,
    label: np.ndarray | None = None,
    policy: Policy | None = None,
) -> tuple[GroupDisparity, list[Finding]]:
    attributes = [Attribute("group", group, BOTH)]
    units = None if unit is None else UnitRows.of(attributes, unit=unit, prediction=prediction, label=label)
    return audit_group_disparity(
        count(attributes, prediction=prediction, label=label),
        policy=policy or Policy(),
        meaning=MEANING,
        rng=np.random.default_rng(0),
        units=units,
    )


def people(rng: np.random.Generator, *, each: int, rows: int, spread: float = 1.0) -> tuple[np.ndarray, ...]:
    """Two groups of so many people with so many rows each, every person with a rate of their own around one half."""
    unit = np.repeat(np.arange(2 * each), rows)
    rate = rng.beta(spread, spread, 2 * each)[unit]
    return (
        (unit >= each).astype(np.int64) + np.zeros(len(unit), dtype=np.int64),
        unit,
        (rng.random(len(unit)) < rate).astype(np.int64),
    )


def test_every_row_five_times_is_worth_a_fifth_but_for_few_degrees() -> None:
    """The variance over units of identical rows is five times that over rows, up to U / (U - 1) and Student's quantile."""
    group = np.repeat([0, 1], 500)
    prediction = np.repeat(np.tile([0, 1], 100), 5)
    attributes = [Attribute("group", group, BOTH)]
    units = UnitRows.of(attributes, unit=np.repeat(np.arange(200), 5), prediction=prediction)

    fraction = units.design(count(attributes, prediction=prediction).of("group")).fraction(SELECTION, z=1.959964)

    # t(.975) is 1.984217 at 99 degrees and 1.964729 at 499.
    assert fraction == pytest.approx([(99 / 100) / 5 * (1.964729 / 1.984217) ** 2] * 2, rel=1e-5)


def test_units_of_one_row_change_nothing() -> None:
    rng = np.random.default_rng(1)
    group, prediction, label = rng.integers(0, 2, 400), rng.integers(0, 2, 400), rng.integers(0, 2, 400)

    document, findings = audited(group, prediction, label=label, unit=rng.permutation(400))
    plain_document, plain = audited(group, prediction, label=label)

    assert findings == plain
    assert document.attributes == plain_document.attributes


def test_repeated_rows_of_people_widen_every_interval() -> None:
    group, unit, prediction = people(np.random.default_rng(2), each=100, rows=6)

    _, findings = audited(group, prediction, unit=unit)
    _, plain = audited(group, prediction)

    for one, other in zip(findings, plain, strict=True):
        assert one.estimate == other.estimate
        assert one.high - one.low > other.high - other.low


def test_effective_rows_never_exceed_rows() -> None:
    """Units that each hold one of every kind vary less than chance would have it; that is not used."""
    group = np.repeat([0, 1], 200)
    prediction = np.tile([0, 1], 200)
    attributes = [Attribute("group", group, BOTH)]
    units = UnitRows.of(attributes, unit=np.repeat(np.arange(200), 2), prediction=prediction)

    fraction = units.design(count(attributes, prediction=prediction).of("group")).fraction(SELECTION, z=1.96)

    assert (fraction <= 1).all()


def test_rows_that_all_agree_count_as_one_a_unit() -> None:
    """Nobody is selected: nothing shows how units vary, so that ten rows of a unit are worth one."""
    group, prediction = np.repeat([0, 1], 1000), np.zeros(2000, dtype=np.int64)
    attributes = [Attribute("group", group, BOTH)]
    units = UnitRows.of(attributes, unit=np.repeat(np.arange(200), 10), prediction=prediction)

    fraction = units.design(count(attributes, prediction=prediction).of("group")).fraction(SELECTION, z=1.96)

    assert fraction == pytest.approx([0.1, 0.1], rel=0.05)
    assert (fraction <= 0.1).all()


def test_thousand_rows_of_twenty_people_conclude_nothing() -> None:
    group = np.repeat([0, 1], 1000)
    prediction = np.concatenate([np.zeros(1000, dtype=np.int64), np.ones(1000, dtype=np.int64)])

    document, findings = audited(group, prediction, unit=np.repeat(np.arange(40), 50))

    assert all(g.small for g in document.attributes[0].groups)
    assert all(f.verdict is Verdict.INCONCLUSIVE for f in findings)
    assert "Under 30 units" in findings[0].message


def test_report_says_how_many_units_there_are_and_what_they_cost() -> None:
    group, unit, prediction = people(np.random.default_rng(3), each=100, rows=6)

    document, _ = audited(group, prediction, unit=unit)

    assert (document.repeats.rows, document.repeats.units) == (1200, 200)
    assert 1 < document.repeats.design_effect_lowest <= document.repeats.design_effect_highest
    assert any("1,200 rows are of 200 units" in note for note in document.notes)


def test_units_in_both_groups_are_counted_and_said() -> None:
    rng = np.random.default_rng(4)
    group, prediction = np.tile([0, 1], 300), rng.integers(0, 2, 600)

    document, _ = audited(group, prediction, unit=np.repeat(np.arange(300), 2))

    assert document.repeats.crossing == 300
    assert any("300 units have rows in several groups" in note for note in document.notes)


def test_units_that_move_their_groups_apart_widen_the_interval() -> None:
    """Each unit favours one of its two groups at random: the difference varies more than its groups alone say."""
    rng = np.random.default_rng(5)
    group, unit = np.tile([0, 1], 400), np.repeat(np.arange(400), 2)
    prediction = (rng.integers(0, 2, 400)[unit] == group).astype(np.int64)

    _, findings = audited(group, prediction, unit=unit)
    _, plain = audited(group, prediction)

    assert findings[0].high - findings[0].low > 1.3 * (plain[0].high - plain[0].low)


def test_row_without_a_unit_is_a_unit_of_its_own() -> None:
    unit = np.array([0, 0, -1, -1, 1])

    found = UnitRows.of([], unit=unit, prediction=np.zeros(5, dtype=np.int64))

    assert found.units == 4


def test_unit_column_of_another_length_is_refused() -> None:
    with pytest.raises(LengthMismatch, match="'unit' has 3 entries"):
        UnitRows.of([], unit=np.zeros(3, dtype=np.int64), prediction=np.zeros(5, dtype=np.int64))


def _audits_of_people(audits: int, seed: int) -> tuple[float, float]:
    """Share of 95 % intervals that cover the true gap of 0, and of false proofs that it exceeds nothing."""
    rng = np.random.default_rng(seed)
    policy = Policy(check=[Check(metric="demographic_parity_difference", within=0.0)])
    covered = proven = 0
    for _ in range(audits):
        group, unit, prediction = people(rng, each=60, rows=8)
        finding = audited(group, prediction, unit=unit, policy=policy)[1][0]
        covered += finding.low <= 0 <= finding.high
        proven += finding.verdict is Verdict.PROVEN_DISPARITY
    return covered / audits, proven / audits


def test_intervals_over_people_cover_and_accuse_nobody() -> None:
    """Design effect 1 + 7/3: intervals over rows would cover 0 in 72 of 100 audits here."""
    covered, proven = _audits_of_people(100, seed=6)

    assert covered >= 0.9
    assert proven <= 0.1


@pytest.mark.slow
def test_intervals_over_people_cover_in_2_000_audits() -> None:
    covered, proven = _audits_of_people(2000, seed=7)

    assert covered == pytest.approx(0.95, abs=0.015)
    assert proven <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 2000)
