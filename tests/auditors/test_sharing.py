"""The error of a check over several rates: held whatever the tolerance is, and nothing taken where nothing need be."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from evenhand.auditors.counts import GroupCounts
from evenhand.auditors.disparity.answer import answer
from evenhand.auditors.disparity.evidence import Evidence
from evenhand.auditors.disparity.plan import PlannedCheck, planned
from evenhand.auditors.disparity.sharing import one_way, with_shared_error
from evenhand.auditors.intervals import score_z_difference, score_z_ratio, tukey_z
from evenhand.auditors.policy import Check, Policy
from evenhand.auditors.verdict import Comparison, Gate, Verdict

ALPHA = 0.05
SMALL_SAMPLE_EXCESS = 0.006
"""By so much the score test itself can err beyond its level with 50 rows a rate: .0275 for one side at .025, twice."""


def check_of(metric: str, within: float) -> PlannedCheck:
    policy = Policy(check=[Check(metric=metric, within=within, gate=Gate.OFF)])
    return planned(policy, sensitive=("g",), with_labels=True, favourable_is_positive=True)[0]


def counts_of(true_positives: np.ndarray, false_positives: np.ndarray, rows: int) -> GroupCounts:
    """Groups of so many rows each, half of them labelled positive."""
    half = np.full(len(true_positives), rows / 2)
    cells = np.stack(
        [
            np.stack([half - false_positives, false_positives], axis=-1),
            np.stack([half - true_positives, true_positives], axis=-1),
        ],
        axis=-2,
    )
    groups = tuple({"g": str(i)} for i in range(len(half)))
    return GroupCounts(("g",), groups, np.full(len(half), rows), cells, cells)


def shared(check: PlannedCheck, rows: int, rates: np.ndarray) -> PlannedCheck:
    selected = rates * rows / 2
    return with_shared_error(check, Evidence(counts_of(selected, selected, rows)), np.ones(len(rates), dtype=bool))


def accusing(check: PlannedCheck, x: np.ndarray, trials: float, z: float) -> np.ndarray:
    """Which draws have a pair whose score statistic lies beyond the tolerance; x of shape (draws, k)."""
    found = np.zeros(len(x), dtype=bool)
    n = np.full(len(x), trials)
    for i in range(x.shape[1]):
        for j in range(x.shape[1]):
            if i != j and check.comparison is Comparison.DIFFERENCE:
                found |= score_z_difference(x[:, i], n, x[:, j], n, check.tolerance) > z
            elif i != j:
                found |= (score_z_ratio(x[:, i], n, x[:, j], n, check.tolerance) < -z) & (x[:, i] + x[:, j] > 0)
    return found


def falsely_proven(check: PlannedCheck, rows: int, rates: np.ndarray, draws: int) -> float:
    """Share of draws in which either rate is proven beyond, where both have these true rates."""
    rng = np.random.default_rng(rows)
    z = check.budget.z_all_pairs(len(rates))
    found = [accusing(check, rng.binomial(rows // 2, rates, (draws, len(rates))) * 1.0, rows / 2, z) for _ in range(2)]
    return float(np.mean(found[0] | found[1]))


def corners(within: float, groups: int, *, comparison: Comparison) -> list[np.ndarray]:
    """All equal, and half of the groups just as far from the others as is tolerated."""
    if comparison is Comparison.DIFFERENCE:
        apart = np.where(np.arange(groups) < groups // 2, 0.5 - within / 2, 0.5 + within / 2)
    else:
        apart = np.where(np.arange(groups) < groups // 2, 0.5 * within, 0.5)
    return [np.full(groups, 0.5), apart]


DIFFERENCES = [0.0, 0.005, 0.01, 0.03, 0.1]
ROWS = [100, 400, 2000]


def largest_error(metric: str, within: float, rows: int, groups: int, draws: int) -> float:
    check = check_of(metric, within)
    truths = corners(within, groups, comparison=check.comparison)
    return max(falsely_proven(shared(check, rows, rates), rows, rates, draws) for rates in truths)


@pytest.mark.parametrize("within", DIFFERENCES)
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("groups", [2, 4])
def test_two_rates_together_hardly_ever_accuse(within: float, rows: int, groups: int) -> None:
    most = ALPHA + SMALL_SAMPLE_EXCESS + 3 * np.sqrt(ALPHA * (1 - ALPHA) / 500)

    assert largest_error("equalized_odds_difference", within, rows, groups, 500) <= most


@pytest.mark.slow
@pytest.mark.parametrize("within", DIFFERENCES)
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("groups", [2, 4])
def test_two_rates_together_accuse_in_at_most_alpha_of_20_000_audits(within: float, rows: int, groups: int) -> None:
    most = ALPHA + SMALL_SAMPLE_EXCESS + 2 * np.sqrt(ALPHA * (1 - ALPHA) / 20_000)

    assert largest_error("equalized_odds_difference", within, rows, groups, 20_000) <= most


@pytest.mark.slow
@pytest.mark.parametrize("within", [1.0, 0.99, 0.95, 0.9, 0.8])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("groups", [2, 4])
def test_two_ratios_together_accuse_in_at_most_alpha_of_20_000_audits(within: float, rows: int, groups: int) -> None:
    most = ALPHA + SMALL_SAMPLE_EXCESS + 2 * np.sqrt(ALPHA * (1 - ALPHA) / 20_000)

    assert largest_error("equalized_odds_ratio", within, rows, groups, 20_000) <= most


@pytest.mark.parametrize("within", [0.005, 0.01])
def test_undivided_two_rates_of_few_rows_would_err_far_beyond_alpha(within: float) -> None:
    """What the sharing is for, and that these draws can show it."""
    check = check_of("equalized_odds_difference", within)

    assert falsely_proven(check, 100, np.full(2, 0.5), 4_000) > 0.06


def test_draws_by_the_statistic_alone_say_what_the_check_says() -> None:
    """So that they speak for it."""
    check = check_of("equalized_odds_difference", 0.01)
    rng = np.random.default_rng(5)
    for _ in range(60):
        hits = rng.binomial(50, 0.5, (2, 2)) * 1.0

        verdict = answer(check, Evidence(counts_of(hits[0], hits[1], 100))).composite.verdict

        z = shared(check, 100, np.full(2, 0.5)).budget.z_all_pairs(2)
        alone = any(accusing(check, x[None], 50.0, z)[0] for x in hits)
        assert (verdict is Verdict.PROVEN_DISPARITY) == alone


@pytest.mark.parametrize("groups", [2, 4, 14])
@pytest.mark.parametrize("rows", [200, 1000])
def test_usual_tolerance_takes_nothing(groups: int, rows: int) -> None:
    check = check_of("equalized_odds_difference", 0.1)

    assert shared(check, rows, np.full(groups, 0.5)) is check


@pytest.mark.parametrize(("metric", "within"), [("equalized_odds_difference", 0.0), ("equalized_odds_ratio", 1.0)])
@pytest.mark.parametrize("groups", [2, 4])
def test_no_gap_tolerated_halves_the_error_of_two_rates(metric: str, within: float, groups: int) -> None:
    check = check_of(metric, within)

    assert shared(check, 400, np.full(groups, 0.5)).budget.alpha == pytest.approx(ALPHA / 2, rel=1e-12)


def test_share_grows_from_half_of_alpha_with_the_tolerance() -> None:
    alphas = [
        shared(check_of("equalized_odds_difference", within), 400, np.full(2, 0.5)).budget.alpha
        for within in DIFFERENCES
    ]

    assert alphas[0] == pytest.approx(ALPHA / 2)
    assert alphas == sorted(alphas)
    assert alphas[-1] == ALPHA


def test_share_of_differences_does_not_depend_on_what_was_observed() -> None:
    check = check_of("equalized_odds_difference", 0.01)

    assert shared(check, 400, np.array([0.1, 0.9])) == shared(check, 400, np.array([0.5, 0.5]))


def test_small_group_that_decides_nothing_takes_nothing() -> None:
    check = check_of("equalized_odds_difference", 0.1)
    cells = counts_of(np.array([100.0, 100.0, 2.0]), np.array([100.0, 100.0, 2.0]), 400)
    small = replace(cells, rows=np.array([400, 400, 8]), cells=np.minimum(cells.cells, [[[400.0]], [[400.0]], [[2.0]]]))

    everyone = np.ones(3, dtype=bool)

    assert with_shared_error(check, Evidence(replace(small, effective=small.cells)), everyone) is check


def test_one_rate_keeps_all_of_alpha() -> None:
    check = check_of("selection_rate", 0.0)

    assert shared(check, 100, np.full(2, 0.5)) is check


@pytest.mark.parametrize(("first", "second"), [(1, 1), (1, 2), (2, 2), (2, 3)])
def test_pairs_across_halves_err_in_one_direction_as_by_quadrature(first: int, second: int) -> None:
    z = tukey_z(first + second, level=0.95)

    def inside(least: float) -> float:
        below = norm.cdf(least + np.sqrt(2) * z) ** first
        return float(second * norm.pdf(least) * norm.sf(least) ** (second - 1) * below)

    assert one_way(z, first + second) == pytest.approx(1 - quad(inside, -9, 9)[0], abs=1e-7)
