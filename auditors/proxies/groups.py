"""The groups of an attribute that are compared, and the contrasts between two of them.

Which groups exist comes with the data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.policy import INTERSECTION_SIGN, SMALL_GROUP_ROWS
from evenhand.auditors.proxies.data import Levels
from evenhand.auditors.report import Group

MOST_GROUPS = 30
"""An attribute with more groups than this is compared on its largest ones; the report says so."""


@dataclass(frozen=True)
class Groups:
    """`codes` has shape (n,): index into `names`, or -1 for a row that is left out (missing, or in a small group)."""

    attribute: str
    codes: NDArray[np.int32]
    names: tuple[str, ...]
    note: str | None = None

    @property
    def tested(self) -> range:
        """Groups told apart from the rest: each one, or the last of two."""
        return range(1, 2) if len(self.names) == 2 else range(len(self.names))

    @property
    def comparable(self) -> bool:
        return len(self.names) >= 2

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.int32]:
        return self.codes[rows]


@dataclass(frozen=True)
class Contrast:
    """Two groups, by the positions of their rows: what is compared is the mean in `high` minus the mean in `low`."""

    attribute: str
    high: str
    low: str
    high_rows: NDArray[np.int64]
    low_rows: NDArray[np.int64]
    stratum: str | None = None

    def difference(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Difference of means along the first axis of `values`, shape (n, ...)."""
        means: NDArray[np.float64] = values[self.high_rows].mean(axis=0) - values[self.low_rows].mean(axis=0)
        return means

    def variance(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Variance of that difference over rows drawn independently."""
        parts = [values[rows].var(axis=0, ddof=1) / len(rows) for rows in (self.high_rows, self.low_rows)]
        total: NDArray[np.float64] = parts[0] + parts[1]
        return total


def compared_groups(
    attribute: str, codes: NDArray[np.int32], levels: tuple[str | None, ...], *, smallest: int = SMALL_GROUP_ROWS
) -> Groups:
    """The groups of at least `smallest` rows, in the order of the levels; missing values are left out."""
    counts = np.bincount(codes, minlength=len(levels))[: len(levels)]
    known = [level for level, text in enumerate(levels) if text is not None]
    kept = [level for level in known if counts[level] >= smallest]
    largest = sorted(sorted(kept, key=lambda level: -counts[level])[:MOST_GROUPS])
    recode = np.full(len(levels), -1, np.int32)
    recode[largest] = np.arange(len(largest), dtype=np.int32)
    return Groups(
        attribute,
        recode[codes],
        tuple(str(levels[level]) for level in largest),
        _left_out(attribute, levels, counts, known=known, largest=largest, smallest=smallest),
    )


def with_intersections(
    attributes: Mapping[str, tuple[NDArray[np.int32], Levels]], *, depth: int
) -> dict[str, tuple[NDArray[np.int32], Levels]]:
    """The attributes, and every combination of up to `depth` of them as an attribute of its own.

    Args:
        attributes: name to codes of shape (n,) and the levels' texts.
        depth: 1 adds nothing, 2 adds "sex × race".

    Returns:
        Levels are the combinations that occur, "Female × Black"; one with a missing value is missing.
    """
    found = dict(attributes)
    for size in range(2, depth + 1):
        for names in combinations(attributes, size):
            parts = [attributes[name] for name in names]
            found[INTERSECTION_SIGN.join(names)] = _crossed(parts)
    return found


def _crossed(parts: Sequence[tuple[NDArray[np.int32], Levels]]) -> tuple[NDArray[np.int32], Levels]:
    distinct, codes = np.unique(np.stack([codes for codes, _ in parts], axis=1), axis=0, return_inverse=True)
    texts = [[levels[code] for code, (_, levels) in zip(row, parts, strict=True)] for row in distinct]
    named: list[str | None] = [
        None if None in values else INTERSECTION_SIGN.join(str(value) for value in values) for values in texts
    ]
    # levels are told apart by position, so that the missing ones may share None
    return codes.reshape(-1).astype(np.int32), tuple(named)


def widest_contrast(groups: Groups, positive: NDArray[np.float64], rows: NDArray[np.int64]) -> tuple[str, str] | None:
    """The groups with the highest and the lowest mean of `positive` (values at `rows`); None with fewer than two.

    Chosen on rows other than those it is estimated on, so that the largest of many gaps is not taken for a finding.
    """
    codes = groups.take(rows)
    compared = codes >= 0
    counts = np.bincount(codes[compared], minlength=len(groups.names))
    sums = np.bincount(codes[compared], weights=positive[compared], minlength=len(groups.names))
    # of two groups only the direction is chosen
    present = np.flatnonzero(counts >= (1 if len(groups.names) == 2 else SMALL_GROUP_ROWS))
    if len(present) < 2:
        return None
    by_rate = present[np.argsort(sums[present] / counts[present], kind="stable")]
    return groups.names[by_rate[-1]], groups.names[by_rate[0]]


def contrast(
    groups: Groups,
    pair: tuple[str, str],
    rows: NDArray[np.int64],
    *,
    within: NDArray[np.bool_] | None = None,
    stratum: str | None = None,
) -> Contrast | None:
    """The contrast of `pair` among `rows`; None where a group has fewer than 30 of them.

    `within` marks the rows of a stratum.
    """
    codes = groups.take(rows)
    high, low = (
        np.flatnonzero((codes == groups.names.index(name)) & (True if within is None else within)) for name in pair
    )
    if min(len(high), len(low)) < SMALL_GROUP_ROWS:
        return None
    return Contrast(groups.attribute, pair[0], pair[1], high, low, stratum)


def group_document(attribute: str, name: str) -> Group:
    """{"sex": "Female"}, or {"sex": "Female", "race": "Black"} for an intersection."""
    attributes, values = attribute.split(INTERSECTION_SIGN), name.split(INTERSECTION_SIGN)
    if len(attributes) == len(values):
        return dict(zip(attributes, values, strict=True))
    return {attribute: name}


def _left_out(
    attribute: str,
    levels: tuple[str | None, ...],
    counts: NDArray[np.int64],
    *,
    known: list[int],
    largest: list[int],
    smallest: int,
) -> str | None:
    out = [f"{levels[level]} (n = {counts[level]:,})" for level in known if level not in largest]
    missing = int(sum(counts[level] for level in range(len(levels)) if level not in known))
    if missing:
        out.append(f"missing (n = {missing:,})")
    if not out:
        return None
    shown = ", ".join(out[:12]) + (f" and {len(out) - 12} more" if len(out) > 12 else "")
    rule = f"groups of at least {smallest} rows are compared, the {MOST_GROUPS} largest"
    return f"{attribute}: left out of the comparisons: {shown}; {rule}."
