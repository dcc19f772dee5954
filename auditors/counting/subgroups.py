"""Counts of every subgroup: each value of each attribute, of each pair, each triple, to a chosen depth.

What is searched for among them belongs in `disparity`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counting.histogram import Codes, Column, Flags, joint_histogram, joint_sums
from evenhand.auditors.counts import MOST_CELLS, Attribute
from evenhand.auditors.errors import LengthMismatch, TooManyCells
from evenhand.auditors.report import Group

# One table of this many cells is cheaper to sum over than one more pass over the rows.
CELLS_A_PASS = 2**19

Chosen = tuple[int, ...]
Numbers = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True)
class SubgroupCounts:
    """Counts of s subgroups: singles first, then pairs, triples, ...; only subgroups that occur.

    Attributes:
        attributes: names of the sensitive columns.
        levels: per attribute its values as text; a missing value is None.
        which: shape (s, depth), the subgroup's attributes as indices into `attributes`, ascending; -1 after the last.
        values: shape (s, depth), for each of those the index of its value in `levels`; -1 after the last.
        n, tp, fp, fn, tn: shape (s,), rows. Without labels every label stands as 0: fp counts the selected.
        has_labels: whether labels were counted.
        weights: shape (4, s), summed weights of tn, fp, fn, tp; None without weights.
    """

    attributes: tuple[str, ...]
    levels: tuple[tuple[str | None, ...], ...]
    which: NDArray[np.int8]
    values: NDArray[np.int32]
    n: NDArray[np.int64]
    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    tn: NDArray[np.int64]
    has_labels: bool
    weights: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.n)

    @property
    def depth(self) -> NDArray[np.int64]:
        """Attributes of each subgroup, shape (s,)."""
        deep: NDArray[np.int64] = (self.which >= 0).sum(axis=1)
        return deep

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """Subgroups with a missing value, shape (s,): listed, left out of comparisons."""
        unknown = np.zeros(len(self), dtype=bool)
        for index, values in enumerate(self.levels):
            if None in values:
                unknown |= ((self.which == index) & (self.values == values.index(None))).any(axis=1)
        return unknown

    def group(self, at: int) -> Group:
        """The subgroup in words: attribute to value."""
        pairs = zip(self.which[at].tolist(), self.values[at].tolist(), strict=True)
        return {self.attributes[i]: self.levels[i][value] for i, value in pairs if i >= 0}


def subgroup_counts(
    attributes: Sequence[Attribute],
    *,
    prediction: Codes | Flags,
    label: Codes | Flags | None = None,
    depth: int = 3,
    times: NDArray[np.int64] | None = None,
    weight: NDArray[np.float64] | None = None,
) -> SubgroupCounts:
    """Rows, and right and wrong predictions, of every subgroup of up to `depth` attributes.

    Few passes over the rows: each counts a table of as many attributes as is cheap, the subgroups are sums of it.

    Args:
        attributes: sensitive columns as codes, each of length n.
        prediction: shape (n,), 1 where the positive class is predicted, else 0.
        label: shape (n,), the same for the true class; None where there are no labels.
        depth: most attributes in one subgroup, at least 1.
        times: shape (n,), how many rows each entry stands for; None where it is one.
        weight: shape (n,), summed beside the rows, one for each row of an entry.

    Raises:
        LengthMismatch: the arrays differ in length.
        TooManyCells: some `depth` attributes together have more combinations than can be counted densely.
        ValueError: a code lies outside its attribute's values.
    """
    depth = max(1, min(depth, len(attributes)))
    _refuse_unequal(attributes, prediction, label, times, weight)
    sizes = [len(attribute.values) for attribute in attributes]
    outcome = [Column("prediction", prediction, 2)]
    if label is not None:
        outcome.insert(0, Column("label", label, 2))
    cells_of_outcome = 2 ** len(outcome)
    tables: dict[Chosen, Numbers] = {}
    for chosen in _cover(sizes, depth=depth, most=CELLS_A_PASS // cells_of_outcome):
        cells = cells_of_outcome * int(np.prod([sizes[i] for i in chosen], dtype=np.int64))
        if cells > MOST_CELLS:
            raise TooManyCells(cells, MOST_CELLS, (attributes[i].name for i in chosen))
        columns = [Column(attributes[i].name, attributes[i].codes, sizes[i]) for i in chosen]
        joint = [*outcome, *columns]
        counted: Numbers = joint_histogram(joint) if times is None else joint_sums(joint, times)[0].astype(np.int64)
        if weight is not None:
            sums = joint_sums(joint, weight if times is None else weight * times)[0]
            counted = np.stack([counted.astype(np.float64), sums])
        tables[chosen] = counted.reshape(-1, *(sizes[i] for i in chosen))
    return _listed(attributes, tables, depth=depth, has_labels=label is not None, outcomes=cells_of_outcome)


def _refuse_unequal(
    attributes: Sequence[Attribute],
    prediction: Codes | Flags,
    label: Codes | Flags | None,
    times: NDArray[np.int64] | None,
    weight: NDArray[np.float64] | None,
) -> None:
    lengths = {attribute.name: len(attribute.codes) for attribute in attributes}
    lengths |= {
        name: len(array)
        for name, array in (("label", label), ("times", times), ("weight", weight))
        if array is not None
    }
    for name, length in lengths.items():
        if length != len(prediction):
            raise LengthMismatch(name, length, len(prediction))


def _cover(sizes: Sequence[int], *, depth: int, most: int) -> list[Chosen]:
    """Sets of attributes, each of at most `most` cells where that can be, that hold every `depth` attributes together."""
    missing = set(combinations(range(len(sizes)), depth))
    sets: list[Chosen] = []
    while missing:
        chosen = set(min(missing))
        while True:
            cells = int(np.prod([sizes[i] for i in chosen], dtype=np.int64))
            fitting = [i for i in range(len(sizes)) if i not in chosen and cells * sizes[i] <= most]
            if not fitting:
                break
            chosen.add(max(fitting, key=lambda i: (_gained(missing, chosen | {i}), -sizes[i])))
        missing = {each for each in missing if not chosen.issuperset(each)}
        sets.append(tuple(sorted(chosen)))
    return sets


def _gained(missing: Iterable[Chosen], chosen: set[int]) -> int:
    return sum(chosen.issuperset(each) for each in missing)


def _listed(
    attributes: Sequence[Attribute], tables: dict[Chosen, Numbers], *, depth: int, has_labels: bool, outcomes: int
) -> SubgroupCounts:
    """Args: tables: of rows by outcome on the first axis, and below them of weights, where there are any."""
    which, values, counts = [], [], []
    for size in range(1, depth + 1):
        for chosen in combinations(range(len(attributes)), size):
            table = _marginal(tables, chosen)
            flat = table.reshape(len(table), -1)
            present = np.flatnonzero(flat[:outcomes].any(axis=0))
            index = np.full((len(present), depth), -1, dtype=np.int32)
            index[:, :size] = np.stack(np.unravel_index(present, table.shape[1:]), axis=1)
            which.append(np.tile(np.array((*chosen, *[-1] * (depth - size)), dtype=np.int8), (len(present), 1)))
            values.append(index)
            counts.append(flat[:, present])
    joined = np.concatenate(counts, axis=1)
    rows, weights = joined[:outcomes].astype(np.int64), joined[outcomes:]
    if not has_labels:
        rows, weights = (np.concatenate([part, np.zeros_like(part)]) for part in (rows, weights))
    tn, fp, fn, tp = rows
    return SubgroupCounts(
        attributes=tuple(attribute.name for attribute in attributes),
        levels=tuple(attribute.values for attribute in attributes),
        which=np.concatenate(which),
        values=np.concatenate(values),
        n=rows.sum(axis=0),
        tp=tp,
        fp=fp,
        fn=fn,
        tn=tn,
        has_labels=has_labels,
        weights=weights.astype(np.float64) if len(weights) else None,
    )


def _marginal(tables: dict[Chosen, Numbers], chosen: Chosen) -> Numbers:
    """The table of these attributes, (outcomes, *levels), summed from the nearest larger one; kept for the next."""
    if chosen not in tables:
        known = min((each for each in tables if set(each) > set(chosen)), key=lambda each: tables[each].size)
        while len(known) > len(chosen) + 1:  # one axis at a time: what lies between serves others too
            spare = max((i for i in known if i not in chosen), key=lambda i: tables[known].shape[1 + known.index(i)])
            known = _without(tables, known, spare)
        spare = next(i for i in known if i not in chosen)
        _without(tables, known, spare)
    return tables[chosen]


def _without(tables: dict[Chosen, Numbers], known: Chosen, spare: int) -> Chosen:
    rest = tuple(i for i in known if i != spare)
    if rest not in tables:
        tables[rest] = tables[known].sum(axis=1 + known.index(spare))
    return rest
