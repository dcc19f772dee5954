"""How far parts of a gap lie from the exact ones when rows and orderings are sampled, and whether the report says so."""

import re
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray
from planted_proxies import audited, by_feature, known_model, known_score, two_groups

from evenhand.auditors.protocols import silent
from evenhand.auditors.proxies.contribution import Contributions, part_of_gap, sampling_errors, shapley
from evenhand.auditors.proxies.groups import Contrast
from evenhand.auditors.proxies.interventions import Subjects
from evenhand.auditors.proxies.plan import THOROUGH, Budget, contribution_size

FEATURES = 12
WEIGHTS = np.linspace(-1, 1, FEATURES)
POPULATION = 100_000

Floats = NDArray[np.float64]


def population() -> tuple[Floats, NDArray[np.int64]]:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2, POPULATION)
    return rng.standard_normal((POPULATION, FEATURES)) + a[:, None] * np.linspace(0, 1, FEATURES), a


def exact_parts(rows: Floats, a: NDArray[np.int64]) -> Floats:
    """Of the score's gap: for a linear score a weight times the difference of means, by Shapley's own axioms."""
    parts: Floats = WEIGHTS * (rows[a == 1].mean(axis=0) - rows[a == 0].mean(axis=0))
    return parts


def contrast_of(a: NDArray[np.int64]) -> Contrast:
    return Contrast("A", "1", "0", np.flatnonzero(a == 1), np.flatnonzero(a == 0))


def shared(rows: Floats, a: NDArray[np.int64], seed: int, *, threshold: float = 0.0, pairs: int = 3) -> Contributions:
    columns = {f"x{i:02}": rows[:, i] for i in range(FEATURES)}
    subjects = Subjects(
        lambda some: np.stack(list(some.values()), axis=1) @ WEIGHTS,
        columns,
        tuple((name,) for name in columns),
        len(rows),
    )
    rng = np.random.default_rng(seed)
    return shapley(subjects, [contrast_of(a)], threshold=threshold, pairs=pairs, rng=rng, progress=silent)


def test_exact_parts_of_the_population_lie_in_95_of_100_intervals_from_sampled_rows() -> None:
    rows, a = population()
    exact, hits = exact_parts(rows, a), []

    for seed in range(25):
        drawn = np.random.default_rng([1, seed]).choice(POPULATION, 2_000, replace=False)
        found = shared(rows[drawn], a[drawn], seed)
        for block in range(FEATURES):
            low, high = part_of_gap(found.scores, contrast_of(a[drawn]), 0, [block]).bounds(0.95)
            hits.append(low <= exact[block] <= high)

    assert np.mean(hits) >= 0.92


@pytest.mark.slow
def test_intervals_of_parts_of_decisions_hold_what_they_say_and_no_more() -> None:
    rows, a = population()
    contrast = contrast_of(a)
    runs = [shared(rows, a, 900 + seed, pairs=5).decisions for seed in range(6)]
    exact = np.mean([contrast.difference(run.by_row) for run in runs], axis=0)
    hits = []

    for seed in range(150):
        drawn = np.random.default_rng([7, seed]).choice(POPULATION, 2_000, replace=False)
        found = shared(rows[drawn], a[drawn], seed).decisions
        for block in range(FEATURES):
            low, high = part_of_gap(found, contrast_of(a[drawn]), 0, [block]).bounds(0.95)
            hits.append(low <= exact[block] <= high)

    assert 0.94 <= np.mean(hits) <= 0.975


def test_sixteen_times_the_rows_give_a_quarter_of_the_error() -> None:
    rows, a = population()

    few, many = (
        np.mean([part_of_gap(found.decisions, contrast_of(a[:n]), 0, [block]).error for block in range(FEATURES)])
        for n in (1_000, 16_000)
        for found in (shared(rows[:n], a[:n], 0, pairs=5),)
    )

    assert few / many == pytest.approx(4, rel=0.15)


def test_error_of_the_draws_is_the_spread_over_seeds_on_the_same_rows() -> None:
    rows, a = (values[:2_000] for values in population())
    contrast = contrast_of(a)
    runs = [shared(rows, a, seed).decisions for seed in range(40)]

    spread = np.std([contrast.difference(run.by_row) for run in runs], axis=0, ddof=1)
    stated = np.sqrt(np.mean([run.by_pair[:, 0].var(axis=0, ddof=1) / 3 for run in runs], axis=0))

    assert np.mean(stated) == pytest.approx(np.mean(spread), rel=0.15)
    assert sampling_errors(runs[0], contrast, 0)[1] < 5 * spread.max()


def test_parts_from_few_orderings_still_sum_to_the_whole() -> None:
    rows, a = (values[:3_000] for values in population())
    contrast, found = contrast_of(a), shared(rows, a, 4, pairs=2)

    for shares in (found.decisions, found.scores):
        whole = contrast.difference(shares.full) - contrast.difference(shares.empty)
        assert contrast.difference(shares.by_row).sum() == pytest.approx(whole, abs=1e-9)


def test_report_states_the_half_width_of_its_least_certain_part() -> None:
    audit, findings = audited(two_groups(*known_model(12_000, 0)), known_score)
    note = next(note for note in audit.notes if "known to within" in note)
    stated, of_orderings = (float(found) for found in re.findall(r" (\.\d+)", note))

    widths = [row.contribution for row in by_feature(audit).values()]
    widest = max((part.high or 0) - (part.low or 0) for part in widths) / 2
    level = findings[0].level or 0
    at_95 = widest * NormalDist().inv_cdf(0.975) / NormalDist().inv_cdf((1 + level) / 2)

    assert note.startswith("A: ")
    assert "from 6,000 rows and 10 orderings" in note
    assert stated == pytest.approx(at_95, abs=6e-5)
    assert 0 < of_orderings < stated


def test_model_without_any_moving_feature_has_no_part_to_be_unsure_of() -> None:
    audit, _ = audited(two_groups(*known_model(4_000, 0)), lambda some: np.zeros(len(some["x1"])))

    assert any("known to within .0000" in note for note in audit.notes)


@pytest.mark.parametrize("budget", [Budget(), THOROUGH])
@pytest.mark.parametrize("blocks", [1, 8, 50, 200, 1_000])
def test_plan_keeps_the_rows_of_a_contribution_within_the_model_s_budget(budget: Budget, blocks: int) -> None:
    rows, pairs = contribution_size(1_000_000, blocks, budget)

    assert 3 <= pairs <= 5
    assert rows >= 2_000
    assert rows == 2_000 or 2 * pairs * rows * blocks <= budget.contribution_model_rows
