"""How much of a gap goes with factors that a decision may rest on, by declaration, and how much does not.

Whether a factor is legitimate is for people to say, and to justify.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.intervals import normal_quantile
from evenhand.auditors.proxies.columns import code_column, quantile_bins
from evenhand.auditors.proxies.groups import Contrast
from evenhand.auditors.report import Estimate, ExplainedGap

CELLS = 200
"""Combinations of the factors' bins at most, as far as two bins of each allow."""

REPLICATES = 500

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Split:
    """Three parts of a gap, arrays of shape (replicates,): they sum to it."""

    explained: Floats
    unexplained: Floats
    outside: Floats


def factor_cells(factors: Mapping[str, NDArray[Any]], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """One code for the combination of the factors' values, or of their bins of equal size; shape (len(rows),)."""
    bins = max(2, min(20, int(CELLS ** (1 / max(1, len(factors))))))
    codes = np.zeros(len(rows), np.int64)
    for name in sorted(factors):
        codes = codes * bins + quantile_bins(code_column(name, factors[name][rows]), bins)
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def split_gap(counts: Floats) -> Split:
    """The gap of rates between two groups, split by cells.

    explained = sum over cells of (mean of the two groups' rates there) x (difference of the groups' shares there), and
    unexplained = sum of (mean of the shares) x (difference of the rates). Cells with one group only have no rate to
    compare: what they add to the gap is `outside`.

    Args:
        counts: shape (replicates, cells, 2, 2): group (high, low) and decision (negative, positive).

    Source: Kamiran, Zliobaite and Calders (2013), Knowledge and Information Systems 35(3); as a decomposition,
        Oaxaca (1973) and Blinder (1973), with the mean of the two groups' rates as reference.
    """
    people = counts.sum(axis=3)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = people / people.sum(axis=1, keepdims=True)
        rates = np.nan_to_num(counts[..., 1] / people)
    both = (people > 0).all(axis=2)
    share_gap, rate_gap = shares[..., 0] - shares[..., 1], rates[..., 0] - rates[..., 1]
    explained = np.where(both, rates.mean(axis=2) * share_gap, 0.0)
    unexplained = np.where(both, shares.mean(axis=2) * rate_gap, 0.0)
    outside = np.where(both, 0.0, shares[..., 0] * rates[..., 0] - shares[..., 1] * rates[..., 1])
    return Split(explained.sum(axis=1), unexplained.sum(axis=1), outside.sum(axis=1))


def explained_gap(
    factors: Mapping[str, NDArray[Any]],
    contrast: Contrast,
    rows: NDArray[np.int64],
    positive: NDArray[np.bool_],
    *,
    level: float,
    rng: np.random.Generator,
) -> ExplainedGap:
    """The contrast's gap of positive decisions, explained by the factors and not.

    Args:
        factors: name to values over all rows of the data.
        contrast: its positions are places in `rows`.
        rows: of the data, shape (m,); `positive`: decisions there.
        level: of each interval, from multinomial draws of the counts.
    """
    cells = factor_cells(factors, rows)
    size = int(cells.max(initial=0)) + 1
    counts = np.stack([_counts(cells, positive, some, size) for some in (contrast.high_rows, contrast.low_rows)])
    draws = np.stack(
        [rng.multinomial(int(one.sum()), (one / one.sum()).ravel(), REPLICATES) for one in counts], axis=1
    ).reshape(REPLICATES, 2, size, 2)
    here, spread = split_gap(_by_cell(counts[None])), split_gap(_by_cell(draws))
    in_both = (counts.sum(axis=2) > 0).all(axis=0)
    common = float(counts[:, in_both].sum() / max(1, counts.sum()))
    return ExplainedGap(
        attribute=contrast.attribute,
        factors=sorted(factors),
        high=contrast.high,
        low=contrast.low,
        rows=int(counts.sum()),
        cells=size,
        gap=float((here.explained + here.unexplained + here.outside)[0]),
        explained=_estimate(here.explained, spread.explained, level),
        unexplained=_estimate(here.unexplained, spread.unexplained, level),
        outside_common_support=_estimate(here.outside, spread.outside, level),
        common_support=common,
        level=level,
    )


def _counts(
    cells: NDArray[np.int64], positive: NDArray[np.bool_], rows: NDArray[np.int64], size: int
) -> NDArray[np.int64]:
    return np.bincount(cells[rows] * 2 + positive[rows], minlength=size * 2).reshape(size, 2)


def _by_cell(counts: NDArray[np.int64]) -> Floats:
    """From (replicates, group, cell, decision) to (replicates, cell, group, decision)."""
    return np.swapaxes(counts, 1, 2).astype(np.float64)


def _estimate(value: Floats, spread: Floats, level: float) -> Estimate:
    margin = normal_quantile((1 + level) / 2) * float(spread.std(ddof=1))
    return Estimate(estimate=float(value[0]), low=float(value[0]) - margin, high=float(value[0]) + margin)


def explained_notes(found: Sequence[ExplainedGap], asked: Sequence[str], *, decided: bool) -> list[str]:
    """Said of every report with declared factors.

    Args:
        asked: attributes of which the gap was to be split; one that is not in `found` is named, with the reason.
        decided: whether decisions are known.
    """
    reason = "fewer than 30 rows a group on one half of the data" if decided else "no decisions are known"
    missing = [attribute for attribute in asked if attribute not in {some.attribute for some in found}]
    return [
        f"{some.attribute}: {', '.join(some.factors)} declared legitimate, which is for people to justify: a factor that "
        "encodes the attribute can carry a disparity of its own."
        for some in found
    ] + [f"{attribute}: the gap is not split by declared factors: {reason}." for attribute in missing]
