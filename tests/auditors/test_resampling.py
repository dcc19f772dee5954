"""The bootstrap on counts: its draws against rows drawn one by one, its summaries against numpy and closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.auditors.counts import Attribute, GroupCounts, count
from evenhand.auditors.metrics import COUNT_METRICS
from evenhand.auditors.resampling import Resampled, bootstrap, draw_tables
from tests.auditors.build import table_of

METRICS = list(COUNT_METRICS.values())
TWO_GROUPS = table_of({"a": (120, 40, 30, 210), "b": (60, 50, 45, 145)}).of("group")


def resampled(counts: GroupCounts, metric: str, *, replicates: int = 4000, level: float = 0.95) -> Resampled:
    rng = np.random.default_rng(0)
    return bootstrap(counts, [COUNT_METRICS[metric]], replicates=replicates, level=level, rng=rng)[0]


@given(seed=st.integers(0, 100))
def test_every_drawn_table_has_as_many_rows_and_no_new_cell(seed: int) -> None:
    cells = np.array([[[3.0, 0.0], [2.0, 5.0]], [[0.0, 1.0], [4.0, 0.0]]])

    drawn = draw_tables(cells, replicates=50, rng=np.random.default_rng(seed))

    assert drawn.shape == (2, 2, 2, 50)
    assert (drawn.sum(axis=(0, 1, 2)) == 15).all()
    assert not drawn[cells == 0].any()


def test_drawn_tables_spread_as_rows_drawn_with_replacement() -> None:
    rng = np.random.default_rng(0)
    cell = rng.integers(0, 8, 200)
    cells = np.bincount(cell, minlength=8).astype(float)
    by_row = np.array([np.bincount(rng.choice(cell, 200), minlength=8) for _ in range(4000)])

    drawn = draw_tables(cells.reshape(2, 2, 2), replicates=4000, rng=rng).reshape(8, 4000).T

    # of 4,000 draws a mean errs by about sd/63 and a variance by about 2.2 %
    np.testing.assert_allclose(drawn.mean(axis=0), by_row.mean(axis=0), atol=0.4)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(by_row.T), atol=2.0)


def test_standard_error_of_a_rate_is_the_binomial_one() -> None:
    counts = TWO_GROUPS

    selection = resampled(counts, "selection_rate")

    rate = np.array([160 / 400, 110 / 300])
    np.testing.assert_allclose(selection.by_group.estimate, rate)
    np.testing.assert_allclose(selection.by_group.standard_error, np.sqrt(rate * (1 - rate) / [400, 300]), rtol=0.05)


def test_summaries_of_the_replicates_are_numpys() -> None:
    result = resampled(TWO_GROUPS, "f1", replicates=999, level=0.9)

    values = result.replicates
    assert values.shape == (2, 999)
    np.testing.assert_allclose(result.by_group.low, np.quantile(values, 0.05, axis=1))
    np.testing.assert_allclose(result.by_group.high, np.quantile(values, 0.95, axis=1))
    np.testing.assert_allclose(result.by_group.standard_error, values.std(axis=1, ddof=1))
    np.testing.assert_allclose(result.difference.low, [np.quantile(np.abs(values[0] - values[1]), 0.05)])
    np.testing.assert_allclose(result.ratio.high, [np.quantile(values.min(0) / values.max(0), 0.95)])


def test_replicates_without_the_rate_are_left_out_and_their_share_is_told() -> None:
    counts = table_of({"a": (1, 10, 0, 39), "b": (20, 5, 5, 20)}).of("group")

    result = resampled(counts, "true_positive_rate", replicates=5000)

    # a row is drawn not once in n draws with probability (1 - 1/n)^n
    assert result.by_group.undefined[0] == pytest.approx((1 - 1 / 100) ** 100, abs=0.02)
    assert result.by_group.undefined[1] == 0
    assert result.by_group.low[0] == result.by_group.high[0] == 1
    assert result.difference.undefined[0] == result.by_group.undefined[0]
    gaps = np.abs(result.replicates[0] - result.replicates[1])
    assert result.difference.low[0] == pytest.approx(np.nanquantile(gaps, 0.025))


def test_a_rate_that_never_exists_is_undefined_everywhere() -> None:
    counts = table_of({"a": (0, 10, 0, 40), "b": (20, 5, 5, 20)}).of("group")

    result = resampled(counts, "true_positive_rate", replicates=50)

    assert result.by_group.undefined.tolist() == [1, 0]
    assert np.isnan(result.by_group.low[0])
    assert np.isnan(result.by_group.standard_error[0])
    assert np.isnan(result.difference.estimate[0])


def test_predictions_without_labels_are_resampled_too() -> None:
    counts = table_of({"a": (0, 10, 0, 40), "b": (0, 25, 0, 25)}, labels=False).of("group")

    result = resampled(counts, "selection_rate", replicates=100)

    assert result.by_group.estimate.tolist() == [0.2, 0.5]
    assert result.difference.estimate.tolist() == [pytest.approx(0.3)]


def test_weighted_rows_are_drawn_at_their_effective_size() -> None:
    rng = np.random.default_rng(0)
    n = 2000
    weight = np.where(np.arange(n) % 2 == 0, 3.0, 1.0)
    prediction = rng.integers(0, 2, n)
    table = count([Attribute("sex", np.zeros(n, dtype=int), ("F",))], prediction=prediction, weight=weight)

    result = resampled(table.of("sex"), "selection_rate")

    rate = weight[prediction == 1].sum() / weight.sum()
    effective = weight.sum() ** 2 / (weight**2).sum()
    assert result.by_group.estimate[0] == pytest.approx(rate)
    assert result.by_group.standard_error[0] == pytest.approx(np.sqrt(rate * (1 - rate) / effective), rel=0.05)


def test_one_seed_gives_one_answer_for_the_whole_catalogue() -> None:
    one, other = (bootstrap(TWO_GROUPS, METRICS, replicates=200, rng=np.random.default_rng(7)) for _ in range(2))

    assert [r.metric for r in one] == [m.name for m in METRICS]
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first.replicates, second.replicates)
