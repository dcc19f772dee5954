"""Sorted rows laid out by the groups of one attribute or intersection. Only groups that occur."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.policy import intersection
from evenhand.auditors.report import Group
from evenhand.auditors.scores.data import ScoreData
from evenhand.auditors.scores.sorting import SortedScores, sort_scores

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Members:
    """Rows of some kind, group after group, rising by score within each; an entry is a row, or rows of one bin together.

    Attributes:
        step: shape (m,), index into the sorted distinct scores.
        weight: shape (m,), summed over the entry's rows.
        start: shape (k + 1,), where each group begins.
        times: shape (m,), rows of each entry; None where it is one.
        summed_squares: shape (m,), squared weights summed over the entry's rows; None where it is one row.
        unit: shape (m,), codes of who each row is about; None where every row is somebody's own.
    """

    step: NDArray[np.int32]
    weight: Floats
    start: NDArray[np.intp]
    times: NDArray[np.int64] | None = None
    summed_squares: Floats | None = None
    unit: NDArray[np.intp] | None = None

    @property
    def entries(self) -> NDArray[np.int64]:
        """Entries of each group, shape (k,): for repeating what is known of a group."""
        return np.diff(self.start).astype(np.int64)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Rows of each group, shape (k,)."""
        return self.entries if self.times is None else self.summed(self.times.astype(np.float64)).astype(np.int64)

    @cached_property
    def squares(self) -> Floats:
        """Squared weights, shape (m,)."""
        return self.weight**2 if self.summed_squares is None else self.summed_squares

    @cached_property
    def total(self) -> Floats:
        """Summed weight of each group, shape (k,)."""
        return self.summed(self.weight)

    @cached_property
    def effective(self) -> Floats:
        """Kish's effective rows of each group, shape (k,); the rows themselves where weights are equal."""
        squares = self.summed(self.squares)
        return np.divide(self.total**2, squares, out=np.zeros_like(squares), where=squares > 0)

    def of(self, group: int) -> slice:
        return slice(int(self.start[group]), int(self.start[group + 1]))

    @cached_property
    def independent(self) -> NDArray[np.int64]:
        """Independent units of each group, shape (k,): rows where no unit is named."""
        if self.unit is None:
            return self.rows
        return np.bincount(self._clusters[1], minlength=len(self.start) - 1).astype(np.int64)

    @cached_property
    def _clusters(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Code of each row's unit within its group, shape (m,), and the group of each code."""
        assert self.unit is not None
        group = np.repeat(np.arange(len(self.start) - 1), self.entries)
        units = int(self.unit.max(initial=0)) + 1
        found, code = np.unique(group * units + self.unit, return_inverse=True)
        return code, found // units

    def products(self, one: Floats, other: Floats) -> Floats:
        """Sum over the independent units of a group of (sum of weight × one) × (sum of weight × other), shape (k,).

        Args:
            one, other: a value for each entry, the same for all its rows, shape (m,).
        """
        if self.unit is None:
            return self.summed(self.squares * one * other)
        code, group = self._clusters
        sums, others = (np.bincount(code, self.weight * values, len(group)) for values in (one, other))
        return np.bincount(group, sums * others, len(self.start) - 1).astype(np.float64)

    def summed(self, values: Floats) -> Floats:
        """Sum over the rows of each group of values of shape (m,); shape (k,)."""
        sums = np.zeros(len(self.start) - 1)
        filled = np.flatnonzero(np.diff(self.start))
        if len(filled):
            sums[filled] = np.add.reduceat(values, self.start[filled])
        return sums


@dataclass(frozen=True)
class GroupedScores:
    """The scores of all groups of one attribute.

    Attributes:
        attributes: the columns, one or several; none stands for all rows as one group.
        groups: attribute to value, one entry a group.
        values: the distinct scores of all rows, rising.
        rows: all rows; positives, negatives: those with a label of 1 and of 0, None without labels.
        label: shape of `rows.step`, or None.
        reach: by value, how far the scores that it stands for can lie from it; None where scores are exact.
    """

    attributes: tuple[str, ...]
    groups: tuple[Group, ...]
    values: Floats
    rows: Members
    positives: Members | None
    negatives: Members | None
    label: Floats | None
    reach: Floats | None = None

    @property
    def name(self) -> str:
        return intersection(*self.attributes)

    @property
    def unknown(self) -> Mask:
        """Groups with a missing value: listed, left out of comparisons."""
        return np.array([None in group.values() for group in self.groups], dtype=bool)

    @cached_property
    def scores(self) -> Floats:
        """Score of each row in the layout of `rows`."""
        scores: Floats = self.values[self.rows.step]
        return scores

    @property
    def straddling(self) -> int:
        """Units that have rows in more than one group."""
        if self.rows.unit is None:
            return 0
        group = np.repeat(np.arange(len(self.groups)), self.rows.entries)
        pairs = np.unique(np.stack([self.rows.unit, group]), axis=1)
        return int((np.bincount(pairs[0]) > 1).sum())

    @cached_property
    def mean_reach(self) -> Floats:
        """How far a group's mean score can lie from that of its rows' own scores, shape (k,); 0 where they are exact."""
        if self.reach is None:
            return np.zeros(len(self.groups))
        total = np.where(self.rows.total > 0, self.rows.total, 1.0)
        return self.rows.summed(self.rows.weight * self.reach[self.rows.step]) / total


@dataclass(frozen=True)
class SortedRows:
    """All rows sorted once, from which every attribute's layout is made without sorting again."""

    data: ScoreData
    sorted: SortedScores
    cell: NDArray[np.int32]
    label: NDArray[np.int8] | None
    present: NDArray[np.int64]

    @cached_property
    def reach(self) -> Floats | None:
        """By distinct score, how far those that it stands for can lie from it."""
        if self.data.reach is None or self.sorted.order is None:
            return None
        reach = np.zeros(len(self.sorted.values))
        np.maximum.at(reach, self.sorted.step, self.data.reach[self.sorted.order])
        return reach

    def of(self, *attributes: str) -> GroupedScores:
        """Rows by the groups of one attribute, or of an intersection; of everyone without any."""
        names = list(self.data.attributes)
        shape = [len(values) for _, values in self.data.attributes.values()]
        levels = np.unravel_index(self.present, shape) if shape else ()
        index = np.zeros(len(self.present), dtype=np.int64)
        for name in attributes:
            index = index * shape[names.index(name)] + levels[names.index(name)]
        occurring, group_of_cell = np.unique(index, return_inverse=True)
        chosen = [self.data.attributes[name][1] for name in attributes]
        places = np.unravel_index(occurring, [len(values) for values in chosen]) if attributes else ()
        groups: Sequence[Group] = [
            {name: values[int(place[i])] for name, values, place in zip(attributes, chosen, places, strict=True)}
            for i in range(len(occurring))
        ]
        return self._laid_out(attributes, tuple(groups), group_of_cell[self.cell])

    def _members(self, order: NDArray[np.intp], start: NDArray[np.intp]) -> Members:
        """The sorted rows in these places."""
        data = self.data
        at = None if self.sorted.order is None else self.sorted.order[order]
        unit = None if data.unit is None or at is None else data.unit[at].astype(np.intp)
        step = self.sorted.step[order]
        if data.times is not None and at is not None:
            times = data.times[at]
            weight = times.astype(np.float64) if data.weight is None else data.weight[at]
            squares = weight if data.weight is None else None if data.squares is None else data.squares[at]
            return Members(step, weight, start, times, squares, unit)
        weight = np.ones(len(order)) if data.weight is None or at is None else data.weight[at]
        return Members(step, weight, start, unit=unit)

    def _laid_out(
        self, attributes: tuple[str, ...], groups: tuple[Group, ...], group: NDArray[np.intp]
    ) -> GroupedScores:
        # small unsigned integers sort by radix, which keeps the order within groups
        kind = np.uint8 if len(groups) <= 256 else np.uint16 if len(groups) <= 65_536 else np.int64
        order = np.argsort(group.astype(kind), kind="stable")
        rows = self._members(order, _starts(group, len(groups)))
        laid_out = GroupedScores(attributes, groups, self.sorted.values, rows, None, None, None, self.reach)
        if self.label is None:
            return laid_out
        label, grouped = self.label[order], group[order]

        def where(chosen: Mask) -> Members:
            return self._members(order[chosen], _starts(grouped[chosen], len(groups)))

        return replace(
            laid_out, positives=where(label == 1), negatives=where(label == 0), label=label.astype(np.float64)
        )


def _starts(group: NDArray[np.intp], groups: int) -> NDArray[np.intp]:
    return np.concatenate([[0], np.cumsum(np.bincount(group, minlength=groups))]).astype(np.intp)


def sort_rows(data: ScoreData) -> SortedRows:
    """Sort all rows by score, once for every attribute and intersection."""
    cell = np.zeros(len(data.scores), dtype=np.int64)
    total = 1
    for codes, values in data.attributes.values():
        cell = cell * len(values) + codes
        total *= len(values)
    present = np.flatnonzero(np.bincount(cell, minlength=total)).astype(np.int64)
    rank = np.zeros(total, dtype=np.int32)
    rank[present] = np.arange(len(present), dtype=np.int32)
    code = rank[cell]
    if data.label is not None:
        code = code * np.int32(2) + data.label.astype(np.int32)
    labels = 1 if data.label is None else 2
    carried = (data.weight, data.unit, data.times, data.squares, data.reach)
    found = sort_scores(
        data.scores, code, codes=len(present) * labels, with_order=any(column is not None for column in carried)
    )
    label = None if data.label is None else (found.code & 1).astype(np.int8)
    return SortedRows(data, found, found.code if label is None else found.code >> 1, label, present)
