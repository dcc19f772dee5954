"""Rows of one person counted several times: what share of a group's rows counts as independent, by metric.

The spread of a metric is taken over units (persons), not rows, by linearising it. `disparity` scales its counts with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from evenhand.auditors.counts import Attribute, Codes, GroupCounts
from evenhand.auditors.errors import LengthMismatch
from evenhand.auditors.metrics import Metric

Floats = NDArray[np.float64]

MOST_CROSSED = 20_000_000
"""Units in several groups × groups that are held at once to see how their groups move together."""


@dataclass(frozen=True)
class UnitRows:
    """The rows of an audit with the unit that each belongs to.

    Attributes:
        unit: shape (n,), a code for each unit; below 0 where unknown, which makes the row a unit of its own.
        attributes: the sensitive columns as they were counted.
        outcome: shape (n,), 0 to 3 by label and prediction (tn, fp, fn, tp); without labels 0 or 1.
        weight: shape (n,), or None.
    """

    unit: Codes
    attributes: tuple[Attribute, ...]
    outcome: Codes
    weight: Floats | None = None

    @classmethod
    def of(
        cls,
        attributes: Sequence[Attribute],
        *,
        unit: Codes,
        prediction: Codes,
        label: Codes | None = None,
        weight: Floats | None = None,
    ) -> "UnitRows":
        """As `count` takes them.

        Raises:
            LengthMismatch: the unit column has another length.
        """
        if len(unit) != len(prediction):
            raise LengthMismatch("unit", len(unit), len(prediction))
        outcome = prediction.astype(np.int64) if label is None else 2 * label.astype(np.int64) + prediction
        known = unit.astype(np.int64)
        own = np.flatnonzero(known < 0)
        known[own] = (int(known.max(initial=0)) + 1) + np.arange(len(own))
        return cls(known, tuple(attributes), outcome, weight)

    @property
    def units(self) -> int:
        return len(np.unique(self.unit))

    @property
    def repeated(self) -> bool:
        """Whether some unit has more than one row."""
        return self.units < len(self.unit)

    def design(self, counts: GroupCounts) -> "Design":
        """The units within each group of `counts`."""
        by_name = {attribute.name: attribute for attribute in self.attributes}
        level = np.zeros(len(self.unit), dtype=np.int64)
        for name in counts.attributes:
            level = level * len(by_name[name].values) + by_name[name].codes
        position = {self._level(by_name, counts.attributes, group): i for i, group in enumerate(counts.groups)}
        size = int(np.prod([len(by_name[name].values) for name in counts.attributes], dtype=np.int64))
        translate = np.full(size, -1, dtype=np.int64)
        translate[list(position)] = list(position.values())
        group = translate[level]
        k = len(counts.groups)
        keys, entry = np.unique(self.unit * k + group, return_inverse=True)
        cell = entry * 4 + self.outcome
        rows = np.bincount(cell, minlength=4 * len(keys)).reshape(-1, 4).astype(np.float64)
        weights = rows
        if self.weight is not None:
            weights = np.bincount(cell, self.weight, minlength=4 * len(keys)).astype(np.float64).reshape(-1, 4)
        return Design(counts, keys // k, keys % k, rows, weights)

    @staticmethod
    def _level(by_name: dict[str, Attribute], names: tuple[str, ...], group: dict[str, str | None]) -> int:
        level = 0
        for name in names:
            values = by_name[name].values
            level = level * len(values) + values.index(group[name])
        return level


@dataclass(frozen=True)
class Design:
    """Units within the groups of one attribute or intersection; m entries, one a unit and group.

    Attributes:
        counts: of the k groups.
        unit, group: shape (m,).
        rows, weights: shape (m, 4), rows and summed weight by label and prediction.
    """

    counts: GroupCounts
    unit: NDArray[np.int64]
    group: NDArray[np.int64]
    rows: Floats
    weights: Floats

    @cached_property
    def units(self) -> NDArray[np.int64]:
        """Units in each group, shape (k,)."""
        return np.bincount(self.group, minlength=len(self.counts.groups)).astype(np.int64)

    def fraction(self, metric: Metric, *, z: float) -> Floats:
        """Per group, effective over effective rows without units: at most 1, and 1 where every unit is one row.

        The variance of the linearised metric over units (U / (U - 1) times the sum of squares) over its variance over
        rows gives the design effect. Where all rows of a group agree nothing shows how units vary; then the rows of a unit
        are taken as one. Few units make that variance itself uncertain: Student's quantile in place of `z` accounts for it
        (Korn and Graubard 1998).

        Source: Kish (1965), Survey Sampling; Rao and Scott (1992), Biometrics 48.
        """
        k = len(self.counts.groups)
        rows, units = self._denominators(metric)
        by_unit = np.bincount(self.group, (self._influence(metric)) ** 2, minlength=k)
        counted = np.bincount(self.group, units > 0, minlength=k).astype(np.float64)
        total = np.bincount(self.group, units, minlength=k)
        squares = np.bincount(self.group, units**2, minlength=k)
        with np.errstate(divide="ignore", invalid="ignore"):
            over_units = by_unit * counted / (counted - 1)
            plain = self._variance_over_rows(metric) / over_units
            together = total / squares
        seen = np.isfinite(plain) & (over_units > 0) & (plain > 0)
        fraction = np.where(seen, plain, together)
        fraction *= _student(rows, counted, z=z)
        fraction = np.where(counted <= 1, 1 / np.maximum(rows, 1), fraction)
        single = squares <= total
        clipped: Floats = np.where(single, 1.0, np.clip(fraction, 1e-12, 1.0))
        return clipped

    def pair_fraction(self, metric: Metric, first: NDArray[np.intp], second: NDArray[np.intp]) -> Floats:
        """Further factor of pairs whose units lie in both groups and move against each other; else 1.

        Units that move both groups the same way would narrow the interval of a difference; that is not used, so intervals
        stay on the safe side.
        """
        if not self.crossed.any():
            return np.ones(len(first))
        k = len(self.counts.groups)
        units, at = np.unique(self.unit[self.crossed], return_inverse=True)
        if len(units) * k > MOST_CROSSED:
            return np.full(len(first), 0.5)
        influence = np.nan_to_num(self._influence(metric))
        variance = np.bincount(self.group, influence**2, minlength=k)
        spread = np.zeros((len(units), k))
        spread[at, self.group[self.crossed]] = influence[self.crossed]
        shared = np.minimum(spread.T @ spread, 0.0)[first, second]
        alone = variance[first] + variance[second]
        factor: Floats = np.divide(alone, alone - 2 * shared, out=np.ones(len(first)), where=alone > 0)
        return factor

    @cached_property
    def crossed(self) -> NDArray[np.bool_]:
        """Entries whose unit has rows in more than one group."""
        _, entry, often = np.unique(self.unit, return_inverse=True, return_counts=True)
        found: NDArray[np.bool_] = (often > 1)[entry]
        return found

    def _denominators(self, metric: Metric) -> tuple[Floats, Floats]:
        """Rows that the metric is about: of each group, and of each entry."""
        cells = list(metric.denominator) if metric.is_rate else [0, 1, 2, 3]
        of_entry = self.rows[:, cells].sum(axis=1)
        return np.bincount(self.group, of_entry, minlength=len(self.counts.groups)).astype(np.float64), of_entry

    def _influence(self, metric: Metric) -> Floats:
        """What each entry adds to the error of its group's metric, shape (m,); 0 on the whole."""
        cells = _four(self.counts.cells)
        if metric.is_rate:
            numerator, denominator = metric.fraction(self.counts.cells)
            with np.errstate(divide="ignore", invalid="ignore"):
                rate = numerator / denominator
            x = self.weights[:, list(metric.numerator)].sum(axis=1)
            n = self.weights[:, list(metric.denominator)].sum(axis=1)
            with np.errstate(divide="ignore", invalid="ignore"):
                influence: Floats = (x - rate[self.group] * n) / denominator[self.group]
            return influence
        by_entry: Floats = (gradient(metric, cells)[self.group] * self.weights).sum(axis=1)
        return by_entry

    def _variance_over_rows(self, metric: Metric) -> Floats:
        """Of the metric if the effective rows of each group were independent, shape (k,)."""
        if metric.is_rate:
            x, n = metric.fraction(self.counts.effective)
            with np.errstate(divide="ignore", invalid="ignore"):
                return x / n * (1 - x / n) / n
        cells = _four(self.counts.effective)
        slope = gradient(metric, cells)
        mean = (cells * slope).sum(axis=1)
        variance: Floats = (cells * slope**2).sum(axis=1) - mean**2 / np.maximum(cells.sum(axis=1), 1.0)
        return variance


def _four(cells: Floats) -> Floats:
    flat = cells.reshape(len(cells), -1)
    return flat if flat.shape[1] == 4 else np.hstack([flat, np.zeros_like(flat)])


def gradient(metric: Metric, cells: Floats) -> Floats:
    """Slope of the metric in each of the four counts of every group, shape (k, 4); NaN where it is undefined."""
    slope = np.empty_like(cells)
    step = 1e-6 * np.maximum(cells.sum(axis=1), 1.0)
    here = metric.value(cells.reshape(-1, 2, 2))
    for cell in range(4):
        up = cells.copy()
        up[:, cell] += step
        slope[:, cell] = (metric.value(up.reshape(-1, 2, 2)) - here) / step
    return slope


def _student(rows: Floats, units: Floats, *, z: float) -> Floats:
    """Square of Student's quantile at rows - 1 over that at units - 1 degrees, at the probability of the normal `z`."""
    probability = float(ndtr(z))
    many, few = stdtrit(np.maximum(rows - 1, 1), probability), stdtrit(np.maximum(units - 1, 1), probability)
    return np.asarray((many / few) ** 2, dtype=np.float64)
