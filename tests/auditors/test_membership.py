"""Uncertain attributes: estimators against formulas and known truth, and what may be said of them."""

import numpy as np
import pytest

from evenhand.auditors.errors import BadMembership, LengthMismatch
from evenhand.auditors.membership import Membership, membership_gaps, rows_left_out
from evenhand.auditors.report import Finding, MembershipGap
from evenhand.auditors.verdict import Gate, Verdict


def gap_of(p: np.ndarray, success: np.ndarray) -> tuple[MembershipGap, Finding]:
    """The selection gap of two groups, the first with probability p."""
    membership = Membership("race", ("White", "Black"), np.stack([p, 1 - p], axis=1))
    gaps, findings = membership_gaps(
        membership, prediction=success.astype(np.int8), label=None, favourable_is_positive=True
    )
    return gaps[0], findings[0]


def drawn(rows: int, rng: np.random.Generator, *, by_group: float, by_probability: float) -> tuple[np.ndarray, ...]:
    """Calibrated probabilities, who belongs to the first group, and who is selected."""
    p = rng.random(rows)
    member = rng.random(rows) < p
    return p, member, rng.random(rows) < 0.2 + by_group * member + by_probability * p


def test_certain_probabilities_give_the_plain_gap_in_every_estimator() -> None:
    """6,000 of 10,000 against 3,000 of 10,000."""
    p = np.repeat([1.0, 0.0], 10_000)
    success = np.concatenate([np.arange(10_000) < 6_000, np.arange(10_000) < 3_000])

    gap, _ = gap_of(p, success)

    assert (gap.group, gap.reference) == ("White", "Black")
    for shown in (gap.weighted, gap.thresholded, gap.most_probable):
        assert shown.estimate == pytest.approx(0.3)
    assert (gap.lowest, gap.highest) == pytest.approx((0.3, 0.3))


def test_weighted_rates_by_hand() -> None:
    """p = .9, .6, .2 with outcomes 1, 0, 1: 1.1 / 1.7 for the first group, .9 / 1.3 for the second."""
    gap, _ = gap_of(np.array([0.9, 0.6, 0.2]), np.array([1, 0, 1]))

    assert [rate.weighted.estimate for rate in gap.rates] == pytest.approx([1.1 / 1.7, 0.9 / 1.3])
    assert [rate.thresholded.estimate for rate in gap.rates] == pytest.approx([0.5, 1.0])


def test_truth_lies_between_the_estimators_where_their_assumptions_hold() -> None:
    """The outcome differs by group among equal probabilities (.05), and more along the probability (.5).

    With p uniform: truth .05 + .5/3, weighted .55/3, thresholded .55/2 (Var p / (mean p (1 - mean p)) is 1/3, and the mean of p
    above .5 less that below is 1/2).
    """
    p, member, selected = drawn(400_000, np.random.default_rng(0), by_group=0.05, by_probability=0.5)
    truth = selected[member].mean() - selected[~member].mean()

    gap, _ = gap_of(p, selected)

    assert truth == pytest.approx(0.05 + 0.5 / 3, abs=0.006)
    assert gap.weighted.estimate == pytest.approx(0.55 / 3, abs=0.006)
    assert gap.thresholded.estimate == pytest.approx(0.55 / 2, abs=0.006)
    assert (gap.weighted.estimate or 0) < truth < (gap.thresholded.estimate or 0)


def test_both_estimators_fall_short_where_only_the_group_matters() -> None:
    """The assumption of the thresholded one fails: truth .3, weighted .3/3, thresholded .3/2. The note makes it a condition."""
    p, _, selected = drawn(400_000, np.random.default_rng(1), by_group=0.3, by_probability=0.0)

    gap, _ = gap_of(p, selected)

    assert gap.weighted.estimate == pytest.approx(0.1, abs=0.006)
    assert gap.thresholded.estimate == pytest.approx(0.15, abs=0.006)
    assert "Where both hold" in gap.note


@pytest.mark.parametrize("by_group", [-0.2, 0.0, 0.3])
def test_bounds_hold_the_truth_without_any_assumption_on_the_outcome(by_group: float) -> None:
    p, member, selected = drawn(50_000, np.random.default_rng(2), by_group=by_group, by_probability=0.4)
    truth = selected[member].mean() - selected[~member].mean()

    gap, _ = gap_of(p, selected)

    assert gap.lowest is not None
    assert gap.highest is not None
    if gap.group == "White":
        assert gap.lowest < truth < gap.highest
    else:
        assert gap.lowest < -truth < gap.highest


def coverage(draws: int) -> float:
    """How often the weighted interval holds what the estimator aims at, .55/3 for the rates of `drawn`."""
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(draws):
        p, _, selected = drawn(1_000, rng, by_group=0.05, by_probability=0.5)
        weighted = gap_of(p, selected)[0].weighted
        assert weighted.low is not None
        assert weighted.high is not None
        inside += weighted.low < 0.55 / 3 < weighted.high
    return inside / draws


def test_weighted_interval_covers_as_often_as_it_says() -> None:
    """300 draws at .95: two and a half standard errors are .031."""
    assert coverage(300) == pytest.approx(0.95, abs=0.031)


@pytest.mark.slow
def test_weighted_interval_covers_as_often_as_it_says_over_many_draws() -> None:
    """2,000 draws at .95: two and a half standard errors are .012."""
    assert coverage(2_000) == pytest.approx(0.95, abs=0.012)


def test_nothing_is_ever_shown_within() -> None:
    rng = np.random.default_rng(4)
    _, finding = gap_of(rng.random(20_000), rng.random(20_000) < 0.5)

    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.gate is Gate.OFF
    assert "Never shown within" in finding.message


def test_disparity_is_proven_only_where_the_probabilities_leave_no_way_out() -> None:
    """Nearly certain probabilities and a gap of .4, against uniform ones and the same outcomes."""
    rng = np.random.default_rng(5)
    member = rng.random(20_000) < 0.5
    selected = rng.random(20_000) < 0.3 + 0.4 * member

    _, sure = gap_of(np.where(member, 0.98, 0.02), selected)
    _, vague = gap_of(np.where(member, 0.6, 0.4), selected)

    assert sure.verdict is Verdict.PROVEN_DISPARITY
    assert vague.verdict is Verdict.INCONCLUSIVE


def test_with_labels_error_rates_are_estimated_too() -> None:
    rng = np.random.default_rng(6)
    p = rng.random((500, 1))
    membership = Membership("race", ("a", "b"), np.hstack([p, 1 - p]))

    gaps, _ = membership_gaps(
        membership,
        prediction=rng.integers(0, 2, 500),
        label=rng.integers(0, 2, 500),
        favourable_is_positive=True,
    )

    assert [gap.metric for gap in gaps] == ["favourable_rate", "true_positive_rate", "false_positive_rate"]


def test_rows_without_probabilities_are_left_out_and_counted() -> None:
    p = np.array([[0.9, 0.1], [np.nan, 0.5], [0.2, 0.8]])

    assert rows_left_out(Membership("race", ("a", "b"), p)) == "race has no probabilities in 1 rows: they are left out."


@pytest.mark.parametrize(
    ("row", "says"), [([1.2, 0.0], "outside"), ([-0.2, 0.5], "outside"), ([0.8, 0.7], "sum to more than 1")]
)
def test_numbers_that_are_no_probabilities_are_refused(row: list[float], says: str) -> None:
    with pytest.raises(BadMembership, match=says):
        Membership("race", ("a", "b"), np.array([row]))


def test_predictions_of_another_length_are_refused() -> None:
    with pytest.raises(LengthMismatch, match="'prediction' has 3"):
        membership_gaps(
            Membership("race", ("a", "b"), np.full((5, 2), 0.5)),
            prediction=np.zeros(3, np.int8),
            label=None,
            favourable_is_positive=True,
        )
