"""MetricFrame: metrics by group in fairlearn's words and shapes, with the interval behind each and 0/0 left undefined."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counts import Attribute, GroupCounts, count
from evenhand.auditors.disparity.groups import group_results
from evenhand.auditors.errors import LengthMismatch
from evenhand.auditors.metrics import Metric
from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.report import Group
from evenhand.auditors.verdict import Comparison
from evenhand.datasets.errors import UnknownPositive
from evenhand.service.audits.errors import BadArgument
from evenhand.service.python.alignment import refuse_other_rows
from evenhand.service.python.columns import column, columns, table_of
from evenhand.service.python.gaps import largest_pair, largest_to_overall
from evenhand.service.python.names import COUNT, metric_called
from evenhand.service.python.tally import Grid, Tally, chosen

if TYPE_CHECKING:
    import pandas as pd

    from evenhand.datasets.table import Table

Floats = NDArray[np.float64]
Method = Literal["between_groups", "to_overall"]
Name = str | Callable[..., Any]

NO_ROWS = "the group has no rows"


class MetricFrame:
    """Metrics by group, over all groups, and their differences and ratios.

    The words and the shapes are those of fairlearn.metrics.MetricFrame. Three things differ:

    - metrics are named, not computed by functions of one's own (a function of fairlearn or scikit-learn is taken by its
      name), so that the rows are counted once and every number has an interval;
    - 0/0 is NaN with a reason in `undefined`, and a difference or ratio over groups one of which is undefined is NaN;
    - rows with a missing sensitive or control feature are listed as groups of their own, and left out of comparisons.

    Args:
        metrics: one name (then results are Series and numbers), or a list or a dict of label to name (DataFrames).
        y_true, y_pred: shape (n,): 0 and 1, False and True, -1 and 1, or any values with `positive`.
            y_true may be None where no metric needs labels.
        sensitive_features: one column, a frame, a dict of columns, or an array of shape (n, columns).
        control_features: the same; comparisons are then within each of its levels.
        sample_weight: shape (n,), at least 0.
        sample_params: as fairlearn takes it, with `sample_weight` alone: {"sample_weight": w}, or
            {label: {"sample_weight": w}} for some of the metrics.
        positive: the positive value where the values are others.

    Raises:
        UnknownMetric, LengthMismatch; BadArgument, also for pandas objects whose indexes differ; MissingValue, NotBinary
        for labels and predictions.
    """

    def __init__(
        self,
        *,
        metrics: Name | Sequence[Name] | Mapping[str, Name],
        y_true: Any,
        y_pred: Any,
        sensitive_features: Any,
        control_features: Any = None,
        sample_weight: Any = None,
        sample_params: Mapping[str, Any] | None = None,
        positive: object = None,
    ) -> None:
        self._one = isinstance(metrics, str) or callable(metrics)
        self._metrics = _named_metrics(metrics)
        weights = _weights(self._metrics, sample_weight, sample_params, one=self._one)
        refuse_other_rows(
            {"y_true": y_true, "y_pred": y_pred, "sensitive_features": sensitive_features}
            | {"control_features": control_features, "sample_weight": sample_weight, "sample_params": sample_params}
        )
        sensitive = columns(sensitive_features, "sensitive_features", prefix="sensitive_feature_")
        controls = (
            {} if control_features is None else columns(control_features, "control_features", prefix="control_feature_")
        )
        if both := set(sensitive) & set(controls):
            raise BadArgument(
                "control_features", f"'{min(both)}' is a sensitive feature too", "Give each feature a name of its own."
            )
        if y_true is None and (needing := [m.name for m in self._metrics.values() if m.needs_labels]):
            raise BadArgument("y_true", f"it is None, and {needing[0]} needs labels", "Pass the labels.")
        label, prediction = _binary(y_true, y_pred, positive)
        groups = _attributes(controls | sensitive, rows=len(prediction))
        keys = {name: keys for name, (_, keys) in groups.items()}
        attributes = [attribute for attribute, _ in groups.values()]
        tallies: dict[int, Tally] = {}
        self._tallies: dict[str, Tally] = {}
        for name in self._metrics:
            weight = weights[name]
            if id(weight) not in tallies:
                table = count(
                    attributes, prediction=prediction, label=label, weight=_weight_values(weight, len(prediction))
                )
                tallies[id(weight)] = Tally(tuple(controls), tuple(sensitive), keys, table)
            self._tallies[name] = tallies[id(weight)]

    @classmethod
    def of_tally(cls, tally: Tally, metrics: Sequence[Metric], *, one: bool = False) -> "MetricFrame":
        """Of rows that are counted already."""
        frame = cls.__new__(cls)
        frame._one = one
        frame._metrics = {metric.name: metric for metric in metrics}
        frame._tallies = dict.fromkeys(frame._metrics, tally)
        return frame

    # --- by group ---

    @property
    def by_group(self) -> Any:
        """Each metric of each group: a DataFrame with a column a metric, or a Series where one metric was named.

        Rows are all combinations of the features' values; NaN where a metric is undefined or a group has no rows, and
        `undefined` says which.
        """
        return self._of_groups(self._value_of_groups)

    @property
    def undefined(self) -> Any:
        """As by_group: the reason where a number is missing, else None."""

        def reasons(name: str) -> NDArray[Any]:
            tally, value = self._tallies[name], self._value_of_groups(name)
            texts = np.where(np.isnan(value), self._metrics[name].undefined_when, None).astype(object)
            texts[~_occurs(tally)] = NO_ROWS
            return texts

        return self._of_groups(reasons)

    @property
    def intervals(self) -> Any:
        """The interval of each number in by_group at 95 %: columns (metric, low) and (metric, high).

        Of rates by Wilson's score, of the rest by the delta method; each of one group alone.
        """
        import pandas as pd

        parts = {}
        for name in self._metrics:
            low, high = self._bounds(name, self._tallies[name].groups, self._tallies[name].grid)
            parts[(name, "low")], parts[(name, "high")] = low, high
        index = self._index()
        if self._one:
            return pd.DataFrame({bound: values for (_, bound), values in parts.items()}, index=index)
        return pd.DataFrame(parts, index=index)

    @property
    def overall(self) -> Any:
        """Each metric of all rows, or of all rows of each control level.

        A number for one metric without control features, else a Series or a DataFrame.
        """
        return self._over_groups(lambda name: self._value_of_totals(name))

    @property
    def overall_intervals(self) -> "pd.DataFrame":
        """The interval of each number in overall at 95 %: one row a metric (and control level), with low and high."""
        import pandas as pd

        tally = self._any
        bounds = {
            name: self._bounds(name, self._tallies[name].totals, self._tallies[name].total_grid)
            for name in self._metrics
        }
        if not tally.controls:
            rows = {name: [float(bound[0]) for bound in found] for name, found in bounds.items()}
            return pd.DataFrame.from_dict(rows, orient="index", columns=["low", "high"])
        grid = tally.total_grid
        index = tally.index(tally.controls, grid)[: grid.known]
        parts = {name: pd.DataFrame(dict(zip(("low", "high"), found, strict=True))) for name, found in bounds.items()}
        return pd.concat({name: part[: grid.known].set_index(index) for name, part in parts.items()}, axis=1)

    @property
    def sensitive_levels(self) -> list[str]:
        """Names of the sensitive features."""
        return list(self._any.sensitive)

    @property
    def control_levels(self) -> list[str] | None:
        """Names of the control features, or None."""
        return list(self._any.controls) or None

    @property
    def confusions(self) -> "list[Confusion]":
        """Confusion counts of the groups of one sensitive feature, weighted where rows are.

        Raises:
            BadArgument: there are more features than one, or no labels.
        """
        tally = self._any
        if len(tally.features) != 1 or not tally.table.has_labels:
            raise BadArgument("confusions", "there is not one feature, with labels", "Use by_group.")
        (feature,) = tally.features
        return [
            Confusion(group[feature], tp, fp, fn, tn)
            for group, ((tn, fp), (fn, tp)) in zip(tally.groups.groups, tally.groups.cells.tolist(), strict=True)
        ]

    # --- over groups ---

    def group_min(self) -> Any:
        """The lowest value over the groups; shaped as overall. NaN where some group's is undefined."""
        return self._over_groups(lambda name: self._lowest(self._cube(name)))

    def group_max(self) -> Any:
        """The highest value over the groups; shaped as overall. NaN where some group's is undefined."""
        return self._over_groups(lambda name: -self._lowest(-self._cube(name)))

    def difference(self, method: Method = "between_groups") -> Any:
        """The largest absolute difference; shaped as overall.

        Args:
            method: "between_groups": of any two groups; "to_overall": of a group and all rows.
        """

        def largest(name: str) -> Floats:
            cube = self._cube(name)
            if _checked(method) == "between_groups":
                return -self._lowest(-cube) - self._lowest(cube)
            return -self._lowest(-np.abs(cube - self._value_of_totals(name)[:, None]))

        return self._over_groups(largest)

    def ratio(self, method: Method = "between_groups") -> Any:
        """The smallest ratio, at most 1; shaped as overall. 0/0 is undefined.

        Args:
            method: "between_groups": of any two groups; "to_overall": of a group and all rows, the smaller over the
                larger.
        """

        def smallest(name: str) -> Floats:
            cube = self._cube(name)
            with np.errstate(divide="ignore", invalid="ignore"):
                if _checked(method) == "between_groups":
                    return self._lowest(cube) / -self._lowest(-cube)
                ratios = cube / self._value_of_totals(name)[:, None]
                ratios = np.where(ratios > 1, 1 / ratios, ratios)
                return self._lowest(ratios)

        return self._over_groups(smallest)

    def difference_intervals(self, method: Method = "between_groups", *, level: float = 0.95) -> "pd.DataFrame":
        """The largest difference with its interval, and between which groups it lies.

        Args:
            method: "between_groups": of any two groups; "to_overall": of a group and all rows.
            level: of the whole family of comparisons, a fraction in (0, 1).

        Returns:
            One row a metric (and control level): estimate, low, high, group, reference; reference is None for all rows. The
            interval is [largest lower, largest upper bound] over the comparisons, each by Miettinen and Nurminen's score: of
            pairs at Tukey's quantile, of groups to all rows at Bonferroni's. Of metrics that are no rates, pairs go by the
            delta method, and to all rows there is no interval (NaN). It holds the largest gap of one metric, not of several.
        """
        return self._gap_intervals(Comparison.DIFFERENCE, _checked(method), level)

    def ratio_intervals(self, method: Method = "between_groups", *, level: float = 0.95) -> "pd.DataFrame":
        """The smallest ratio with its interval; as `difference_intervals`. To all rows it is the smaller over the larger."""
        return self._gap_intervals(Comparison.RATIO, _checked(method), level)

    def __repr__(self) -> str:
        tally = self._any
        groups = int((~tally.grid.unknown).sum())
        within = f" within {', '.join(tally.controls)}" if tally.controls else ""
        return f"<MetricFrame: {', '.join(self._metrics)} of {groups} groups by {', '.join(tally.sensitive)}{within}>"

    def _repr_html_(self) -> str:
        shown = self.by_group.to_frame() if self._one else self.by_group
        html: str = shown.to_html(float_format=lambda value: f"{value:.3f}", na_rep="undefined")
        return html

    # --- inside ---

    @property
    def _any(self) -> Tally:
        return next(iter(self._tallies.values()))

    def _index(self) -> Any:
        return self._any.index(self._any.features, self._any.grid)

    def _counted(self, name: str) -> Tally:
        return self._tallies[name].rows_as_weights() if _is_count(self._metrics[name]) else self._tallies[name]

    def _value_of_groups(self, name: str) -> Floats:
        """Shape (places,), NaN where undefined or absent."""
        tally = self._counted(name)
        return _placed(self._metrics[name].value(tally.groups.cells), tally.grid.place, tally.grid.size)

    def _value_of_totals(self, name: str) -> Floats:
        """Shape (control levels,); 1 where there are no control features."""
        tally = self._counted(name)
        grid = tally.total_grid
        return _placed(self._metrics[name].value(tally.totals.cells), grid.place, grid.size)[: grid.known]

    def _bounds(self, name: str, counts: GroupCounts, grid: Grid) -> tuple[Floats, Floats]:
        """Low and high, each of shape (places,)."""
        tally, metric = self._tallies[name], self._metrics[name]
        if _is_count(metric):
            return np.full(grid.size, np.nan), np.full(grid.size, np.nan)
        results = group_results(counts, [metric], small_rows=SMALL_GROUP_ROWS, has_labels=tally.table.has_labels)
        found = [result.metrics[metric.name] for result in results]
        low = np.array([np.nan if each.low is None else each.low for each in found], dtype=np.float64)
        high = np.array([np.nan if each.high is None else each.high for each in found], dtype=np.float64)
        return _placed(low, grid.place, grid.size), _placed(high, grid.place, grid.size)

    def _cube(self, name: str) -> Floats:
        """Values of the known combinations, shape (control levels, groups)."""
        known = self._value_of_groups(name)[: self._any.grid.known]
        return known.reshape(self._any.total_grid.known, -1)

    @property
    def _absent(self) -> NDArray[np.bool_]:
        """Known combinations without rows, shape as a cube."""
        tally = self._any
        return ~_occurs(tally)[: tally.grid.known].reshape(tally.total_grid.known, -1)

    def _lowest(self, cube: Floats) -> Floats:
        """The lowest of each control level, shape (control levels,); NaN where a group that has rows is undefined."""
        there = ~self._absent
        lowest = np.where(there, cube, np.inf).min(axis=1)
        missing = (there & np.isnan(cube)).any(axis=1) | ~there.any(axis=1)
        result: Floats = np.where(missing, np.nan, lowest)
        return result

    def _of_groups(self, values: Callable[[str], NDArray[Any]]) -> Any:
        import pandas as pd

        index = self._index()
        if self._one:
            (name,) = self._metrics
            found = values(name)
            return pd.Series(found, index=index, name=name, dtype=found.dtype)
        return pd.DataFrame(
            {name: pd.Series(found := values(name), index=index, dtype=found.dtype) for name in self._metrics}
        )

    def _over_groups(self, values: Callable[[str], Floats]) -> Any:
        import pandas as pd

        tally = self._any
        if not tally.controls:
            numbers = {name: float(values(name)[0]) for name in self._metrics}
            return next(iter(numbers.values())) if self._one else pd.Series(numbers)
        grid = tally.total_grid
        index = tally.index(tally.controls, grid)[: grid.known]
        if self._one:
            (name,) = self._metrics
            return pd.Series(values(name), index=index, name=name)
        return pd.DataFrame({name: values(name) for name in self._metrics}, index=index)

    def _gap_intervals(self, comparison: Comparison, method: Method, level: float) -> "pd.DataFrame":
        import pandas as pd

        if not 0 < level < 1:
            raise BadArgument("level", f"it is {level:g}", "Pass a fraction between 0 and 1, such as 0.95.")
        rows, labels = [], []
        for name, metric in self._metrics.items():
            if _is_count(metric):
                continue
            tally = self._tallies[name]
            controls = len(tally.controls)
            found = tally.grid.codes[tally.grid.place, :controls]
            for at in tally.total_grid.codes[: tally.total_grid.known]:
                keys = [tally.keys[control][code] for control, code in zip(tally.controls, at, strict=True)]
                labels.append((*keys, name))
                counts = chosen(tally.groups, (found == at).all(axis=1))
                compared = ~np.asarray(counts.unknown)
                gap = (
                    largest_pair(chosen(counts, compared), metric, comparison=comparison, level=level)
                    if method == "between_groups"
                    else largest_to_overall(counts, compared, metric, comparison=comparison, level=level)
                )
                groups = (_key(tally, gap.group), _key(tally, gap.reference))
                rows.append((gap.estimate, gap.low, gap.high, *groups))
        shown = pd.DataFrame(rows, columns=["estimate", "low", "high", "group", "reference"])
        names = [*self._any.controls, "metric"]
        shown.index = (
            pd.Index([label[0] for label in labels], name="metric")
            if len(names) == 1
            else pd.MultiIndex.from_tuples(labels, names=names)
        )
        return shown


@dataclass(frozen=True)
class Confusion:
    """Counts, or sums of weights, of one group; `value` as text, None where it is missing."""

    value: str | None
    tp: float
    fp: float
    fn: float
    tn: float


def _is_count(metric: Metric) -> bool:
    return metric.name == COUNT


def _key(tally: Tally, group: Group | None) -> Any:
    """A group as its place in by_group's index reads, the control features aside."""
    if group is None:
        return None
    key = tuple(tally.keys[name][tally.values(name).index(group[name])] for name in tally.sensitive)
    return key[0] if len(key) == 1 else key


def _placed(values: Floats, place: NDArray[np.intp], size: int) -> Floats:
    placed = np.full(size, np.nan)
    placed[place] = values
    return placed


def _occurs(tally: Tally) -> NDArray[np.bool_]:
    occurs = np.zeros(tally.grid.size, dtype=bool)
    occurs[tally.grid.place] = True
    return occurs


def _checked(method: Method) -> Method:
    if method not in ("between_groups", "to_overall"):
        raise BadArgument("method", f"there is no '{method}'", 'Pass "between_groups" or "to_overall".')
    return method


def _named_metrics(metrics: Name | Sequence[Name] | Mapping[str, Name]) -> dict[str, Metric]:
    """Label to metric, in order; a metric that is named alone has its own name as label."""
    if isinstance(metrics, Mapping):
        named = {str(label): metric_called(name) for label, name in metrics.items()}
    else:
        names = [metrics] if isinstance(metrics, str) or callable(metrics) else list(metrics)
        labels = [name if isinstance(name, str) else getattr(name, "__name__", str(name)) for name in names]
        named = {label: metric_called(name) for label, name in zip(labels, names, strict=True)}
    if not named:
        raise BadArgument("metrics", "no metric is named", "Name one, such as 'selection_rate'.")
    return named


def _weights(
    metrics: Mapping[str, Metric], sample_weight: Any, sample_params: Mapping[str, Any] | None, *, one: bool
) -> dict[str, Any]:
    """The weights of each metric, or None, by its label."""
    if sample_params is None:
        return dict.fromkeys(metrics, sample_weight)
    if sample_weight is not None:
        raise BadArgument("sample_params", "weights are passed twice", "Pass sample_weight, or sample_params.")
    shared = one or set(sample_params) == {"sample_weight"}
    by_metric = dict.fromkeys(metrics, sample_params) if shared else {name: sample_params.get(name) for name in metrics}
    found = {}
    for name, params in by_metric.items():
        others = set(params or ()) - {"sample_weight"}
        if others or not set(sample_params) <= ({"sample_weight"} if shared else set(metrics)):
            what = min(others or set(sample_params) - set(metrics))
            raise BadArgument(
                "sample_params", f"'{what}' is not used here", "Pass sample_weight, by label of the metric."
            )
        found[name] = None if params is None else params.get("sample_weight")
    return found


def _weight_values(weight: Any, rows: int) -> Floats | None:
    if weight is None:
        return None
    values = column(weight, "sample_weight")
    if len(values) != rows:
        raise LengthMismatch("sample_weight", len(values), rows)
    return table_of({"sample_weight": values}, name="sample_weight").weights("sample_weight")


def _binary(y_true: Any, y_pred: Any, positive: object) -> tuple[NDArray[np.int8] | None, NDArray[np.int8]]:
    """Labels (None where there are none) and predictions as 0 and 1."""
    named = {"y_pred": column(y_pred, "y_pred")} | ({} if y_true is None else {"y_true": column(y_true, "y_true")})
    rows = len(named["y_pred"])
    for name, values in named.items():
        if len(values) != rows:
            raise LengthMismatch(name, len(values), rows)
    table = table_of(named, name="the arguments")
    names = {value for name in named for value in table.groups(name).names}
    if positive is None and names and names <= {"-1", "1"}:
        positive = 1
    found = {name: _binary_column(table, name, positive, others=names) for name in named}
    return found.get("y_true"), found["y_pred"]


def _binary_column(table: "Table", name: str, positive: object, *, others: set[str]) -> NDArray[np.int8]:
    value = None if positive is None else str(positive)
    try:
        return table.binary(name, value)
    except UnknownPositive:
        if value not in others:
            raise
        return np.zeros(table.rows, dtype=np.int8)  # the value occurs, but in the other column alone


def _attributes(features: Mapping[str, Any], *, rows: int) -> dict[str, tuple[Attribute, tuple[Any, ...]]]:
    """Each feature as codes, with the values as they were handed in."""
    for name, values in features.items():
        if len(values) != rows:
            raise LengthMismatch(name, len(values), rows)
    table = table_of(features, name="the features")
    found = {}
    for name in features:
        groups = table.groups(name)
        _, first = np.unique(groups.codes, return_index=True)
        values = table.column(name)
        keys = tuple(
            float("nan") if text is None else values[int(row)].as_py()
            for text, row in zip(groups.values, first, strict=True)
        )
        found[name] = (Attribute(name, groups.codes, groups.values), keys)
    return found
