"""Slices of the rows by ordinary features: the nodes of a small greedy tree. Whether a slice holds is tested elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counts import Attribute
from evenhand.auditors.report import Group

BINS = 8
MOST_LEVELS = 24
"""A text column with more values has its rarest put together as 'other'."""

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Binned:
    """A column in few codes.

    Attributes:
        name: of the column.
        codes: shape (n,); -1 where the value is missing: such a row lies in no slice by this column.
        texts: of each code, for an unordered column; empty for an ordered one.
        edges: upper ends of all bins but the last, for an ordered column.
    """

    name: str
    codes: NDArray[np.int32]
    texts: tuple[str, ...]
    edges: tuple[float, ...] = ()

    @property
    def ordered(self) -> bool:
        return not self.texts

    @property
    def levels(self) -> int:
        return len(self.texts) or len(self.edges) + 1

    def said(self, allowed: Mask) -> str:
        """The allowed codes in words: 'up to 30', '30 to 45', 'above 45'; 'Female', 'not Female', 'a or b'."""
        if self.ordered:
            low, high = int(np.flatnonzero(allowed)[0]), int(np.flatnonzero(allowed)[-1])
            if low == 0:
                return f"up to {self.edges[high]:g}" if high < len(self.edges) else "any"
            return f"above {self.edges[low - 1]:g}" + (
                f", up to {self.edges[high]:g}" if high < len(self.edges) else ""
            )
        inside = [text for text, is_in in zip(self.texts, allowed, strict=True) if is_in]
        outside = [text for text, is_in in zip(self.texts, allowed, strict=True) if not is_in]
        return " or ".join(inside) if len(inside) <= len(outside) else "not " + " or ".join(outside)


def binned(name: str, values: NDArray[np.generic]) -> Binned:
    """A feature in bins of about equal size, or by its values where it holds text.

    Args:
        values: shape (n,), float64 with NaN for missing, or objects of str with None.
    """
    if values.dtype.kind != "O":
        numbers = values.astype(np.float64)
        known = np.isfinite(numbers)
        inner = np.quantile(numbers[known], np.arange(1, BINS) / BINS, method="lower") if known.any() else np.zeros(0)
        top = numbers[known].max() if known.any() else 0.0
        edges = np.unique(inner)
        edges = edges[edges < top]
        codes = np.searchsorted(edges, numbers, side="left").astype(np.int32)
        codes[~known] = -1
        return Binned(name, codes, (), tuple(edges.tolist()))
    texts = np.array(["" if value is None else str(value) for value in values], dtype=str)
    missing = np.array([value is None for value in values], dtype=bool)
    levels, places, counts = np.unique(texts[~missing], return_inverse=True, return_counts=True)
    return _of_levels(name, [str(level) for level in levels], places, counts, missing)


def of_attribute(attribute: Attribute) -> Binned:
    """A sensitive column as the tree takes it."""
    missing = np.array([value is None for value in attribute.values])[attribute.codes]
    counts = np.bincount(attribute.codes[~missing], minlength=len(attribute.values))
    levels = ["" if value is None else value for value in attribute.values]
    return _of_levels(attribute.name, levels, attribute.codes[~missing], counts, missing)


def _of_levels(
    name: str, levels: list[str], codes: NDArray[np.integer], counts: NDArray[np.integer], missing: Mask
) -> Binned:
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_LEVELS])
    kept = kept[counts[kept] > 0]
    texts = [levels[i] for i in kept]
    if (counts > 0).sum() > len(kept):
        texts.append("other")
    translate = np.full(len(levels), len(kept), np.int32)
    translate[kept] = np.arange(len(kept), dtype=np.int32)
    all_codes = np.full(len(missing), -1, np.int32)
    all_codes[~missing] = translate[codes]
    return Binned(name, all_codes, tuple(texts) or ("",))


@dataclass(frozen=True)
class Slice:
    """Rows that satisfy up to `depth` conditions, at most one a column.

    Attributes:
        allowed: column's index to its allowed codes.
    """

    allowed: Mapping[int, Mask]

    def rows(self, columns: Sequence[Binned]) -> Mask:
        """Whether each row lies in it."""
        inside = np.ones(len(columns[0].codes), dtype=bool)
        for index, allowed in self.allowed.items():
            # the last entry answers for -1, a missing value
            inside &= np.append(allowed, False)[columns[index].codes]
        return inside

    def group(self, columns: Sequence[Binned]) -> Group:
        return {columns[index].name: columns[index].said(allowed) for index, allowed in self.allowed.items()}

    def with_condition(self, index: int, allowed: Mask) -> "Slice":
        before = self.allowed.get(index)
        return replace(self, allowed={**self.allowed, index: allowed if before is None else before & allowed})


@dataclass
class Tally:
    """How many slices were looked at."""

    slices: int = 0


def grown(
    columns: Sequence[Binned], success: NDArray[np.integer], *, rows: Mask, depth: int, smallest: int, tally: Tally
) -> list[Slice]:
    """All nodes but the root of a greedy tree that parts high from low rates.

    Args:
        columns: what to split by.
        success: shape (n,), 1 or 0.
        rows: the rows that count in the rate and may be looked at.
        depth: most splits on the way to a node.
        smallest: rows of a node.
        tally: counts the sides of every split that was tried.
    """

    def below(node: Slice, inside: NDArray[np.intp], left: int) -> Iterator[Slice]:
        best: tuple[float, int, Mask] | None = None
        for index, column in enumerate(columns):
            for gain, allowed in _splits(column, node.allowed.get(index), success, inside, smallest, tally):
                if best is None or gain > best[0] + 1e-12:
                    best = (gain, index, allowed)
        if best is None:
            return
        _, index, allowed = best
        for side in (allowed, ~allowed):
            child = node.with_condition(index, side)
            # the children's conditions on this column, without the last entry they would need for missing values
            kept = inside[np.append(child.allowed[index], False)[columns[index].codes[inside]]]
            yield child
            if left > 1:
                yield from below(child, kept, left - 1)

    return list(below(Slice({}), np.flatnonzero(rows), depth))


def _splits(
    column: Binned,
    allowed: Mask | None,
    success: NDArray[np.integer],
    inside: NDArray[np.intp],
    smallest: int,
    tally: Tally,
) -> Iterator[tuple[float, Mask]]:
    """Each split of a node by one column: how much of the variance it explains, and the codes of the one side."""
    codes = column.codes[inside]
    known = codes >= 0
    n = np.bincount(codes[known], minlength=column.levels).astype(np.float64)
    x = np.bincount(codes[known], success[inside][known], minlength=column.levels)
    open_codes = np.flatnonzero(n > 0) if allowed is None else np.flatnonzero(allowed & (n > 0))
    if len(open_codes) < 2:
        return
    total_n, total_x = n.sum(), x.sum()
    if column.ordered:
        sides = [np.arange(column.levels) <= code for code in open_codes[:-1]]
    else:
        sides = [np.arange(column.levels) == code for code in open_codes]
    for side in sides:
        one, hits = n[side].sum(), x[side].sum()
        other = total_n - one
        if min(one, other) < smallest:
            continue
        tally.slices += 2
        yield float(one * other / total_n * (hits / one - (total_x - hits) / other) ** 2), side
