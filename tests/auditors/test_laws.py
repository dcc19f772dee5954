"""Laws that hold for every metric and comparison of the catalogue, as data; and proof that a law can fail.

A metric that nobody classified fails here: add it to a set below.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from evenhand.auditors.counts import Attribute, CountTable, count
from evenhand.auditors.disparity import Meaning, audit_group_disparity
from evenhand.auditors.metrics import COMPOSITES, COUNT_METRICS, FAVOURABLE_RATE, WHOLES, Metric, metric_named
from evenhand.auditors.policy import Check, Policy
from evenhand.auditors.report import Finding
from evenhand.auditors.verdict import Comparison, Gate

RATES = {
    "favourable_rate", "selection_rate", "true_positive_rate", "false_positive_rate", "true_negative_rate",
    "false_negative_rate", "precision", "negative_predictive_value", "false_discovery_rate", "false_omission_rate",
    "accuracy", "base_rate",
}  # fmt: skip
OTHERS = {"balanced_accuracy", "f1", "matthews_correlation", "treatment_equality"}
GAPS = {
    "impact_ratio", "demographic_parity_difference", "demographic_parity_ratio", "equalized_odds_difference",
    "equalized_odds_ratio", "equal_opportunity_difference", "equal_opportunity_ratio", "predictive_parity_difference",
    "predictive_parity_ratio", "equalized_odds_average_difference", "equalized_odds_average_ratio",
    "treatment_equality_difference", "treatment_equality_ratio",
}  # fmt: skip
OF_ALL_GROUPS = {"generalized_entropy_between"}
OF_STRATA = {"conditional_demographic_disparity", "cmh_odds_ratio"}
"""Their laws stand in `test_strata`."""

ROWS = 240
RNG = np.random.default_rng(12)
GROUP = RNG.integers(0, 3, ROWS)
LABEL = RNG.integers(0, 2, ROWS)
PREDICTION = np.where(RNG.random(ROWS) < 0.7, LABEL, RNG.integers(0, 2, ROWS))
VALUES = ("a", "b", "c")

DRAW = np.random.default_rng(3)

Estimator = Callable[[CountTable], np.ndarray]


def table(
    rows: np.ndarray, *, values: tuple[str, ...] = VALUES, code: np.ndarray = GROUP, weight: np.ndarray | None = None
) -> CountTable:
    return count([Attribute("g", code[rows], values)], prediction=PREDICTION[rows], label=LABEL[rows], weight=weight)


def metric_of(name: str) -> Metric:
    return metric_named(name, favourable_is_positive=True)


def by_group(name: str) -> Estimator:
    return lambda counted: metric_of(name).value(counted.of("g").cells)


def finding_of(name: str, counted: CountTable) -> Finding:
    weights = None if counted.weights is None or counted.squares is None else (counted.weights, counted.squares)
    return next(f for f in _composites(_Key(counted, weights)) if f.metric == name)


class _Key:
    """A count table that is equal to another of the same content, so that one audit answers for all metrics."""

    def __init__(self, table: CountTable, weights: tuple[np.ndarray, np.ndarray] | None) -> None:
        self.table = table
        self.content = (table.rows.tobytes(), *(part.tobytes() for part in weights or ()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.content)


@cache
def _composites(key: _Key) -> list[Finding]:
    checks = [
        Check(metric=name, within=0.8 if name.endswith("ratio") else 0.1, gate=Gate.OFF)
        for name in sorted(GAPS | OF_ALL_GROUPS)
    ]
    return audited(key.table, Policy(check=checks))


def audited(counted: CountTable, policy: Policy) -> list[Finding]:
    meaning = Meaning("1", "1", "y", "p", favourable_is_positive=True)
    return audit_group_disparity(counted, policy=policy, meaning=meaning, rng=np.random.default_rng(0))[1]


def over_groups(name: str) -> Estimator:
    return lambda counted: np.array([finding_of(name, counted).estimate], dtype=np.float64)


ESTIMATORS = {name: by_group(name) for name in sorted(RATES | OTHERS)} | {
    name: over_groups(name) for name in sorted(GAPS | OF_ALL_GROUPS)
}


def row_order_does_not_matter(estimator: Estimator) -> None:
    rows = np.arange(ROWS)

    assert estimator(table(np.random.default_rng(1).permutation(ROWS))) == pytest.approx(estimator(table(rows)))


def weight_two_equals_the_row_twice(estimator: Estimator) -> None:
    chosen = np.arange(ROWS) % 3 == 0
    twice = np.concatenate([np.arange(ROWS), np.flatnonzero(chosen)])

    weighted = table(np.arange(ROWS), weight=1.0 + chosen)

    assert estimator(weighted) == pytest.approx(estimator(table(twice)))


def merged_counts_equal_counts_of_merged_rows(estimator: Estimator) -> None:
    first, second = np.arange(ROWS // 3), np.arange(ROWS // 3, ROWS)

    assert estimator(table(first) + table(second)) == pytest.approx(estimator(table(np.arange(ROWS))))


def names_of_groups_do_not_matter(estimator: Estimator) -> None:
    renamed = table(np.arange(ROWS), code=2 - GROUP)

    assert np.sort(estimator(renamed)) == pytest.approx(np.sort(estimator(table(np.arange(ROWS)))))


LAWS = (
    row_order_does_not_matter,
    weight_two_equals_the_row_twice,
    merged_counts_equal_counts_of_merged_rows,
    names_of_groups_do_not_matter,
)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_law_holds(name: str, law: Callable[[Estimator], None]) -> None:
    law(ESTIMATORS[name])


def test_every_metric_is_classified() -> None:
    assert set(COUNT_METRICS) | {FAVOURABLE_RATE} == RATES | OTHERS
    assert set(COMPOSITES) == GAPS
    assert set(WHOLES) == OF_ALL_GROUPS | OF_STRATA


@pytest.mark.parametrize("name", sorted(RATES | OTHERS))
def test_metric_is_a_rate_as_classified(name: str) -> None:
    assert metric_of(name).is_rate == (name in RATES)


@pytest.mark.parametrize("comparison", [Comparison.DIFFERENCE, Comparison.RATIO])
@pytest.mark.parametrize("name", sorted(RATES | OTHERS))
def test_swapping_groups_turns_the_gap_and_its_interval(name: str, comparison: Comparison) -> None:
    """A difference changes sign, a ratio inverts: against a declared reference, the direction is kept."""
    forward, backward = _against_the_first(turned=False), _against_the_first(turned=True)

    estimate, low, high = forward[name, comparison]
    turned = [-x if comparison is Comparison.DIFFERENCE else 1 / x for x in backward[name, comparison]]
    assert (estimate, low, high) == pytest.approx((turned[0], turned[2], turned[1]), rel=1e-6, abs=1e-9)


@cache
def _against_the_first(*, turned: bool) -> dict[tuple[str, Comparison], tuple[float, float, float]]:
    """Estimate, low and high of the second of two groups against the first, for every metric and comparison."""
    two = GROUP < 2
    code = 1 - GROUP[two] if turned else GROUP[two]
    counted = count([Attribute("g", code, ("x", "y"))], prediction=PREDICTION[two], label=LABEL[two])
    checks = [
        {"metric": name, "compare": comparison, "within": 0.5}
        for name in sorted(RATES | OTHERS)
        for comparison in (Comparison.DIFFERENCE, Comparison.RATIO)
    ]
    policy = Policy.model_validate({"check": checks, "data": {"reference": {"g": "x"}}})
    return {
        (f.metric, f.comparison): (f.estimate, f.low, f.high) for f in audited(counted, policy) if "/reference/" in f.id
    }


@pytest.mark.parametrize(
    ("law", "lawless"),
    [
        # The first group alone depends on which is first, a count of rows on weights standing for rows, a draw on nothing.
        (names_of_groups_do_not_matter, lambda counted: by_group("precision")(counted)[:1]),
        (weight_two_equals_the_row_twice, lambda counted: counted.of("g").rows.astype(float)),
        (merged_counts_equal_counts_of_merged_rows, lambda counted: DRAW.random(1)),
        (row_order_does_not_matter, lambda counted: DRAW.random(1)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_law_can_fail(law: Callable[[Estimator], None], lawless: Estimator) -> None:
    with pytest.raises(AssertionError):
        law(lawless)
