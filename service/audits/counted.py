"""Sources that are counted and not read: large files chunk by chunk, tables in a warehouse by one query there.

From here to the report it is the way of any other audit; only which audits there are, and how counts become the count
table, is said here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counts import Attribute, CountTable
from evenhand.auditors.errors import Part
from evenhand.auditors.policy import Check, DataSection
from evenhand.auditors.report import AuditName
from evenhand.datasets import builtin
from evenhand.datasets.counting.asked import DEFAULT_THRESHOLD, Asked, Counted
from evenhand.datasets.errors import MissingColumn
from evenhand.datasets.warehouse_urls import is_warehouse
from evenhand.service.audits.columns import named_columns
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.errors import NeedsRows, NoSensitiveColumn, NothingToAudit, ThresholdNeeded

AUDITS_OF_COUNTS: frozenset[AuditName] = frozenset({"group_disparity", "representation"})

_ROWS_FOR = {
    "unit": "rows of one person are not independent",
    "membership": "probabilities are summed row by row",
    "train_source": "rows are compared one by one",
}
"""Settings under [data] that need rows, and why."""

_IN_COLUMNS = (
    "Missing values were counted in the columns of this audit only; which groups have empty cells, and which rows are "
    "there twice, needs the rows."
)
_TOO_FINE = "its histogram by these groups would be too large to count"


@dataclass(frozen=True)
class _Source:
    """Something that can be counted: what messages call it, its columns, and how to count it."""

    name: str
    columns: Callable[[], Sequence[str]]
    count: Callable[[Asked], Counted]


def counts_of(request: AuditRequest) -> tuple[Counted, DataSection] | None:
    """The counts of what the request names, and its columns; None where the rows are to be read.

    Counted are warehouse tables, and large files if no audit needs their rows.

    Raises:
        DatasetError, RequestProblem: by what is wrong.
    """
    if is_warehouse(request.source):
        from evenhand.datasets.warehouse import open_warehouse

        with open_warehouse(request.source) as table:
            for what, why in _why_rows(request).items():
                raise NeedsRows(table.name, what, why)
            counted, data = _counts(_Source(table.name, lambda: table.columns, table.count), request)
            for check in _checks_without_histogram(counted, request):
                raise NeedsRows(table.name, f"check {check}", _TOO_FINE)
            return counted, data
    source = _large_file(request)
    if source is None:
        return None
    counted, data = _counts(source, request)
    return None if _checks_without_histogram(counted, request) else (counted, data)


def _checks_without_histogram(counted: Counted, request: AuditRequest) -> list[str]:
    """Checks on scores, where the scores were not counted in bins."""
    from evenhand.auditors.scores.catalogue import SCORE_METRICS

    if request.policy.data.score is None or counted.scores is not None:
        return []
    named = [check.metric for check in request.policy.check if check.audit == "group_disparity"]
    return [metric for metric in named if metric in SCORE_METRICS]


def _counts(source: _Source, request: AuditRequest) -> tuple[Counted, DataSection]:
    data = request.policy.data
    if data.prediction is None and data.score is None:
        raise NothingToAudit(source.name, source.columns())
    if not data.sensitive:
        raise NoSensitiveColumn(source.name, source.columns())
    available = source.columns()
    for role, name in named_columns(data):
        if name not in available:
            raise MissingColumn(name, source.name, available, setting=role)
    threshold = DEFAULT_THRESHOLD if data.threshold is None else data.threshold
    by = [*data.sensitive, *([data.label] if data.label else []), *(data.where or {})]
    keys = [*by, *(key for key in (data.prediction, data.stratum) if key is not None)]
    histogram = tuple(dict.fromkeys(by)) if data.score is not None else None
    counted = source.count(Asked(tuple(keys), data.score, threshold, data.weight, histogram))
    if counted.score_range is not None and data.threshold is None:
        low, high = counted.score_range
        if low < 0 or high > 1:
            raise ThresholdNeeded(str(data.score), low, high)
    return counted.noting(_IN_COLUMNS), _without_features(data)


def _without_features(data: DataSection) -> DataSection:
    return data.model_copy(update={"features": None, "categorical": None, "pair": None})


def _large_file(request: AuditRequest) -> _Source | None:
    """The source as a file to be counted, if it is large and nothing that is asked needs its rows."""
    if request.source in builtin.names() or _why_rows(request):
        return None
    # imported here: what is not counted needs none of it
    from evenhand.datasets.counting.streaming import columns_of, count_file, is_large

    path = Path(request.source)
    name = request.source_name or path.name
    if not is_large(path, name):
        return None
    return _Source(name, lambda: columns_of(path, name), lambda asked: count_file(path, asked, name=name))


def _why_rows(request: AuditRequest) -> dict[Part, str]:
    """What is asked that needs rows, and why."""
    data = request.policy.data
    reasons: dict[Part, str] = {(name, None): why for name, why in _ROWS_FOR.items() if getattr(data, name) is not None}
    if request.model_path is not None:
        reasons["model", None] = "it scores row by row"
    if request.policy.search is not None and request.policy.search.features:
        reasons["search.features", None] = "slices are cut row by row"
    reasons |= {f"check {check.metric}": why for check in request.policy.check if (why := _why_rows_for(check))}
    wanted = request.only or request.policy.only
    if not wanted and data.features:
        wanted = ["proxy"]
    for name in wanted or ():
        if name not in AUDITS_OF_COUNTS:
            reasons[f"the {name} audit"] = "it looks at single rows"
    return reasons


def _why_rows_for(check: Check) -> str | None:
    if check.audit == "representation" and check.metric == "missingness":
        return "it is about empty cells of all columns"
    return None


def table_of(
    attributes: Sequence[Attribute],
    *,
    prediction: NDArray[np.integer],
    label: NDArray[np.integer] | None,
    weight: NDArray[np.float64] | None,
    counted: Counted,
) -> CountTable:
    """The count table of rows that stand for several.

    Args:
        attributes, prediction, label, weight: as for `count`, one entry for each row of `counted.table`; weights are sums.
    """
    shape = (*(len(attribute.values) for attribute in attributes), 1 if label is None else 2, 2)
    outcomes = [np.zeros(len(prediction), np.intp) if label is None else label, prediction]
    cell = np.ravel_multi_index([*(attribute.codes for attribute in attributes), *outcomes], shape)

    def summed(values: NDArray[np.int64] | NDArray[np.float64] | None) -> NDArray[np.float64]:
        return np.bincount(cell, values, int(np.prod(shape))).reshape(shape)

    return CountTable(
        tuple(attribute.name for attribute in attributes),
        tuple(attribute.values for attribute in attributes),
        summed(counted.table.times).astype(np.int64),  # exact below 2^53
        None if weight is None else summed(weight),
        None if counted.squares is None else summed(counted.squares),
    )
