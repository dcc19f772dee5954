"""SageMaker Clarify: its metric codes with their formulas, and `analysis_config.json` as a policy.

Source of the formulas: the open library of the service (aws/amazon-sagemaker-clarify, bias/metrics), where d is the facet
named as sensitive and a all other rows; of the configuration: the service's developer guide, "Analysis Configuration
Files". Where the library answers 0/0 with a number, the value here is undefined.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from evenhand.auditors.metrics import COUNT_METRICS
from evenhand.auditors.policy import (
    EQUALIZED_ODDS_TOLERANCE,
    IMPACT_RATIO_TOLERANCE,
    Check,
    DataSection,
    Policy,
    ReportSection,
    default_checks,
)
from evenhand.auditors.verdict import Comparison, Gate
from evenhand.service.audits.errors import BadArgument, BadImport


@dataclass(frozen=True)
class Cells:
    """Confusion counts of the facet (d) or of all other rows (a)."""

    tp: float
    fp: float
    fn: float
    tn: float

    @property
    def n(self) -> float:
        return self.tp + self.fp + self.fn + self.tn


Formula = Callable[[Cells, Cells], float | None]
"""Of the facet's cells and of the others', in this order; None is undefined."""


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _difference(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _less(of: Callable[[Cells], float | None], *, facet_first: bool = False) -> Formula:
    """Others less facet, or facet less others."""
    return (lambda d, a: _difference(of(d), of(a))) if facet_first else (lambda d, a: _difference(of(a), of(d)))


def _labelled(c: Cells) -> float | None:
    return _share(c.tp + c.fn, c.n)


def _selected(c: Cells) -> float | None:
    return _share(c.tp + c.fp, c.n)


def _distributions(d: Cells, a: Cells) -> tuple[np.ndarray, np.ndarray] | None:
    one, other = _labelled(d), _labelled(a)
    if one is None or other is None:
        return None
    return np.array([one, 1 - one]), np.array([other, 1 - other])


def _between(distance: Callable[[np.ndarray, np.ndarray], float]) -> Formula:
    """A distance of the label's distribution among the others from that in the facet."""

    def formula(d: Cells, a: Cells) -> float | None:
        found = _distributions(d, a)
        return None if found is None else float(distance(found[1], found[0]))

    return formula


def _kl(p: np.ndarray, q: np.ndarray) -> float:
    there = p > 0
    return float("inf") if (q[there] == 0).any() else float(np.sum(p[there] * np.log(p[there] / q[there])))


def _js(p: np.ndarray, q: np.ndarray) -> float:
    return (_kl(p, (p + q) / 2) + _kl(q, (p + q) / 2)) / 2


def _ratio_of_selected(d: Cells, a: Cells) -> float | None:
    one, other = _selected(d), _selected(a)
    return None if one is None or not other else one / other


@dataclass(frozen=True)
class Code:
    """A metric of Clarify, and what it is here.

    Attributes:
        name: in Clarify's words.
        stage: computed on labels alone ("pre"), or on predictions ("post").
        metric: the metric of a check here, or None where nothing here corresponds.
        comparison: how the check compares groups.
        note: how the two differ; where metric is None, why.
        formula: Clarify's value from the counts of facet and others; None where counts do not suffice.
    """

    name: str
    stage: Literal["pre", "post"]
    metric: str | None
    comparison: Comparison | None
    note: str
    formula: Formula | None = None

    @property
    def tolerance(self) -> float:
        """What an imported check tolerates: Clarify has no tolerance."""
        return IMPACT_RATIO_TOLERANCE if self.comparison is Comparison.RATIO else EQUALIZED_ODDS_TOLERANCE


DIFFERENCE, RATIO = Comparison.DIFFERENCE, Comparison.RATIO
_LABELS_OF_TWO = "of a label of two values it is a function of DPL alone; compare `base_rate`"

CODES: dict[str, Code] = {
    "CI": Code(
        "Class Imbalance", "pre", None, None,
        "it is about who is in the data: see the shares of the representation audit; CI = 1 - 2 share of the facet",
        lambda d, a: _share(a.n - d.n, a.n + d.n),
    ),
    "DPL": Code(
        "Difference in Proportions of Labels", "pre", "base_rate", DIFFERENCE,
        "of the labels: others less facet", _less(_labelled),
    ),
    "KL": Code("Kullback-Leibler Divergence", "pre", None, None, _LABELS_OF_TWO, _between(_kl)),
    "JS": Code("Jensen-Shannon Divergence", "pre", None, None, _LABELS_OF_TWO, _between(_js)),
    "LP": Code(
        "Lp-norm", "pre", "base_rate", DIFFERENCE, "of a label of two values it is root 2 |DPL|",
        _between(lambda p, q: float(np.linalg.norm(p - q))),
    ),
    "TVD": Code(
        "Total Variation Distance", "pre", "base_rate", DIFFERENCE, "of a label of two values it is |DPL|",
        _between(lambda p, q: float(np.abs(p - q).sum() / 2)),
    ),
    "KS": Code(
        "Kolmogorov-Smirnov", "pre", "base_rate", DIFFERENCE, "of a label of two values it is |DPL|",
        _between(lambda p, q: float(np.abs(p - q).max())),
    ),
    "CDDL": Code(
        "Conditional Demographic Disparity in Labels", "pre", None, None,
        "it is conditional on the group variable, which import names as `stratum`, but of the labels; of the predictions it "
        "is CDDPL",
    ),
    "DPPL": Code(
        "Difference in Positive Proportions in Predicted Labels", "post", "demographic_parity_difference", DIFFERENCE,
        "others less facet", _less(_selected),
    ),
    "DI": Code(
        "Disparate Impact", "post", "impact_ratio", RATIO,
        "facet over others; here the lower rate over the higher, so that DI 1.25 reads .8", _ratio_of_selected,
    ),
    "DCA": Code(
        "Difference in Conditional Acceptance", "post", None, None,
        "it divides the positive labels by the positive predictions, which is no share of anybody; compare `precision` "
        "and `true_positive_rate`",
        _less(lambda c: _share(c.tp + c.fn, c.tp + c.fp)),
    ),
    "DCR": Code(
        "Difference in Conditional Rejection", "post", None, None,
        "it divides the negative labels by the negative predictions, which is no share of anybody; compare "
        "`negative_predictive_value` and `true_negative_rate`",
        _less(lambda c: _share(c.fp + c.tn, c.fn + c.tn), facet_first=True),
    ),
    "SD": Code(
        "Specificity Difference", "post", "true_negative_rate", DIFFERENCE, "facet less others",
        _less(lambda c: _share(c.tn, c.tn + c.fp), facet_first=True),
    ),
    "RD": Code(
        "Recall Difference", "post", "equal_opportunity_difference", DIFFERENCE, "others less facet",
        _less(lambda c: _share(c.tp, c.tp + c.fn)),
    ),
    "DAR": Code(
        "Difference in Acceptance Rates", "post", "predictive_parity_difference", DIFFERENCE,
        "of the precision: others less facet", _less(lambda c: _share(c.tp, c.tp + c.fp)),
    ),
    "DRR": Code(
        "Difference in Rejection Rates", "post", "negative_predictive_value", DIFFERENCE, "facet less others",
        _less(lambda c: _share(c.tn, c.tn + c.fn), facet_first=True),
    ),
    "AD": Code(
        "Accuracy Difference", "post", "accuracy", DIFFERENCE, "others less facet",
        _less(lambda c: _share(c.tp + c.tn, c.n)),
    ),
    "TE": Code(
        "Treatment Equality", "post", "treatment_equality", DIFFERENCE,
        "false negatives for each false positive: facet less others",
        _less(lambda c: _share(c.fn, c.fp), facet_first=True),
    ),
    "CDDPL": Code(
        "Conditional Demographic Disparity in Predicted Labels", "post", "conditional_demographic_disparity",
        Comparison.VALUE, "it needs a group variable, which becomes `stratum`",
    ),
    "FT": Code(
        "Counterfactual Flip Test", "post", None, None,
        "it asks the nearest neighbours in the features, which depends on their units; pictures have the paired "
        "counterfactual of the perception audit",
    ),
    "GE": Code(
        "Generalized Entropy", "post", None, None,
        "it is a spread over persons; the part of it that lies between groups is `generalized_entropy_between`",
    ),
}  # fmt: skip
"""Clarify's code to what it is here."""


def values(
    *, y_true: Any, y_pred: Any = None, facet: Any, value: object, positive: object = None
) -> dict[str, float | None]:
    """What Clarify calls DPL, DI and so on: its own signed values, facet `value` against all other rows.

    Args:
        y_true, y_pred: shape (n,), as MetricFrame takes them; without y_pred only the codes on labels.
        facet: the sensitive column; value: the group that Clarify calls the facet. Rows without a facet are left out.
        positive: the positive value, where labels are not 0 and 1.

    Returns:
        Each code whose formula needs nothing but counts; None where it is undefined.

    Raises:
        BadArgument: no row, or every row, is of the facet.
    """
    from evenhand.service.python.frame import MetricFrame

    counted = MetricFrame(
        metrics="accuracy",
        y_true=y_true,
        y_pred=y_true if y_pred is None else y_pred,
        sensitive_features=facet,
        positive=positive,
    ).confusions
    known = [group for group in counted if group.value is not None]
    parts = [[group for group in known if (group.value == str(value)) is inside] for inside in (True, False)]
    if not all(parts):
        names = ", ".join(str(group.value) for group in known)
        raise BadArgument("value", f"'{value}' does not split the rows in two", f"The groups are: {names}.")
    d, a = (
        Cells(*(float(sum(getattr(group, cell) for group in part)) for cell in ("tp", "fp", "fn", "tn")))
        for part in parts
    )
    return {
        code: formula(d, a)
        for code, known_code in CODES.items()
        if (formula := known_code.formula) is not None and (y_pred is not None or known_code.stage == "pre")
    }


@dataclass(frozen=True)
class Imported:
    """A policy made of another tool's configuration, and what its reader must know.

    Attributes:
        policy: what could be taken over.
        notes: what differs, and what could not be taken over, with the reason.
    """

    policy: Policy
    notes: list[str] = field(default_factory=list)


NOT_TAKEN = {
    "predictor": "the model endpoint: pass a model file with --model, or the column of its answers with --prediction",
    "predicted_label_dataset_uri": "predictions in a file of their own: join them to the rows",
    "facet_dataset_uri": "facets in a file of their own: join them to the rows",
    "joinsource_name_or_index": "the key of a join: hand in one table",
    "excluded_columns": "columns kept from the model: name those that it reads under `features`",
    "features": "a path into JSON: hand in a table",
    "time_series_data_config": "time series",
}
"""Keys that are left out, each with what to do."""


def policy_of(config: str | Path | Mapping[str, Any]) -> Imported:
    """The policy that an `analysis_config.json` stands for.

    Args:
        config: its path, or what it holds.

    Raises:
        BadImport: it is no JSON object, has no facet, or names a column by a number without `headers`.
    """
    name, document = _read(config)
    notes: list[str] = []
    columns = _Columns(name, document.get("headers") or document.get("predicted_label_headers"))
    data: dict[str, Any] = {"label": columns.named(document.get("label"), "label"), "source": _source(document, notes)}
    data |= _predictions(document, columns, notes)
    data["positive"] = _positive(document, notes)
    data["sensitive"] = _facets(name, document, columns, notes)
    data["stratum"] = columns.named(document.get("group_variable"), "group_variable")
    notes += [f"{key} is left out: {why}." for key, why in NOT_TAKEN.items() if key in document]
    methods = document.get("methods") or {}
    checks = _checks(methods, notes, with_labels=data["label"] is not None, with_stratum=data["stratum"] is not None)
    for key in methods:
        if key not in ("pre_training_bias", "post_training_bias", "report"):
            notes.append(f"methods.{key} is left out: it explains a model and compares no groups. See the proxy audit.")
    policy = Policy(
        data=DataSection(**{key: value for key, value in data.items() if value is not None}),
        check=checks,
        report=ReportSection(title=(methods.get("report") or {}).get("title")),
    )
    return Imported(policy, notes)


def _read(config: str | Path | Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    if isinstance(config, Mapping):
        return "the configuration", config
    try:
        document = json.loads(Path(config).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadImport(config, WHAT, error.strerror or str(error)) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadImport(config, WHAT, str(error)) from None
    if not isinstance(document, Mapping):
        raise BadImport(config, WHAT, "it is no JSON object")
    return str(config), document


WHAT = "analysis configuration of SageMaker Clarify"


class _Columns:
    """Columns by name, or by their number in `headers`."""

    def __init__(self, config: str, headers: Any) -> None:
        self.config, self.headers = config, headers

    def named(self, column: Any, key: str) -> str | None:
        if column is None or isinstance(column, str):
            return column
        if not isinstance(column, int) or isinstance(column, bool):
            raise BadImport(self.config, WHAT, f"{key} is {column!r}, which is neither a column nor its number")
        if not self.headers:
            raise BadImport(self.config, WHAT, f"{key} is column {column} and there are no `headers`; name the column")
        if not 0 <= column < len(self.headers):
            raise BadImport(self.config, WHAT, f"{key} is column {column} and `headers` names {len(self.headers)}")
        return str(self.headers[column])


def _source(document: Mapping[str, Any], notes: list[str]) -> str | None:
    source = document.get("dataset_uri")
    if source is None or "://" not in str(source):
        return None if source is None else str(source)
    notes.append(f"dataset_uri {source} is not fetched: name a local copy as `source` under [data].")
    return None


def _predictions(document: Mapping[str, Any], columns: _Columns, notes: list[str]) -> dict[str, Any]:
    """The predicted label, or a probability with its threshold."""
    predicted = columns.named(document.get("predicted_label"), "predicted_label")
    probability = document.get("probability")
    threshold = document.get("probability_threshold")
    if probability is not None and predicted is None:
        notes.append("Clarify predicts positive above the threshold; evenhand at it, too.")
        return {
            "score": columns.named(probability, "probability"),
            "threshold": 0.5 if threshold is None else float(threshold),
        }
    if predicted is None:
        notes.append(
            "no column of predictions is named, since Clarify asked the endpoint: add `prediction` (or `score` and "
            "`threshold`) under [data], or [model] with `path`."
        )
    return {"prediction": predicted}


def _positive(document: Mapping[str, Any], notes: list[str]) -> Any:
    wanted = document.get("label_values_or_threshold")
    found = wanted if isinstance(wanted, list) else [] if wanted is None else [wanted]
    if not isinstance(wanted, list) and wanted is not None:
        notes.append(
            f"label_values_or_threshold {wanted} is taken as the positive value. Where the label is continuous, Clarify takes "
            "it as a lower bound: make a column of 0 and 1 first."
        )
    if len(found) > 1:
        notes.append(
            f"the label has {len(found)} positive values ({', '.join(map(str, found))}) and `positive` takes one: make a column "
            "of 0 and 1, or name one of them."
        )
        return None
    return found[0] if found else None


def _facets(name: str, document: Mapping[str, Any], columns: _Columns, notes: list[str]) -> list[str]:
    facets = document.get("facet") or []
    facets = facets if isinstance(facets, list) else [facets]
    if not facets:
        raise BadImport(name, WHAT, "it has no `facet`, so that nothing is sensitive")
    found = []
    for facet in facets:
        column = columns.named(facet.get("name_or_index"), "facet.name_or_index")
        if column is None:
            raise BadImport(name, WHAT, "a facet has no `name_or_index`")
        found.append(column)
        value = facet.get("value_or_threshold")
        if isinstance(value, list) and value:
            notes.append(
                f"Clarify compares {column} = {' or '.join(map(str, value))} with all other rows; evenhand compares every two "
                "groups, and so also these."
            )
        if value is not None and not isinstance(value, list):
            notes.append(
                f"{column} is split at {value}: evenhand takes every value as a group. Make a column with the two bands."
            )
    return list(dict.fromkeys(found))


def _checks(methods: Mapping[str, Any], notes: list[str], *, with_labels: bool, with_stratum: bool) -> list[Check]:
    """A check for each code; where all are asked for, evenhand's defaults are gated and the rest is reported."""
    chosen: dict[str, bool] = {}
    for stage, key in (("pre", "pre_training_bias"), ("post", "post_training_bias")):
        asked = (methods.get(key) or {}).get("methods")
        if asked == "all":
            chosen |= {code: False for code, known in CODES.items() if known.stage == stage}
        elif isinstance(asked, list):
            chosen |= {str(code): True for code in asked}
    checks: dict[tuple[str, Comparison], Check] = {}
    for code, by_name in chosen.items():
        known = CODES.get(code)
        if known is None:
            notes.append(f"{code} is no metric of Clarify that is known here.")
        elif known.metric is None or known.comparison is None:
            notes.append(f"{code} ({known.name}) has no counterpart: {known.note}.")
        elif known.comparison is Comparison.VALUE and not with_stratum:
            notes.append(f"{code} ({known.name}) is left out: {known.note}.")
        else:
            check = Check(
                metric=known.metric,
                within=known.tolerance,
                compare=known.comparison if known.metric in COUNT_METRICS else None,
                gate=None if by_name else Gate.OFF,
            )
            before = checks.get((known.metric, known.comparison))
            if before is None or (before.gate is Gate.OFF and by_name):
                checks[known.metric, known.comparison] = check
    if not any(chosen.values()):
        gated = {(check.metric, _comparison(check.metric)): check for check in default_checks(with_labels=with_labels)}
        checks = gated | {key: check for key, check in checks.items() if key not in gated}
        if chosen:
            notes.append(
                "all metrics are asked for: the defaults of evenhand are gated, the others reported (gate off)."
            )
    return list(checks.values())


def _comparison(metric: str) -> Comparison:
    return RATIO if metric.endswith("_ratio") else DIFFERENCE


def table() -> str:
    """The codes as a table of Markdown, for the documentation."""
    lines = ["| code | Clarify's name | here | |", "|---|---|---|---|"]
    for code, known in CODES.items():
        here = "none" if known.metric is None else f"`{known.metric}`"
        lines.append(f"| {code} | {known.name} | {here} | {known.note} |")
    return "\n".join(lines)
