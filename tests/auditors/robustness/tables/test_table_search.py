"""What the search finds, against brute force, an analytic minimum, and its own promises."""

import numpy as np
import pytest

from evenhand.auditors.policy import FeatureRule
from evenhand.auditors.robustness.tables.data import Columns, Decide, Decisions, RowData
from evenhand.auditors.robustness.tables.feasible import feasible_changes
from evenhand.auditors.robustness.tables.search import Found, search
from evenhand.auditors.robustness.tables.states import OWN, Asker
from tests.auditors.robustness.tables.toys import brute_force, linear, rows, tree_like

CASES = {
    "linear with a category": (linear({"x0": 1, "x1": 0.7, "x2": -0.4, "c0": 0.8}, 4.2), {"categories": 1}),
    "steps with interactions": (tree_like(0.5), {}),
    "steps that need two changes": (tree_like(0.75), {"levels": 8}),
}


def found(data: RowData, decide: Decide, *, budget: float, rules: dict[str, FeatureRule] | None = None) -> Found:
    return search(
        data.columns,
        data.ids,
        feasible_changes(data, rules=rules or {}).blocks,
        wanted=~decide(data.columns).favourable,
        decide=decide,
        budget=budget,
        seed=0,
    )


@pytest.mark.parametrize("budget", [0.4, 1.0])
@pytest.mark.parametrize("case", CASES)
def test_what_is_found_is_the_smallest_change_of_nearly_every_row(case: str, budget: float) -> None:
    decide, shape = CASES[case]
    data = rows(300, **shape)

    cost = found(data, decide, budget=budget).cost

    exact = brute_force(data, feasible_changes(data, rules={}).blocks, decide, ~decide(data.columns).favourable, budget)
    assert np.all(cost >= exact - 1e-9), "a cost below brute force's is no feasible change"
    assert np.mean(np.isclose(cost, exact) | (cost == exact)) > 0.9
    both = np.isfinite(cost) & np.isfinite(exact)
    assert np.mean(cost[both] - exact[both]) < 0.005


def test_linear_score_is_turned_at_the_analytic_minimum() -> None:
    """Uniform features and weights 1 and .25: the cheapest way is the heavy feature alone, for its deficit."""
    n = 400
    grid = (np.arange(n) + 0.5) / n
    rng = np.random.default_rng(1)
    data = RowData(
        {"heavy": grid, "light": rng.permutation(grid)},
        {"sex": (np.zeros(n, dtype=np.int32), ("A",))},
        np.arange(n, dtype=np.int64),
    )
    decide = linear({"heavy": 1.0, "light": 0.25}, 0.6)

    cost = found(data, decide, budget=0.5).cost

    deficit = np.abs(data.columns["heavy"] + 0.25 * data.columns["light"] - 0.6)
    reachable = (deficit < 0.4) & (data.columns["heavy"] > 0.05) & (data.columns["heavy"] < 0.95)
    assert np.abs(cost - deficit)[reachable].max() < 2 / 200  # values are half a hundredth apart
    assert reachable.sum() > 200


@pytest.mark.parametrize("case", CASES)
def test_every_change_found_is_feasible_and_turns_the_decision(case: str) -> None:
    decide, shape = CASES[case]
    data = rows(300, **shape)
    rules = {"x0": FeatureRule(direction="up"), "x1": FeatureRule(immutable=True)}
    blocks = feasible_changes(data, rules=rules).blocks

    result = found(data, decide, budget=1.0, rules=rules)

    done = np.flatnonzero(np.isfinite(result.cost))
    asker = Asker(data.columns, blocks, ~decide(data.columns).favourable, decide)
    changed = asker.changed(done, result.states[done])
    assert asker.ask(done, result.states[done]).turned.all()
    assert np.all(changed["x0"] >= data.columns["x0"][done])
    assert np.array_equal(changed["x1"], data.columns["x1"][done])
    assert len(done) > 20


def test_row_is_searched_alike_alone_in_reverse_order_and_among_others() -> None:
    data, decide = rows(300, categories=1), CASES["linear with a category"][0]
    blocks = feasible_changes(data, rules={}).blocks
    wanted = ~decide(data.columns).favourable

    def of(chosen: np.ndarray) -> Found:
        columns = {name: values[chosen] for name, values in data.columns.items()}
        return search(columns, data.ids[chosen], blocks, wanted=wanted[chosen], decide=decide, budget=1.0, seed=3)

    everyone, reverse, alone = (of(chosen) for chosen in (np.arange(300), np.arange(300)[::-1], np.array([17])))

    assert np.array_equal(everyone.cost, reverse.cost[::-1])
    assert np.array_equal(everyone.states, reverse.states[::-1])
    assert everyone.cost[17] == alone.cost[0]
    assert np.array_equal(everyone.states[17], alone.states[0])


def test_larger_budget_never_finds_dearer_changes() -> None:
    data, decide = rows(300), tree_like(0.5)

    small, large = (found(data, decide, budget=budget).cost for budget in (0.3, 1.0))

    assert np.all(small[np.isfinite(small)] <= 0.3 + 1e-9)
    assert np.isfinite(large).sum() > np.isfinite(small).sum()


def test_row_without_feasible_change_costs_infinitely_much() -> None:
    data = rows(50, numbers=1)

    def never(columns: Columns) -> Decisions:
        return Decisions(np.zeros(len(columns["x0"]), dtype=bool), -np.ones(len(columns["x0"])))

    result = found(data, never, budget=1.0)

    assert np.isinf(result.cost).all()
    assert (result.states == OWN).all()


def test_missing_value_stays_missing() -> None:
    data = rows(60, numbers=1, categories=1)
    data.columns["x0"][:10] = np.nan
    data.columns["c0"][10:20] = None

    def decide(columns: Columns) -> Decisions:
        good = (np.nan_to_num(columns["x0"]) > 3) | (columns["c0"] == "b")
        return Decisions(good, np.where(good, 1.0, -1.0))

    result = found(data, decide, budget=2.0)

    blocks = [block.leader for block in feasible_changes(data, rules={}).blocks]
    assert (result.states[:10, blocks.index("x0")] == OWN).all()
    assert (result.states[10:20, blocks.index("c0")] == OWN).all()
