"""Does a feature encode the attribute? One-vs-rest areas with Holm's correction.

What the model does with it belongs elsewhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.proxies.auc import FOLDS, cross_fitted_auc
from evenhand.auditors.proxies.columns import Coded
from evenhand.auditors.proxies.groups import Groups
from evenhand.auditors.ranks import Auc, auc_from_counts
from evenhand.auditors.report import Encodes

ENCODES = 0.60
STRONG = 0.70
NEAR_TIE = 0.01
"""A category is reported only where it tells this much more: other readings are simpler, numbers have direction."""

Reading = Literal["number", "category", "missing", "year", "month", "weekday"]
"""How a feature was read: by its order, by its levels, by whether it is there at all, or by a part of its date."""

CALENDAR: dict[str, Reading] = {"year": "year", "month": "month", "weekday": "weekday"}


@dataclass(frozen=True)
class EncodingTest:
    """One area: of a feature, in one reading, for one group against the rest."""

    feature: str
    group: str
    reading: Reading
    auc: Auc


@dataclass(frozen=True)
class Encoding:
    """What was found for one feature and attribute.

    `encodes` holds with Holm's correction, and agrees with `low` and `high`.
    """

    feature: str
    group: str
    reading: Reading
    area: float
    low: float
    high: float
    encodes: bool

    @property
    def strength(self) -> float:
        return max(self.area, 1 - self.area)

    @property
    def strong(self) -> bool:
        return self.encodes and max(self.low, 1 - self.high) >= STRONG

    def document(self) -> Encodes:
        return Encodes(auc=self.area, low=self.low, high=self.high, group=self.group)


def encoding_tests(columns: Sequence[Coded], groups: Groups, folds: NDArray[np.int8]) -> list[EncodingTest]:
    """Every area of every feature. A constant feature says nothing and is not tested; nor is a group under 30 rows.

    Args:
        columns: the features, codes of length n.
        groups: the attribute, codes of length n.
        folds: a fold in [0, FOLDS) for each row.
    """
    rows = np.flatnonzero(groups.codes >= 0)
    everyone = len(rows) == len(groups.codes)
    members = {group: np.flatnonzero(groups.codes == group) for group in large_enough(groups, rows)}
    return [
        test
        for column in columns
        if not column.constant
        for reading, areas in _readings(column, slice(None) if everyone else rows, members, folds)
        for test in (
            EncodingTest(column.name, groups.names[group], reading, area)
            for group, area in zip(members, areas, strict=True)
        )
    ]


def large_enough(groups: Groups, rows: NDArray[np.int64]) -> list[int]:
    """Groups told apart from the rest that have 30 of these rows on either side: DeLong's error is no error below."""
    codes = groups.take(rows)
    counts = np.bincount(codes[codes >= 0], minlength=len(groups.names))
    rest = int(counts.sum()) - counts
    return [group for group in groups.tested if min(counts[group], rest[group]) >= SMALL_GROUP_ROWS]


def category_areas(
    codes: NDArray[np.int32],
    levels: int,
    rows: slice | NDArray[np.int64],
    members: Iterable[NDArray[np.int64]],
    folds: NDArray[np.int8],
) -> list[Auc]:
    """Cross-fitted area of a category for each set of member rows against the rest of `rows`."""
    cells = codes.astype(np.int64) * FOLDS + folds
    totals = np.bincount(cells[rows], minlength=levels * FOLDS).reshape(levels, FOLDS)
    return [
        cross_fitted_auc(np.bincount(cells[rows_in], minlength=levels * FOLDS).reshape(levels, FOLDS), totals)
        for rows_in in members
    ]


def set_tests(
    name: str,
    codes: NDArray[np.int32],
    levels: int,
    groups: Groups,
    rows: NDArray[np.int64],
    folds: NDArray[np.int8],
) -> list[EncodingTest]:
    """The areas of several features' joint cells, for each group against the rest of `rows`.

    Args:
        codes: the cell of every row, shape (n,), in [0, levels).
    """
    compared = rows[groups.take(rows) >= 0]
    tested = large_enough(groups, compared)
    members = [compared[groups.take(compared) == group] for group in tested]
    areas = category_areas(codes, levels, compared, members, folds)
    return [
        EncodingTest(name, groups.names[group], "category", area) for group, area in zip(tested, areas, strict=True)
    ]


def decide_encodings(tests: Sequence[EncodingTest], *, level: float, family: int = 0) -> dict[str, Encoding]:
    """Feature to its strongest test, with Holm's correction over all tests (or over `family`, where that is more).

    The interval of a test is the one at the step at which Holm decides it, so that it encodes exactly where the
    interval lies beyond .60 (or its mirror .40).
    """
    by_strength = sorted(range(len(tests)), key=lambda i: -_distance(tests[i].auc))
    size, alpha, rejecting = max(len(tests), family), 1 - level, True
    found: dict[str, Encoding] = {}
    best: dict[str, tuple[bool, float]] = {}
    for step, index in enumerate(by_strength):
        if rejecting:
            z = NormalDist().inv_cdf(1 - alpha / (2 * (size - step)))
            rejecting = _distance(tests[index].auc) >= z
        test, margin = tests[index], z * tests[index].auc.error
        rank = (rejecting, _preference(test, margin, encodes=rejecting))
        if test.feature not in best or rank > best[test.feature]:
            best[test.feature] = rank
            area = test.auc.area
            found[test.feature] = Encoding(
                test.feature,
                test.group,
                test.reading,
                area,
                max(0.0, area - margin),
                min(1.0, area + margin),
                rejecting,
            )
    return found


def _readings(
    column: Coded, rows: slice | NDArray[np.int64], members: dict[int, NDArray[np.int64]], folds: NDArray[np.int8]
) -> Iterable[tuple[Reading, list[Auc]]]:
    if column.ordered:
        yield "number", _plain_areas(_with_missing_in_the_middle(column), column.levels, rows, members.values())
    yield "category", category_areas(column.nominal, column.nominal_levels, rows, members.values(), folds)
    for part in column.calendar:
        yield CALENDAR[part.name], category_areas(part.codes, part.levels, rows, members.values(), folds)
    if column.missing is not None:
        yield "missing", _plain_areas(column.missing.astype(np.int32), 2, rows, members.values())


def _plain_areas(
    codes: NDArray[np.int32], levels: int, rows: slice | NDArray[np.int64], members: Iterable[NDArray[np.int64]]
) -> list[Auc]:
    totals = np.bincount(codes[rows], minlength=levels)
    counts = (np.bincount(codes[rows_in], minlength=levels) for rows_in in members)
    return [auc_from_counts(positives, totals - positives) for positives in counts]


def _with_missing_in_the_middle(column: Coded) -> NDArray[np.int32]:
    """Codes in which a missing value ties with the median: it says nothing about order, and is counted all the same."""
    if column.missing is None or column.known_levels == 0:
        return column.codes
    counts = np.bincount(column.codes, minlength=column.levels)[: column.known_levels]
    median = int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))
    return np.where(column.missing, np.int32(median), column.codes)


def _distance(auc: Auc) -> float:
    """Standard errors by which the area lies beyond .60 or .40."""
    return (auc.strength - ENCODES) / auc.error


def _preference(test: EncodingTest, margin: float, *, encodes: bool) -> float:
    # where nothing is shown, a small group is furthest from .5 by chance alone: then the lower bound ranks
    value = test.auc.strength if encodes else test.auc.strength - margin
    return value + (NEAR_TIE if test.reading in ("number", "missing") else 0.0)
