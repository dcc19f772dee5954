"""Rows of one unit, rows that stand for several, and scores in bins: what stays exact, and how wide the rest gets."""

import numpy as np
import pytest

from evenhand.auditors.policy import Policy
from evenhand.auditors.scores.areas import areas
from evenhand.auditors.scores.audit import ScoreAudit, audit_scores
from evenhand.auditors.scores.curves import area_between, roc_curve
from evenhand.auditors.scores.data import ScoreData
from evenhand.auditors.scores.distances import ScoreDistances, standardized_mean_differences
from evenhand.auditors.scores.doubts import doubts
from evenhand.auditors.scores.grouped import sort_rows

ROWS = 4_000


def people(seed: int = 0, rows: int = ROWS) -> ScoreData:
    rng = np.random.default_rng(seed)
    group, label = rng.integers(0, 3, rows), rng.integers(0, 2, rows)
    score = 1 / (1 + np.exp(-(rng.standard_normal(rows) + label + 0.2 * group)))
    return ScoreData(score, {"g": (group, ("a", "b", "c"))}, label=label)


def in_bins(data: ScoreData, bins: int, weight: np.ndarray | None = None) -> ScoreData:
    """Rows of one group, label and bin as one; a bin's score is halfway between its lowest and its highest."""
    assert data.label is not None
    bin_of_row = (data.scores * bins).astype(int)
    low, high = np.full(bins + 1, np.inf), np.full(bins + 1, -np.inf)
    np.minimum.at(low, bin_of_row, data.scores)
    np.maximum.at(high, bin_of_row, data.scores)
    group, values = data.attributes["g"]
    kinds, code = np.unique(np.stack([group, data.label, bin_of_row]), axis=1, return_inverse=True)
    low, high = low[kinds[2]], high[kinds[2]]
    mass = None if weight is None else np.bincount(code, weight)
    squares = None if weight is None else np.bincount(code, weight**2)
    return ScoreData(
        (low + high) / 2,
        {"g": (kinds[0], values)},
        label=kinds[1],
        weight=mass,
        times=np.bincount(code),
        squares=squares,
        reach=(high - low) / 2,
    )


def audited(data: ScoreData) -> ScoreAudit:
    policy = Policy.model_validate({"check": [{"metric": "roc_auc", "within": 0.2}]})
    return audit_scores(data, policy=policy, family_level=0.95, threshold=0.5, rng=np.random.default_rng(0))


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_of_equal_scores_counted_together_give_the_audit_of_the_rows(weighted: bool) -> None:
    """Scores of 20 values: every bin holds one, so nothing is in doubt; sums are added in another order."""
    data = people()
    scores = np.round(data.scores * 20) / 20
    weight = np.random.default_rng(1).integers(1, 5, ROWS) / 4 if weighted else None
    rows = ScoreData(scores, data.attributes, label=data.label, weight=weight)
    together = in_bins(rows, 1_000, weight)

    one, other = audited(rows), audited(together)

    assert together.reach is not None
    assert not together.reach.any()
    assert len(together.scores) < 130
    for name, groups in one.metrics.items():
        for metrics, found in zip(groups, other.metrics[name], strict=True):
            for metric, estimate in metrics.items():
                assert found[metric].estimate == pytest.approx(estimate.estimate, abs=1e-12), metric
                assert found[metric].low == pytest.approx(estimate.low, abs=1e-9), metric
    for first, second in zip(one.findings, other.findings, strict=True):
        assert (second.verdict, second.n) == (first.verdict, first.n)
        assert (second.low, second.high) == pytest.approx((first.low, first.high), abs=1e-9)
    for mine, theirs in zip(one.attributes[0].pairs, other.attributes[0].pairs, strict=True):
        assert theirs.abroca_p_value == mine.abroca_p_value
        assert theirs.wasserstein.estimate == pytest.approx(mine.wasserstein.estimate)
    assert any("is exact" in note for note in other.attributes[0].notes)


@pytest.mark.parametrize("bins", [8, 40, 400])
def test_what_bins_say_lies_within_the_stated_bounds(bins: int) -> None:
    data = people(3)
    exact, coarse = (sort_rows(each).of("g") for each in (data, in_bins(data, bins)))
    truth, found = areas(exact), areas(coarse)
    bounds = doubts(coarse, found)

    assert np.all(np.abs(found.area - truth.area) <= found.bound + 1e-12)
    assert found.bound.max() < 0.8 / bins
    apart, doubtful = (ScoreDistances(each, np.random.default_rng(0)).between(0, 1) for each in (exact, coarse))
    assert abs(apart.ks - doubtful.ks) <= max(bounds.step[:2]) + 1e-12
    assert abs(apart.wasserstein - doubtful.wasserstein) <= bounds.mean[:2].sum() + 1e-12
    means, binned = standardized_mean_differences(exact), standardized_mean_differences(coarse)
    assert binned.bound is not None
    assert np.all(np.abs(means.value - binned.value) <= binned.bound + 1e-12)
    curves = [[roc_curve(each, i) for i in (0, 1)] for each in (exact, coarse)]
    between = [area_between(one, other) for one, other in curves if one is not None and other is not None]
    assert abs(between[0] - between[1]) <= bounds.area[:2].sum() + 1e-12


@pytest.mark.parametrize("bins", [8, 40])
def test_intervals_from_bins_hold_those_of_the_rows_own_scores(bins: int) -> None:
    data = people(4)

    exact, coarse = audited(data), audited(in_bins(data, bins))

    for metric in ("roc_auc", "calibration_in_the_large", "brier", "mean_score", "scoring_rate"):
        for one, other in zip(exact.metrics["g"], coarse.metrics["g"], strict=True):
            mine, theirs = one[metric], other[metric]
            assert None not in (mine.low, mine.high, theirs.low, theirs.high)
            assert theirs.low <= mine.low + 0.002
            assert theirs.high >= mine.high - 0.002
    note = next(note for note in coarse.attributes[0].notes if "Scores were counted" in note)
    assert "areas under curves by ." in note


def test_units_of_one_row_change_nothing() -> None:
    data = people()
    apart = ScoreData(data.scores, data.attributes, label=data.label, unit=np.random.default_rng(0).permutation(ROWS))

    plain, by_unit = (standardized_mean_differences(sort_rows(each).of("g")) for each in (data, apart))

    assert by_unit.error == pytest.approx(plain.error, rel=1e-3, nan_ok=True)
    assert areas(sort_rows(apart).of("g")).error == pytest.approx(areas(sort_rows(data).of("g")).error, rel=1e-3)


def test_every_row_four_times_as_one_unit_has_the_errors_of_the_rows_once() -> None:
    """The estimates are the same; taken as independent, errors would halve."""
    data = people()
    group, values = data.attributes["g"]
    assert data.label is not None
    often = ScoreData(
        np.repeat(data.scores, 4),
        {"g": (np.repeat(group, 4), values)},
        label=np.repeat(data.label, 4),
        unit=np.repeat(np.arange(ROWS), 4),
    )

    once, again = audited(data), audited(often)

    for metric in ("roc_auc", "calibration_in_the_large", "brier", "mean_score", "scoring_rate"):
        for one, other in zip(once.metrics["g"], again.metrics["g"], strict=True):
            assert other[metric].estimate == pytest.approx(one[metric].estimate)
            assert other[metric].low == pytest.approx(one[metric].low, abs=3e-4)
    smd = [pair.standardized_mean_difference for audit in (once, again) for pair in audit.attributes[0].pairs[:1]]
    assert smd[1].low == pytest.approx(smd[0].low, abs=1e-3)
    assert any("Obuchowski" in note for note in again.attributes[0].notes)


@pytest.mark.parametrize("correlated", [True, False])
def test_errors_by_unit_are_the_spread_over_samples(correlated: bool) -> None:
    """120 units of 5 rows; a unit's scores share most of their noise, and it has rows of both labels. 300 draws."""
    found, stated = [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        unit = np.repeat(np.arange(120), 5)
        label = rng.integers(0, 2, 600)
        shared = rng.standard_normal(120)[unit] if correlated else rng.standard_normal(600)
        score = shared + 0.5 * rng.standard_normal(600) + label
        data = ScoreData(score, {"g": (np.zeros(600, np.int64), ("a",))}, label=label, unit=unit)
        one = areas(sort_rows(data).of("g"))
        found.append(one.area[0, 0])
        stated.append(one.error[0, 0])

    assert np.mean(stated) == pytest.approx(np.std(found), rel=0.12)


def test_units_in_several_groups_are_said_to_be() -> None:
    data = people()
    apart = ScoreData(data.scores, data.attributes, label=data.label, unit=np.arange(ROWS) // 2)

    (attribute,) = audited(apart).attributes

    assert any("more than one group" in note for note in attribute.notes)
