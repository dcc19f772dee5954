"""scikit-learn's methods as pipelines that take raw columns: missing values, scales and levels are handled inside."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import Columns, rows_of
from evenhand.classifiers.runtimes.pipeline import Pipeline
from evenhand.classifiers.training.cells import PartScore, cell_curves, partitions
from evenhand.classifiers.training.labels import Labels
from evenhand.classifiers.training.options import TrainingOptions
from evenhand.classifiers.training.record import EpochScore, TrainingRecord
from evenhand.classifiers.training.split import Split
from evenhand.classifiers.training.trained import SAMPLE_ROWS, Progress, Trained
from evenhand.classifiers.training.weights import row_weights

PIPELINE_KINDS = ("logistic_regression", "random_forest", "hist_gradient_boosting")
MOST_LEVELS = 100
MOST_LEVELS_OF_TREES = 254  # scikit-learn's histograms have 255 bins, one of them for missing values


def train_pipeline(
    kind: str,
    columns: Columns,
    labels: Labels,
    split: Split,
    *,
    categorical: Sequence[str],
    options: TrainingOptions,
    seed: int,
    progress: Progress,
) -> Trained:
    """Fit one of `PIPELINE_KINDS` on the learning part; its scores on both parts are the one entry of the curve."""
    levels = [name for name, column in columns.items() if column.dtype == object or name in categorical]
    amounts = [name for name in columns if name not in levels]
    estimator = {
        "logistic_regression": _logistic_regression,
        "random_forest": _random_forest,
        "hist_gradient_boosting": _hist_gradient_boosting,
    }[kind](amounts, levels, seed)
    progress(0.0, f"fitting {kind} on {len(split.train):,} rows")
    names = np.array(labels.classes, dtype=object)[labels.codes]
    weights = row_weights(kind, labels, split, options)
    notes = _fit(
        estimator,
        rows_of(columns, split.train),
        names[split.train],
        None if weights is None else weights[split.train],
    )
    classifier = Pipeline(estimator, features=tuple(columns), classes=labels.classes)
    progress(0.9, "scoring the rows held out")
    train = [_scored(classifier, columns, labels, split.train)]
    valid = [_scored(classifier, columns, labels, split.valid)] if len(split.valid) else []
    train_loss, train_accuracy = _loss_and_accuracy(train[0], weights, split.train)
    held_out = _loss_and_accuracy(valid[0], weights, split.valid) if valid else (None, None)
    score = EpochScore(
        epoch=1,
        train_loss=train_loss,
        train_accuracy=train_accuracy,
        valid_loss=held_out[0],
        valid_accuracy=held_out[1],
    )
    record = TrainingRecord(
        kind=kind,
        seed=seed,
        device="cpu",
        split=split.words,
        train_rows=len(split.train),
        valid_rows=len(split.valid),
        class_counts=labels.counts,
        settings=_settings(estimator) | options.said(),
        epochs=(score,),
        best_epoch=1,
        cells=cell_curves(partitions(labels, options), split, train, valid),
        notes=notes,
    )
    progress(1.0, f"{kind}: {train_accuracy:.1%} right on the rows it learned from")
    return Trained(classifier, record, rows_of(columns, split.train[:SAMPLE_ROWS]))


def _fit(estimator: Any, columns: Columns, names: NDArray[Any], weights: NDArray[np.float64] | None) -> tuple[str, ...]:
    from sklearn.exceptions import ConvergenceWarning

    from evenhand.classifiers.runtimes.pipeline import frame

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        estimator.fit(frame(columns), names, **{f"{estimator.steps[-1][0]}__sample_weight": weights})
    return tuple(sorted({str(warning.message).splitlines()[0] for warning in caught}))


def _scored(classifier: Pipeline, columns: Columns, labels: Labels, rows: NDArray[np.int64]) -> PartScore:
    scores, codes = classifier.predict_proba(rows_of(columns, rows)), labels.codes[rows]
    of_truth = np.clip(scores[np.arange(len(codes)), codes], 1e-15, 1)
    return PartScore(-np.log(of_truth), scores.argmax(1) == codes)


def _loss_and_accuracy(
    score: PartScore, weights: NDArray[np.float64] | None, rows: NDArray[np.int64]
) -> tuple[float, float]:
    return float(np.average(score.loss, weights=None if weights is None else weights[rows])), float(score.right.mean())


def _settings(estimator: Any) -> dict[str, float | int | str | bool]:
    parameters = estimator[-1].get_params()
    return {name: value for name, value in parameters.items() if isinstance(value, float | int | str | bool)}


def _logistic_regression(amounts: list[str], levels: list[str], seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(
        _amounts_and_levels(amounts, levels, scaled=True), LogisticRegression(max_iter=1000, random_state=seed)
    )


def _random_forest(amounts: list[str], levels: list[str], seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline

    forest = RandomForestClassifier(n_estimators=100, min_samples_leaf=5, random_state=seed)
    return make_pipeline(_amounts_and_levels(amounts, levels, scaled=False), forest)


def _amounts_and_levels(amounts: list[str], levels: list[str], *, scaled: bool) -> Any:
    """Amounts: the median where missing, then scaled. Levels: one place each, the rare share one, unknown in none."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    median = SimpleImputer(strategy="median", keep_empty_features=True)
    filled = make_pipeline(median, StandardScaler()) if scaled else median
    places = OneHotEncoder(handle_unknown="ignore", max_categories=MOST_LEVELS, sparse_output=False)
    return ColumnTransformer([("amounts", filled, amounts), ("levels", places, levels)])


def _hist_gradient_boosting(amounts: list[str], levels: list[str], seed: int) -> Any:
    """Trees that know missing values and levels by themselves; levels beyond 254 share one place."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=MOST_LEVELS_OF_TREES,
    )
    trees = HistGradientBoostingClassifier(
        categorical_features=[False] * len(amounts) + [True] * len(levels), random_state=seed
    )
    return make_pipeline(ColumnTransformer([("amounts", "passthrough", amounts), ("levels", codes, levels)]), trees)
