"""Calibration by group: in the large, over bins of equal mass, and Brier's score, each with its error.

Only for scores that are probabilities; what else a score can say belongs in `areas` and `distances`.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from evenhand.auditors.scores.grouped import GroupedScores
from evenhand.auditors.scores.measured import Measured, even

Floats = NDArray[np.float64]

BINS = 10
NO_ROWS = "the group has no rows"


@dataclass(frozen=True)
class CalibrationBins:
    """Bins of equal mass, cut within each group, ties kept together; all arrays of shape (k, bins), sums of weights.

    Attributes:
        rows: rows in each, unweighted.
        weight, score, label: summed weight, and summed score and label times weight.
        effective: Kish's effective rows.
    """

    rows: NDArray[np.int64]
    weight: Floats
    score: Floats
    label: Floats
    effective: Floats


@dataclass(frozen=True)
class Calibration:
    """How well the scores of k groups fit what happened.

    Attributes:
        in_the_large: mean score less base rate, in -1..1.
        expected_error: mean absolute distance of mean score and base rate over the bins, plain; its bounds allow for
            what chance adds.
        brier: mean squared distance of score and label.
        chance: shape (k,), the expected_error that a calibrated score would show on average with these rows.
        debiased: shape (k,), expected_error less its estimated bias.
        bins: behind expected_error.
    """

    in_the_large: Measured
    expected_error: Measured
    brier: Measured
    chance: Floats
    debiased: Floats
    bins: CalibrationBins


def calibration(grouped: GroupedScores) -> Calibration:
    """Calibration of every group.

    Source: Spiegelhalter (1986), Statistics in Medicine 5, for calibration in the large; Brier (1950), Monthly Weather
    Review 78; Naeini, Cooper and Hauskrecht (2015), AAAI, for the expected calibration error; its bias as in Kumar, Liang
    and Ma (2019), NeurIPS.
    """
    assert grouped.label is not None
    scores, label = grouped.scores, grouped.label
    bins = _bins(grouped)
    expected_error, chance, debiased = _expected_error(bins)
    return Calibration(
        in_the_large=mean_of(grouped, scores - label, low=-1.0, high=1.0, bound=grouped.mean_reach),
        # which bin of ten a score falls into is taken from the middle of its own
        expected_error=replace(expected_error, bound=grouped.mean_reach),
        brier=mean_of(
            grouped, (scores - label) ** 2, low=0.0, high=1.0, bound=_bound_of_squares(grouped, scores - label)
        ),
        chance=chance,
        debiased=debiased,
        bins=bins,
    )


def _bound_of_squares(grouped: GroupedScores, away: Floats) -> Floats:
    """How far a mean of squared distances can lie from that of the rows' own scores."""
    if grouped.reach is None:
        return np.zeros(len(grouped.groups))
    reach = grouped.reach[grouped.rows.step]
    most = grouped.rows.summed(grouped.rows.weight * reach * (2 * np.abs(away) + reach))
    return most / np.where(grouped.rows.total > 0, grouped.rows.total, 1.0)


def mean_of(
    grouped: GroupedScores, values: Floats, *, low: float, high: float, bound: Floats | None = None
) -> Measured:
    """Weighted mean of a value of each row by group, by the central limit theorem.

    The error is at least half a row's: rows that all agree do not claim certainty. Rows of one unit move together.

    Args:
        values: shape of the rows' entries.
        bound: how far the mean can lie from that of the rows' own scores, shape (k,).
    """
    rows = grouped.rows
    total = np.where(rows.total > 0, rows.total, np.nan)
    mean = rows.summed(rows.weight * values) / total
    away = values - np.repeat(mean, rows.entries)
    correction = rows.independent / np.maximum(rows.independent - 1, 1)
    spread = np.sqrt(rows.products(away, away) * correction) / total
    least = 0.5 * np.sqrt(rows.summed(rows.squares)) / total / np.sqrt(np.maximum(rows.rows, 1))
    reasons = {int(i): NO_ROWS for i in np.flatnonzero(np.isnan(mean))}
    return even(mean, np.maximum(spread, least), low=low, high=high, reasons=reasons, bound=bound)


def _bins(grouped: GroupedScores) -> CalibrationBins:
    assert grouped.label is not None
    rows, k = grouped.rows, len(grouped.groups)
    group = np.repeat(np.arange(k), rows.entries)
    new = np.ones(len(group), dtype=np.bool_)
    new[1:] = (rows.step[1:] != rows.step[:-1]) | (group[1:] != group[:-1])
    first = np.flatnonzero(new)
    mass = np.add.reduceat(rows.weight, first) if len(first) else np.zeros(0)
    before = np.concatenate([[0.0], np.cumsum(rows.total)])[group[first]]
    middle = np.cumsum(mass) - mass / 2 - before
    total = rows.total[group[first]]
    share = np.divide(middle, total, out=np.zeros_like(middle), where=total > 0)
    bin_of_run = np.clip((share * BINS).astype(np.int64), 0, BINS - 1)
    cell = group * BINS + bin_of_run[np.cumsum(new) - 1]

    def summed(values: Floats | None) -> Floats:
        return np.bincount(cell, values, k * BINS).astype(np.float64).reshape(k, BINS)

    weight, squares = summed(rows.weight), summed(rows.squares)
    return CalibrationBins(
        rows=summed(None if rows.times is None else rows.times.astype(np.float64)).astype(np.int64),
        weight=weight,
        score=summed(rows.weight * grouped.scores),
        label=summed(rows.weight * grouped.label),
        effective=np.divide(weight**2, squares, out=np.zeros_like(squares), where=squares > 0),
    )


def _expected_error(bins: CalibrationBins) -> tuple[Measured, Floats, Floats]:
    """Plain estimate, what chance adds to it for a calibrated score, and the estimate less its bias.

    The error is a norm of the bins' distances d. So it strays by no more than the norm of their noise (the bound below);
    and, being convex, it lies on average above the truth, so that the noise of the signed sum suffices above.
    """
    total = bins.weight.sum(axis=1, keepdims=True)
    share = np.divide(bins.weight, total, out=np.zeros_like(bins.weight), where=total > 0)
    filled = bins.weight > 0
    scale = np.where(filled, bins.weight, 1.0)
    distance = np.where(filled, (bins.score - bins.label) / scale, 0.0)
    # one success and one failure added, so that a bin of one outcome does not claim certainty
    rate = (bins.label / scale * bins.effective + 1) / (bins.effective + 2)
    noise = np.where(filled, np.sqrt(rate * (1 - rate) / np.where(filled, bins.effective, 1.0)), 0.0)
    value = (share * np.abs(distance)).sum(axis=1)
    mean_noise = np.sqrt(2 / np.pi) * (share * noise).sum(axis=1)
    up = np.sqrt((share**2 * noise**2).sum(axis=1))
    down = up * np.sqrt(1 - 2 / np.pi)
    folded = _folded_mean(np.abs(distance), noise)
    debiased = np.maximum((share * (2 * np.abs(distance) - folded)).sum(axis=1), 0.0)
    chance = np.sqrt(2 / np.pi) * (share * _calibrated_noise(bins, scale, filled)).sum(axis=1)
    none = total[:, 0] <= 0
    reasons = {int(i): NO_ROWS for i in np.flatnonzero(none)}
    value[none] = np.nan
    return Measured(value, down, up, mean_noise, 0.0, 1.0, reasons), chance, debiased


def _calibrated_noise(bins: CalibrationBins, scale: Floats, filled: NDArray[np.bool_]) -> Floats:
    mean = np.clip(bins.score / scale, 0.0, 1.0)
    return np.where(filled, np.sqrt(mean * (1 - mean) / np.where(filled, bins.effective, 1.0)), 0.0)


def _folded_mean(centre: Floats, spread: Floats) -> Floats:
    """Mean of |N(centre, spread^2)|."""
    z = np.divide(centre, spread, out=np.full_like(centre, np.inf), where=spread > 0)
    tail = np.where(np.isfinite(z), np.exp(-(np.where(np.isfinite(z), z, 0.0) ** 2) / 2), 0.0)
    mean: Floats = spread * np.sqrt(2 / np.pi) * tail + centre * (1 - 2 * ndtr(-z))
    return mean
