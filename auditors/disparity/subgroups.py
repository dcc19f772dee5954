"""The worst subgroups: looked for on one half of the rows, confirmed on the other with their multiplicity held.

Singles, intersections and, if asked, slices by ordinary features. How groups of one attribute compare belongs in `audit`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from evenhand.auditors.counting.subgroups import subgroup_counts
from evenhand.auditors.counts import Attribute
from evenhand.auditors.disparity.slices import Binned, Slice, Tally, binned, grown, of_attribute
from evenhand.auditors.errors import LengthMismatch, PolicyError, UnknownAttribute
from evenhand.auditors.exact_tests import exact
from evenhand.auditors.intervals import difference_interval, normal_quantile, score_z_difference
from evenhand.auditors.metrics import FAVOURABLE_RATE, Metric, metric_named
from evenhand.auditors.multiplicity import benjamini_hochberg, holm
from evenhand.auditors.policy import SearchSection
from evenhand.auditors.report import Group, Subgroup, SubgroupSearch
from evenhand.auditors.verdict import Verdict

MOST_CARRIED = 20
LEAST_CARRIED = 5
"""So many are carried over though the search shows nothing, so that a report says what was nearest."""

EXACT_UP_TO = 20_000
"""Beyond so many rows in both groups the exact test and the score test agree to the third decimal of p."""

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Outcome:
    """Prediction and label of every row as 0 and 1, shape (n,); label None where there is none."""

    prediction: NDArray[np.integer]
    label: NDArray[np.integer] | None
    favourable_is_positive: bool

    def cell(self) -> NDArray[np.int64]:
        """Cell of each row in the order of `metrics`: label and prediction as two bits."""
        label = 0 if self.label is None else self.label.astype(np.int64)
        return np.asarray(label * 2 + self.prediction, dtype=np.int64)


@dataclass(frozen=True)
class _Candidate:
    """A subgroup that the search half shows, before it is confirmed."""

    group: Group
    metric: Metric
    gap: float
    surely: float
    intersection: tuple[tuple[int, int], ...] = ()
    slice: Slice | None = None

    def refines(self, other: "_Candidate") -> bool:
        """Whether it is part of the other, with the same metric and the same sign."""
        same = self.metric.name == other.metric.name and (self.gap > 0) == (other.gap > 0)
        return same and bool(other.intersection) and set(other.intersection) <= set(self.intersection)


def search_subgroups(
    attributes: Sequence[Attribute],
    outcome: Outcome,
    *,
    settings: SearchSection,
    alpha: float,
    rng: np.random.Generator,
    features: Mapping[str, NDArray[np.generic]] | None = None,
    unit: NDArray[np.integer] | None = None,
) -> SubgroupSearch:
    """Find subgroups whose rate differs from everybody else's, and prove it on rows that the search has not seen.

    Every candidate that is carried over gets an exact conditional test against the rest (Fisher), adjusted by Holm for
    the claim and by Benjamini-Hochberg for the list, and a score interval of the gap at a level that holds all of them.

    Args:
        attributes: sensitive columns as codes; rows with a missing value belong to the rest.
        outcome: what was predicted, and what was true.
        settings: depth, metric, tolerance.
        alpha: error of the claims together, a fraction.
        rng: for the division into halves.
        features: ordinary columns to slice by, as `binned` takes them.
        unit: shape (n,), who each row is about: one unit never lies in both halves, and one row of it confirms.

    Returns:
        What was found, by proven gap; and what was searched. Weights are not used: each row counts once.

    Raises:
        UnknownMetric, UnknownAttribute, PolicyError: the settings name what is not there.
        LengthMismatch: the arrays differ in length.
    """
    rows = len(outcome.prediction)
    for name, array in (*((a.name, a.codes) for a in attributes), *(features or {}).items(), ("unit", unit)):
        if array is not None and len(array) != rows:
            raise LengthMismatch(name, len(array), rows)
    chosen = _attributes(attributes, settings)
    metrics = _metrics(settings, outcome)
    search, confirm = _halves(rows, unit, rng)
    cell = outcome.cell()
    candidates, searched = _intersections(chosen, outcome, metrics, search, settings)
    columns: list[Binned] = []
    if features:
        columns = [*(binned(name, values) for name, values in features.items()), *map(of_attribute, chosen)]
        sliced, tried = _slices(columns, cell, metrics, search, settings)
        candidates += sliced
        searched += tried
    carried = _carried(candidates)
    found = _confirmed(carried, chosen, columns, cell, confirm, alpha=alpha, tolerance=settings.within)
    return SubgroupSearch(
        searched=searched,
        depth=settings.depth,
        smallest=settings.smallest,
        attributes=[attribute.name for attribute in chosen],
        features=list(features or {}),
        metrics=[metric.name for metric in metrics],
        tolerance=settings.within,
        level=1 - alpha,
        rows_search=int(search.sum()),
        rows_confirm=int(confirm.sum()),
        carried=len(carried),
        found=found,
        notes=_notes(unit, search, confirm),
    )


def _attributes(attributes: Sequence[Attribute], settings: SearchSection) -> list[Attribute]:
    by_name = {attribute.name: attribute for attribute in attributes}
    for name in settings.attributes or []:
        if name not in by_name:
            raise UnknownAttribute(name, by_name)
    return [by_name[name] for name in settings.attributes or by_name]


def _metrics(settings: SearchSection, outcome: Outcome) -> list[Metric]:
    names = [settings.metric] if settings.metric else [FAVOURABLE_RATE]
    if not settings.metric and outcome.label is not None:
        names += ["true_positive_rate", "false_positive_rate"]
    metrics = [metric_named(name, favourable_is_positive=outcome.favourable_is_positive) for name in names]
    for metric in metrics:
        if not metric.is_rate:
            raise PolicyError(
                f"the search counts a rate, and '{metric.name}' is none. Name one such as selection_rate or accuracy as "
                "`metric` under [search], or leave it out."
            )
        if metric.needs_labels and outcome.label is None:
            raise PolicyError(
                f"the search for '{metric.name}' needs labels, and there is no label column. Pass --label, or change "
                "`metric` under [search]."
            )
    return metrics


def _halves(rows: int, unit: NDArray[np.integer] | None, rng: np.random.Generator) -> tuple[Mask, Mask]:
    """Rows that are searched, and rows that confirm: half of the units each, and of those one row each."""
    if unit is None:
        search = np.zeros(rows, dtype=bool)
        search[rng.permutation(rows)[: rows // 2]] = True
        return search, ~search
    _, units = np.unique(unit, return_inverse=True)
    count = int(units.max()) + 1 if rows else 0
    in_search = np.zeros(count, dtype=bool)
    in_search[rng.permutation(count)[: count // 2]] = True
    order = rng.permutation(rows)
    _, first = np.unique(units[order], return_index=True)
    confirm = np.zeros(rows, dtype=bool)
    confirm[order[first]] = True
    return in_search[units], confirm & ~in_search[units]


def _notes(unit: NDArray[np.integer] | None, search: Mask, confirm: Mask) -> list[str]:
    if unit is None:
        return []
    left = int((~search).sum() - confirm.sum())
    return [f"One row of each unit confirms, so that rows are independent; {left:,} further rows were left out."] * (
        left > 0
    )


def _cells(tn: NDArray[np.int64], fp: NDArray[np.int64], fn: NDArray[np.int64], tp: NDArray[np.int64]) -> Floats:
    return np.stack([tn, fp, fn, tp], axis=1).astype(np.float64).reshape(-1, 2, 2)


def _intersections(
    attributes: Sequence[Attribute], outcome: Outcome, metrics: Sequence[Metric], search: Mask, settings: SearchSection
) -> tuple[list[_Candidate], int]:
    """Every value of every attribute, pair, triple, ... that is large enough in the search half."""
    if not attributes:
        return [], 0
    counts = subgroup_counts(
        [Attribute(a.name, a.codes[search], a.values) for a in attributes],
        prediction=outcome.prediction[search],
        label=None if outcome.label is None else outcome.label[search],
        depth=settings.depth,
    )
    cells = _cells(counts.tn, counts.fp, counts.fn, counts.tp)
    everyone = cells[counts.which[:, 0] == 0][counts.depth[counts.which[:, 0] == 0] == 1].sum(axis=0)
    candidates: list[_Candidate] = []
    searched = 0
    for metric in metrics:
        x, n = metric.fraction(cells)
        all_x, all_n = (float(part[0]) for part in metric.fraction(everyone[None]))
        fit = (n >= settings.smallest) & (all_n - n >= settings.smallest) & ~counts.unknown
        searched += int(fit.sum())
        gap, surely = _sure_gap(x, n, all_x - x, all_n - n)
        order = np.flatnonzero(fit)
        order = order[np.argsort(-surely[order], kind="stable")]
        candidates += [
            _Candidate(
                counts.group(at),
                metric,
                float(gap[at]),
                float(surely[at]),
                tuple((int(i), int(v)) for i, v in zip(counts.which[at], counts.values[at], strict=True) if i >= 0),
            )
            for at in order[: 10 * MOST_CARRIED].tolist()
        ]
    return candidates, searched


def _slices(
    columns: Sequence[Binned],
    cell: NDArray[np.int64],
    metrics: Sequence[Metric],
    search: Mask,
    settings: SearchSection,
) -> tuple[list[_Candidate], int]:
    """The nodes of one tree a metric, grown on the search half."""
    candidates: list[_Candidate] = []
    tally = Tally()
    for metric in metrics:
        counted, success = _counted(metric, cell)
        rows = search & counted
        all_x, all_n = int(success[rows].sum()), int(rows.sum())
        for node in grown(columns, success, rows=rows, depth=settings.depth, smallest=settings.smallest, tally=tally):
            inside = node.rows(columns) & rows
            x, n = int(success[inside].sum()), int(inside.sum())
            if min(n, all_n - n) < settings.smallest:
                continue
            gap, surely = _sure_gap(*(np.array([float(v)]) for v in (x, n, all_x - x, all_n - n)))
            candidates.append(_Candidate(node.group(columns), metric, float(gap[0]), float(surely[0]), slice=node))
    return candidates, tally.slices


def _counted(metric: Metric, cell: NDArray[np.int64]) -> tuple[Mask, NDArray[np.int64]]:
    """Whether each row counts in the rate, and whether it is a success."""
    codes = np.arange(4)
    return np.isin(codes, metric.denominator)[cell], np.isin(codes, metric.numerator).astype(np.int64)[cell]


def _sure_gap(x: Floats, n: Floats, rest_x: Floats, rest_n: Floats) -> tuple[Floats, Floats]:
    """The gap to the rest, and how much of it is sure at 95 %: for choosing, not for claims."""
    n, rest_n = np.maximum(n, 1e-9), np.maximum(rest_n, 1e-9)
    one, other = (x + 1) / (n + 2), (rest_x + 1) / (rest_n + 2)
    error = np.sqrt(one * (1 - one) / n + other * (1 - other) / rest_n)
    gap = x / n - rest_x / rest_n
    return gap, np.abs(gap) - 1.96 * error


def _carried(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """The surest gaps; a part of a subgroup already carried adds nothing when its own gap is less sure."""
    carried: list[_Candidate] = []
    for candidate in sorted(candidates, key=lambda c: -c.surely):
        if len(carried) == MOST_CARRIED or (candidate.surely <= 0 and len(carried) >= LEAST_CARRIED):
            break
        if not any(candidate.refines(other) for other in carried):
            carried.append(candidate)
    return carried


def _confirmed(
    carried: Sequence[_Candidate],
    attributes: Sequence[Attribute],
    columns: Sequence[Binned],
    cell: NDArray[np.int64],
    confirm: Mask,
    *,
    alpha: float,
    tolerance: float,
) -> list[Subgroup]:
    """The carried subgroups on the other half, by proven gap."""
    if not carried:
        return []
    tables = np.array([_table(candidate, attributes, columns, cell, confirm) for candidate in carried], dtype=np.int64)
    x, n, rest_x, rest_n = tables.T
    exists = (n > 0) & (rest_n > 0)
    bounds = difference_interval(x, n, rest_x, rest_n, z=normal_quantile(1 - alpha / (2 * len(carried))))
    p = np.array([_p_value(*row) if there else 1.0 for row, there in zip(tables.tolist(), exists, strict=True)])
    adjusted, listed = holm(p), benjamini_hochberg(p)
    found = []
    for at, candidate in enumerate(carried):
        low, high = float(bounds.low[at]), float(bounds.high[at])
        proven = 0.0 if not exists[at] or low <= 0 <= high or adjusted[at] > alpha else (low if low > 0 else high)
        there = bool(exists[at])
        rate, rest = (x[at] / n[at], rest_x[at] / rest_n[at]) if there else (0.0, 0.0)
        found.append(
            Subgroup(
                group=candidate.group,
                kind="slice" if candidate.slice is not None else "intersection",
                metric=candidate.metric.name,
                n=int(n[at]),
                rate=float(rate) if there else None,
                rest_rate=float(rest) if there else None,
                gap=float(rate - rest) if there else None,
                low=low if there else None,
                high=high if there else None,
                proven_gap=proven,
                p_value=float(p[at]) if there else None,
                adjusted_p=float(adjusted[at]) if there else None,
                false_discovery_p=float(listed[at]) if there else None,
                verdict=Verdict.PROVEN_DISPARITY if abs(proven) > tolerance else Verdict.INCONCLUSIVE,
            )
        )
    return sorted(found, key=lambda s: (-abs(s.proven_gap), s.adjusted_p if s.adjusted_p is not None else 1.0))


def _table(
    candidate: _Candidate,
    attributes: Sequence[Attribute],
    columns: Sequence[Binned],
    cell: NDArray[np.int64],
    confirm: Mask,
) -> tuple[int, int, int, int]:
    """Successes and rows of the subgroup and of the rest, in the half that confirms."""
    if candidate.slice is not None:
        inside = candidate.slice.rows(columns)
    else:
        inside = np.ones(len(cell), dtype=bool)
        for index, value in candidate.intersection:
            inside &= attributes[index].codes == value
    counted, success = _counted(candidate.metric, cell)
    rows = confirm & counted
    x, n = int(success[rows & inside].sum()), int((rows & inside).sum())
    return x, n, int(success[rows].sum()) - x, int(rows.sum()) - n


def _p_value(x1: int, n1: int, x2: int, n2: int) -> float:
    if min(n1, n2) <= EXACT_UP_TO:
        return exact(x1, n1, x2, n2, boschloo=False).fisher
    one, of_one, other, of_other = np.array([[x1], [n1], [x2], [n2]], dtype=np.float64)
    return float(2 * ndtr(-abs(score_z_difference(one, of_one, other, of_other, 0.0)[0])))
