"""Group metrics of 1,000,000 rows and three sensitive columns (100 cells), beside fairlearn's MetricFrame and Aequitas.

evenhand and fairlearn compute the same rates for every cell of the intersection, their largest differences and smallest
ratios; Aequitas its metrics and disparities for each column by itself.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks.clock import core_seconds, say
from benchmarks.peers import peer_seconds

from evenhand.auditors.counts import Attribute, count
from evenhand.auditors.metrics import COUNT_METRICS
from evenhand.datasets.objects import column_of_objects
from evenhand.datasets.table import Table

ROWS = 1_000_000
LEVELS = {"sex": 2, "race": 5, "age": 10}
METRICS = (
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "false_negative_rate",
    "precision",
    "accuracy",
)


def main() -> int:
    rng = np.random.default_rng(0)
    codes = {name: rng.integers(0, levels, ROWS).astype(np.int32) for name, levels in LEVELS.items()}
    label = (rng.random(ROWS) < 0.4).astype(np.int8)
    prediction = (rng.random(ROWS) < np.where(label == 1, 0.7, 0.2)).astype(np.int8)
    texts = {
        name: np.array([f"{name}-{i}" for i in range(LEVELS[name])], dtype=object)[column]
        for name, column in codes.items()
    }

    ours = core_seconds(lambda: _from_codes(codes, prediction, label), times=9)
    strings = core_seconds(lambda: _from_strings(texts, prediction, label), times=7)
    categories = pd.DataFrame({name: pd.Categorical(values) for name, values in texts.items()})
    theirs = core_seconds(lambda: _fairlearn(categories, prediction, label), times=1)
    theirs_strings = core_seconds(lambda: _fairlearn(pd.DataFrame(texts), prediction, label), times=1)

    cells = int(np.prod(list(LEVELS.values())))
    print(f"\nGroup metrics: {ROWS:,} rows, {len(LEVELS)} sensitive columns, {cells} cells, {len(METRICS)} metrics")
    print(f"  {'evenhand, from codes':<66} {ours:>12.4f} s")
    print(f"  {'evenhand, from object strings':<66} {strings:>12.4f} s")
    print(f"  {'fairlearn MetricFrame, from categories':<66} {theirs:>12.4f} s")
    print(f"  {'fairlearn MetricFrame, from object strings':<66} {theirs_strings:>12.4f} s")
    met = [
        say(
            "fairlearn over evenhand, from codes or categories",
            f"{theirs / ours:,.0f} times",
            goal="2,000 times",
            met=theirs > 2000 * ours,
        ),
        say(
            "fairlearn over evenhand, from object strings",
            f"{theirs_strings / strings:,.0f} times",
            goal="200 times",
            met=theirs_strings > 200 * strings,
        ),
    ]
    aequitas = _aequitas(texts, prediction, label)
    if aequitas is not None:
        print(f"  {'Aequitas, from strings':<66} {aequitas:>12.4f} s")
        ratio = aequitas / strings
        met.append(say("Aequitas over evenhand, from strings", f"{ratio:,.0f} times", goal="4 times", met=ratio > 4))
    return 0 if all(met) else 1


def _from_codes(codes: dict[str, np.ndarray], prediction: np.ndarray, label: np.ndarray) -> list[tuple[float, float]]:
    attributes = [Attribute(name, column, tuple(map(str, range(LEVELS[name])))) for name, column in codes.items()]
    cells = count(attributes, prediction=prediction, label=label).of(*codes).cells
    values = [COUNT_METRICS[name].value(cells) for name in METRICS]
    return [(float(v.max() - v.min()), float(v.min() / v.max())) for v in values]


def _from_strings(texts: dict[str, np.ndarray], prediction: np.ndarray, label: np.ndarray) -> None:
    table = Table("rows", pa.table({name: column_of_objects(values) for name, values in texts.items()}), None, "")
    groups = {name: table.groups(name) for name in texts}
    attributes = [Attribute(name, found.codes, found.values) for name, found in groups.items()]
    cells = count(attributes, prediction=prediction, label=label).of(*texts).cells
    for name in METRICS:
        value = COUNT_METRICS[name].value(cells)
        _ = value.max() - value.min(), value.min() / value.max()


def _aequitas(texts: dict[str, np.ndarray], prediction: np.ndarray, label: np.ndarray) -> float | None:
    columns = {name: pa.array(values, pa.string()) for name, values in texts.items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        pq.write_table(pa.table(columns | {"score": prediction, "label_value": label}), path)
        return peer_seconds("aequitas", str(path))


def fairlearn_metrics() -> dict[str, Callable[..., float]]:
    """fairlearn's functions for METRICS."""
    import fairlearn.metrics as fl
    import sklearn.metrics as sk

    return {
        "selection_rate": fl.selection_rate,
        "true_positive_rate": fl.true_positive_rate,
        "false_positive_rate": fl.false_positive_rate,
        "false_negative_rate": fl.false_negative_rate,
        "precision": sk.precision_score,
        "accuracy": sk.accuracy_score,
    }


def _fairlearn(sensitive: pd.DataFrame, prediction: np.ndarray, label: np.ndarray) -> None:
    import fairlearn.metrics as fl

    frame = fl.MetricFrame(
        metrics=fairlearn_metrics(),
        y_true=label,
        y_pred=prediction,
        sensitive_features=sensitive,
    )
    frame.difference(method="between_groups")
    frame.ratio(method="between_groups")


if __name__ == "__main__":
    sys.exit(main())
