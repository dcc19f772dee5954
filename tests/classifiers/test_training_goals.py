"""How well the methods learn, and that what is saved scores the same, on the built-in sets."""

import time

import numpy as np
import pytest

from evenhand.classifiers.saving import save, to_bytes
from evenhand.classifiers.training import train_images, train_table
from evenhand.datasets.sources import open_source

KEPT_DIGITS = 497


def adult(part):
    whole = open_source("adult")
    groups = whole.groups("split")
    rows = np.flatnonzero(groups.codes == groups.values.index(part))
    return whole.take(rows)


def of_adult(table):
    return table.features(list(table.card.features)), table.classes("income")


def test_convnet4_reads_digits_in_under_a_minute_of_one_core():
    digits = open_source("digits")
    order = np.random.default_rng(0).permutation(digits.rows)
    train, test = order[KEPT_DIGITS:], order[:KEPT_DIGITS]
    classes = digits.table.classes("digit")

    started = time.process_time()
    trained = train_images(
        "convnet4", digits.images[train], classes.codes[train], classes=classes.names, seed=0, device="cpu", epochs=15
    )
    taken = time.process_time() - started
    scores = trained.classifier.predict_proba(digits.images[test].astype(np.float32) / 255)

    assert (scores.argmax(1) == classes.codes[test]).mean() >= 0.97
    assert taken < 60


def test_convnet4_sees_gender_presentation_of_unseen_roles():
    drawings = open_source("emoji-people")
    split, gender = drawings.table.groups("split"), drawings.table.classes("gender")
    role = drawings.table.groups("role").codes
    train, test = (np.flatnonzero(split.codes == split.values.index(part)) for part in ("train", "test"))

    trained = train_images(
        "convnet4",
        drawings.images[train],
        gender.codes[train],
        classes=gender.names,
        units=role[train],
        seed=0,
        device="cpu",
        epochs=20,
    )
    scores = trained.classifier.predict_proba(drawings.images[test].astype(np.float32) / 255)

    assert set(role[train]).isdisjoint(role[test])
    assert (scores.argmax(1) == gender.codes[test]).mean() >= 0.75


def test_gradient_boosting_predicts_adult_incomes_of_the_official_test_part():
    train, test = adult("train"), adult("test")
    columns, income = of_adult(train)
    categorical = [name for name in train.card.categorical if name in columns]

    trained = train_table(
        "hist_gradient_boosting", columns, income.codes, classes=income.names, categorical=categorical, seed=0
    )
    scores = trained.classifier.predict_proba(of_adult(test)[0])

    assert (scores.argmax(1) == test.classes("income").codes).mean() >= 0.87


@pytest.mark.parametrize("kind", ["logistic_regression", "random_forest"])
def test_onnxruntime_scores_adult_with_its_text_columns_as_scikit_learn_does(kind, tmp_path):
    from evenhand.classifiers.loading import load_classifier

    columns, income = of_adult(adult("train").take(np.arange(4000)))
    trained = train_table(kind, columns, income.codes, classes=income.names, seed=0)
    save(trained, tmp_path / "income.onnx")

    with load_classifier(tmp_path / "income.onnx", features=list(columns)) as loaded:
        scores = loaded.classifier.predict_proba(columns)

    assert any(None in column.tolist() for column in columns.values() if column.dtype == object)
    assert np.abs(scores - trained.classifier.predict_proba(columns)).max() <= 1e-6


def test_a_forest_of_adult_read_back_scores_the_same_bits():
    from evenhand.classifiers.runtimes import skops_file

    columns, income = of_adult(adult("test").take(np.arange(3000)))
    trained = train_table("random_forest", columns, income.codes, classes=income.names, seed=0)

    again, _ = skops_file.from_bytes(to_bytes(trained), name="forest")

    assert np.array_equal(again.predict_proba(columns), trained.classifier.predict_proba(columns))
