"""Aequitas: its columns (`score`, `label_value`), the names of its metrics, and its table of groups.

Source: Saleiro et al. (2018), arXiv:1811.05577, and the package's Group.get_crosstabs.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evenhand.service.audits.errors import BadArgument

if TYPE_CHECKING:
    import pandas as pd

    from evenhand.service.python.result import AuditResult

METRICS: dict[str, str] = {
    "tpr": "true_positive_rate",
    "tnr": "true_negative_rate",
    "fpr": "false_positive_rate",
    "fnr": "false_negative_rate",
    "fdr": "false_discovery_rate",
    "for": "false_omission_rate",
    "npv": "negative_predictive_value",
    "precision": "precision",
    "pprev": "selection_rate",
    "prev": "base_rate",
}
"""Aequitas' name of a metric to ours."""

NO_COUNTERPART: dict[str, str] = {
    "ppr": "it is the group's share of all who are selected (pp / k), which grows with the group: a fact about who is "
    "in the data, no rate of the group. Compare `pprev`, here `selection_rate`. `crosstab` still lists it",
}
"""Aequitas' metrics that are not compared here, and why."""

NOT_ATTRIBUTES = ("id", "model_id", "entity_id")
SCORE, LABEL = "score", "label_value"


def audit(
    df: Any,
    *,
    attr_cols: Sequence[str] | None = None,
    score_thresholds: Mapping[str, Sequence[float]] | None = None,
    score_col: str = SCORE,
    label_col: str = LABEL,
    **more: Any,
) -> "AuditResult":
    """Audit a frame of Aequitas: `evenhand.audit_aequitas`.

    Args:
        df: columns `score` and `label_value`, 0 or 1, and an attribute in every other column but `id`, `model_id` and
            `entity_id`; a pandas, polars or pyarrow table.
        attr_cols: the attributes, where they are not all the others.
        score_thresholds: where `score` is not 0 or 1: one of {"score_val": [t]}, {"rank_abs": [k]}, {"rank_pct": [p]};
            the highest k, or the share p of rows with the highest scores, are selected. Of equal scores the earlier
            row is taken.
        more: as `evenhand.audit`, such as policy or favourable.

    Raises:
        BadArgument: several models, several thresholds, or scores that need one. MissingColumn. What `audit` raises.
    """
    from evenhand.service.python import audit as audit_anything
    from evenhand.service.python.columns import frame_columns, table_of

    table = table_of(frame_columns(df))
    if "model_id" in table.columns and len(table.groups("model_id").values) > 1:
        models = table.groups("model_id").names
        raise BadArgument(
            "df", f"it has {len(models)} models in `model_id`", "Pass the rows of one: df[df.model_id == 1]."
        )
    attributes = list(attr_cols) if attr_cols is not None else _attributes(table.columns, score_col, label_col)
    selected = _selected(table.numeric(score_col), score_thresholds, score_col)
    prediction = score_col if score_col not in attributes else f"{score_col}_selected"
    rows = table.with_column(prediction, selected)
    return audit_anything(data=rows.data, y_true=label_col, y_pred=prediction, sensitive_features=attributes, **more)


def _attributes(columns: Sequence[str], score_col: str, label_col: str) -> list[str]:
    return [name for name in columns if name not in (*NOT_ATTRIBUTES, score_col, label_col)]


def _selected(scores: Any, thresholds: Mapping[str, Sequence[float]] | None, score_col: str) -> Any:
    """1 where a row is selected, else 0; int8 of shape (n,)."""
    if not thresholds:
        if not np.isin(scores, (0.0, 1.0)).all():
            raise BadArgument(
                score_col,
                f"it holds other values than 0 and 1, from {scores.min():g} to {scores.max():g}",
                'Pass score_thresholds={"score_val": [t]}: rows with a score of t or more are selected.',
            )
        return scores.astype(np.int8)
    given = [(kind, value) for kind, values in thresholds.items() for value in values]
    kinds = ("score_val", "rank_abs", "rank_pct")
    if len(given) != 1 or given[0][0] not in kinds:
        raise BadArgument(
            "score_thresholds", f"it names {len(given)} thresholds of kind {', '.join(sorted({k for k, _ in given}))}",
            f"Pass one value of one of {', '.join(kinds)}; audit once for each threshold.",
        )  # fmt: skip
    kind, value = given[0]
    if kind == "score_val":
        return (scores >= value).astype(np.int8)
    rank = np.empty(len(scores), dtype=np.int64)
    rank[np.argsort(-scores, kind="stable")] = np.arange(len(scores))
    return (rank < (value if kind == "rank_abs" else value * len(scores))).astype(np.int8)


def crosstab(result: "AuditResult") -> "pd.DataFrame":
    """The table that Aequitas' `Group.get_crosstabs` makes, from an audit: one row a group of each single attribute.

    Its columns have Aequitas' names and definitions: `ppr` = pp / k with k all who are selected, `pprev` = pp / group
    size, `prev` = (tp + fn) / group size. A group with a missing attribute is left out, as it is there. An undefined
    metric is NaN.
    """
    import pandas as pd

    rows = []
    for attribute in result.report.audits.group_disparity.attributes if result.report.audits.group_disparity else ():
        selected = attribute.overall.counts.selected
        for group in attribute.groups:
            if len(group.group) > 1 or group.unknown or group.counts.tp is None:
                continue
            (name, value), counts = next(iter(group.group.items())), group.counts
            tp, fp, fn, tn = (float(n or 0) for n in (counts.tp, counts.fp, counts.fn, counts.tn))
            estimates = {theirs: group.metrics[ours].estimate for theirs, ours in METRICS.items()}
            rows.append(
                {"attribute_name": name, "attribute_value": value, "k": selected}
                | {key: np.nan if estimate is None else estimate for key, estimate in estimates.items()}
                | {"pp": tp + fp, "pn": fn + tn, "ppr": (tp + fp) / selected if selected else np.nan}
                | {"fp": fp, "fn": fn, "tn": tn, "tp": tp, "group_label_pos": tp + fn, "group_label_neg": fp + tn}
                | {"group_size": tp + fp + fn + tn, "total_entities": result.report.subject.data.rows}
            )
    return pd.DataFrame(rows)
