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
from evenhand.auditors.disparity.halves import Halves, halves_of_kinds, halves_of_rows
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
    weight: Floats | None = None,
    times: NDArray[np.int64] | None = None,
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
        weight: shape (n,), at least 0: rates are weighted, and tested by the score test at Kish's effective rows. Slices
            by features are chosen by rows, and confirmed with weights.
        times: shape (n,), how many rows each entry stands for, where rows were only counted; then without features,
            unit and weight. The same rows one by one give the same result.

    Returns:
        What was found, by proven gap; and what was searched.

    Raises:
        UnknownMetric, UnknownAttribute, PolicyError: the settings name what is not there.
        LengthMismatch: the arrays differ in length.
        ValueError: times with features, unit or weight.

    Source: Fisher (1935), JRSS 98; Holm (1979), Scandinavian Journal of Statistics 6; effective rows Kish (1965).
    """
    rows = len(outcome.prediction)
    further = (("unit", unit), ("weight", weight), ("times", times))
    for name, array in (*((a.name, a.codes) for a in attributes), *(features or {}).items(), *further):
        if array is not None and len(array) != rows:
            raise LengthMismatch(name, len(array), rows)
    if times is not None and (features or unit is not None or weight is not None):
        raise ValueError("counted rows have no features, units or weights of their own")
    chosen = _attributes(attributes, settings)
    metrics = _metrics(settings, outcome)
    cell = outcome.cell()
    halves = (
        halves_of_rows(chosen, cell, unit=unit, weight=weight, rng=rng)
        if features or unit is not None or weight is not None
        else halves_of_kinds(chosen, cell, times=times, rng=rng)
    )
    candidates, searched = _intersections(halves, metrics, settings, has_labels=outcome.label is not None)
    columns: list[Binned] = []
    if features:
        columns = [*(binned(name, values) for name, values in features.items()), *map(of_attribute, chosen)]
        sliced, tried = _slices(columns, cell, metrics, halves.search > 0, settings)
        candidates += sliced
        searched += tried
    carried = _carried(candidates)
    found = _confirmed(carried, halves, columns, alpha=alpha, tolerance=settings.within)
    return SubgroupSearch(
        searched=searched,
        depth=settings.depth,
        smallest=settings.smallest,
        attributes=[attribute.name for attribute in chosen],
        features=list(features or {}),
        metrics=[metric.name for metric in metrics],
        tolerance=settings.within,
        level=1 - alpha,
        rows_search=int(halves.search.sum()),
        rows_confirm=int(halves.confirm.sum()),
        carried=len(carried),
        found=found,
        notes=_notes(halves),
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
                f"the search counts a rate, and '{metric.name}' is none. Name one such as selection_rate or accuracy, or "
                "none: ",
                ("search.metric", None),
                ".",
            )
        if metric.needs_labels and outcome.label is None:
            raise PolicyError(
                f"the search for '{metric.name}' needs labels, and there is no label column. Name it: ",
                ("label", None),
                ", or another metric: ",
                ("search.metric", None),
                ".",
            )
    return metrics


def _notes(halves: Halves) -> list[str]:
    notes = []
    if halves.left_out:
        notes.append(
            f"One row of each unit confirms, so that rows are independent; {halves.left_out:,} further rows were left out."
        )
    if halves.weight is not None:
        notes.append("Rates are weighted, and tested by the score test at the effective number of rows (Kish).")
    return notes


def _intersections(
    halves: Halves, metrics: Sequence[Metric], settings: SearchSection, *, has_labels: bool
) -> tuple[list[_Candidate], int]:
    """Every value of every attribute, pair, triple, ... that is large enough in the search half."""
    if not halves.attributes:
        return [], 0
    counts = subgroup_counts(
        halves.attributes,
        prediction=(halves.cell & 1).astype(np.int8),
        label=(halves.cell >> 1).astype(np.int8) if has_labels else None,
        depth=settings.depth,
        times=halves.search,
        weight=halves.weight,
    )
    rows = np.stack([counts.tn, counts.fp, counts.fn, counts.tp], axis=1).astype(np.float64).reshape(-1, 2, 2)
    cells = rows if counts.weights is None else counts.weights.T.reshape(-1, 2, 2)
    first = np.flatnonzero((counts.which[:, 0] == 0) & (counts.depth == 1))  # the values of one attribute hold everyone
    candidates: list[_Candidate] = []
    searched = 0
    for metric in metrics:
        _, n = metric.fraction(rows)
        x, mass = metric.fraction(cells)
        rest_n, rest_x, rest_mass = (values[first].sum() - values for values in (n, x, mass))
        fit = (n >= settings.smallest) & (rest_n >= settings.smallest) & ~counts.unknown
        fit &= (mass > 0) & (rest_mass > 0)
        searched += int(fit.sum())
        gap, surely = _sure_gap(*_scaled(x, mass, n), *_scaled(rest_x, rest_mass, rest_n))
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


def _scaled(x: Floats, mass: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Successes at the weighted rate, and rows."""
    return np.divide(x * n, mass, out=np.zeros_like(x), where=mass > 0), n


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
    carried: Sequence[_Candidate], halves: Halves, columns: Sequence[Binned], *, alpha: float, tolerance: float
) -> list[Subgroup]:
    """The carried subgroups on the other half, by proven gap."""
    if not carried:
        return []
    fourfolds = [_fourfold(candidate, halves, columns) for candidate in carried]
    x, n, rest_x, rest_n = np.array([each.effective for each in fourfolds]).T
    exists = (n > 0) & (rest_n > 0)
    bounds = difference_interval(x, n, rest_x, rest_n, z=normal_quantile(1 - alpha / (2 * len(carried))))
    p = np.array([each.p_value() if there else 1.0 for each, there in zip(fourfolds, exists, strict=True)])
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
                n=fourfolds[at].rows,
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


@dataclass(frozen=True)
class _Fourfold:
    """A subgroup against the rest.

    Attributes:
        rows: of the subgroup.
        effective: successes and rows of the subgroup, then of the rest; weighted ones scaled to Kish's effective rows.
        weighted: whether they are.
    """

    rows: int
    effective: tuple[float, float, float, float]
    weighted: bool

    def p_value(self) -> float:
        x1, n1, x2, n2 = self.effective
        if not self.weighted and min(n1, n2) <= EXACT_UP_TO:
            return exact(int(x1), int(n1), int(x2), int(n2), boschloo=False).fisher
        one, of_one, other, of_other = (np.array([value]) for value in self.effective)
        return float(2 * ndtr(-abs(score_z_difference(one, of_one, other, of_other, 0.0)[0])))


def _fourfold(candidate: _Candidate, halves: Halves, columns: Sequence[Binned]) -> _Fourfold:
    """The subgroup and the rest in the half that confirms."""
    if candidate.slice is not None:
        inside = candidate.slice.rows(columns)
    else:
        inside = np.ones(len(halves.cell), dtype=bool)
        for index, value in candidate.intersection:
            inside &= halves.attributes[index].codes == value
    counted, success = _counted(candidate.metric, halves.cell)
    sides = [np.where(counted & side, halves.confirm, 0) for side in (inside, ~inside)]
    (x1, n1), (x2, n2) = (_effective(side, success, halves.weight) for side in sides)
    return _Fourfold(int(sides[0].sum()), (x1, n1, x2, n2), halves.weight is not None)


def _effective(rows: NDArray[np.int64], success: NDArray[np.int64], weight: Floats | None) -> tuple[float, float]:
    if weight is None:
        return float(rows @ success), float(rows.sum())
    mass = rows * weight
    total, squares = float(mass.sum()), float(mass @ weight)
    if squares <= 0:
        return 0.0, 0.0
    effective = total**2 / squares
    return float(mass @ success) / total * effective, effective
