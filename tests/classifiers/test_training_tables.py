"""Learning from table rows."""

import json

import numpy as np
import pytest

from evenhand.classifiers.errors import TrainingFailed, WrongInput
from evenhand.classifiers.training import TABLE_KINDS, TrainingRecord, train_table

from .build import applicants, exclusive_or


def accuracy(trained, columns, label):
    classes = np.array(trained.classifier.classes, dtype=object)
    return (classes[trained.classifier.predict_proba(columns).argmax(1)] == label).mean()


def test_a_neuron_cannot_learn_exclusive_or():
    columns, label = exclusive_or(rows=400, seed=1)

    trained = train_table("neuron", columns, label, seed=0, device="cpu")

    assert accuracy(trained, columns, label.astype(str)) < 0.75


def test_layers_of_neurons_learn_exclusive_or():
    columns, label = exclusive_or(rows=400, seed=1)

    trained = train_table("mlp", columns, label, seed=0, device="cpu")

    assert accuracy(trained, columns, label.astype(str)) > 0.95


@pytest.mark.parametrize("kind", TABLE_KINDS)
def test_every_kind_takes_raw_columns_and_scores_rows_that_sum_to_one(kind, table):
    columns, label = table

    trained = train_table(kind, columns, label, seed=0, device="cpu", epochs=10)
    scores = trained.classifier.predict_proba(columns)

    assert trained.classifier.classes == ("<=50K", ">50K")
    assert trained.classifier.features == tuple(columns)
    assert scores.dtype == np.float64
    assert np.allclose(scores.sum(axis=1), 1)
    assert accuracy(trained, columns, label) > 0.8


@pytest.mark.parametrize("kind", TABLE_KINDS)
def test_unknown_and_missing_values_are_scored(kind, table):
    columns, label = table
    trained = train_table(kind, columns, label, seed=0, device="cpu", epochs=2)
    odd = {"age": np.array([np.nan, 30.0]), "hours-per-week": np.array([np.nan, 30.0])}

    scores = trained.classifier.predict_proba(odd | {"job": np.array([None, "astronaut"], dtype=object)})

    assert np.isfinite(scores).all()


@pytest.mark.parametrize("kind", TABLE_KINDS)
def test_same_seed_gives_the_same_classifier_and_record(kind, table):
    columns, label = table

    first, second = (train_table(kind, columns, label, seed=3, device="cpu", epochs=2) for _ in range(2))

    assert np.array_equal(first.classifier.predict_proba(columns), second.classifier.predict_proba(columns))
    assert first.record == second.record


def test_training_leaves_the_global_random_state_alone(table):
    import torch

    columns, label = table
    before = torch.random.get_rng_state()

    train_table("mlp", columns, label, seed=0, device="cpu", epochs=1)

    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("kind", TABLE_KINDS)
def test_columns_of_numbers_named_categorical_are_levels(kind):
    """Codes 1, 2, 3 whose middle is the odd one: no line over the code finds it, a level does."""
    code = np.tile([1.0, 2.0, 3.0], 60)
    label = np.where(code == 2, "yes", "no").astype(object)

    trained = train_table(kind, {"code": code}, label, categorical=["code"], seed=0, device="cpu")

    assert accuracy(trained, {"code": code}, label) == 1


def test_record_survives_json(logistic):
    again = TrainingRecord.from_json(json.loads(json.dumps(logistic.record.to_json())))

    assert again == logistic.record


def test_record_has_a_curve_over_both_parts(table):
    columns, label = table

    record = train_table("mlp", columns, label, seed=0, device="cpu", epochs=5).record

    assert [score.epoch for score in record.epochs] == [1, 2, 3, 4, 5]
    assert record.train_rows + record.valid_rows == 300
    assert record.best.valid_loss == min(score.valid_loss for score in record.epochs)


def test_training_stops_when_validation_no_longer_improves():
    """Labels that are a coin toss: whatever is learned from one part is wrong on the other."""
    chance = np.random.default_rng(0)
    columns = {f"x{place}": chance.normal(size=120) for place in range(20)}

    record = train_table("mlp", columns, chance.integers(0, 2, 120), seed=0, device="cpu", epochs=60).record

    assert record.stopped_early
    assert len(record.epochs) == record.best_epoch + 10


def test_progress_ends_at_one(table):
    columns, label = table
    seen = []

    train_table("mlp", columns, label, seed=0, device="cpu", epochs=2, progress=lambda f, m: seen.append((f, m)))

    assert seen[-1][0] == 1
    assert seen[0][1].startswith("epoch 1 of 2: loss ")


def test_rows_of_one_unit_stay_together():
    from evenhand.classifiers.training.split import split_rows

    units = np.repeat(np.arange(20), 5)

    split = split_rows(np.arange(100) % 2, fraction=0.2, units=units, generator=np.random.default_rng(0), kind="mlp")

    assert set(units[split.train]).isdisjoint(units[split.valid])
    assert len(split.valid) == 20


def test_a_missing_feature_is_named(logistic):
    with pytest.raises(WrongInput, match="expected the columns age, hours-per-week, job, got none named job"):
        logistic.classifier.predict_proba({"age": np.zeros(1), "hours-per-week": np.zeros(1)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": np.full(300, "x", dtype=object)}, "all rows have the label 'x'"),
        ({"label": np.array([None, "a", "b"] * 100, dtype=object)}, "100 rows have no label"),
        ({"label": np.zeros(3)}, "300 rows, but labels of shape"),
        ({"classes": ["b", "a"]}, "are not sorted"),
        ({"classes": ["<=50K", "rich"]}, "labels >50K are not among the classes"),
        ({"categorical": ["sex"]}, "there is no column sex"),
        ({"kind": "svm"}, "cannot train svm: it is not known. Choose logistic_regression"),
        ({"kind": "neuron", "label": np.array(["a", "b", "c"] * 100, dtype=object)}, "separates two classes, not 3"),
        ({"valid_fraction": 1.0}, "valid_fraction is 1.0"),
    ],
)
def test_what_cannot_be_learned_is_refused_with_a_reason(change, message, table):
    columns, label = table

    with pytest.raises(TrainingFailed, match=message):
        train_table(**({"kind": "mlp", "columns": columns, "label": label, "seed": 0, "device": "cpu"} | change))


def test_integer_labels_that_are_no_codes_are_texts():
    columns, _ = applicants(rows=40, seed=0)

    trained = train_table("neuron", columns, np.tile([1, 2], 20), classes=["1", "2"], seed=0, device="cpu", epochs=1)

    assert trained.record.class_counts == (20, 20)
