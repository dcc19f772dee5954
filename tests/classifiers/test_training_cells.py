"""Learning curves by class and group, weights of rows, leakage, and rows that were learned from."""

import json

import numpy as np
import pytest

from evenhand.classifiers.errors import TrainingFailed
from evenhand.classifiers.training import TrainingOptions, TrainingRecord, leakage, seen_rows, train_table
from evenhand.classifiers.training.labels import Labels
from evenhand.classifiers.training.split import Split
from evenhand.classifiers.training.weights import row_weights

from .build import pictures


@pytest.fixture(scope="module")
def watched(table):
    """An mlp of five epochs, watched by job (with a missing one) and by a column that it does not read."""
    columns, label = table
    job = columns["job"].copy()
    job[:7] = None
    side = np.where(np.arange(300) % 3 == 0, "left", "right").astype(object)
    options = TrainingOptions(groups={"job": job, "side": side})
    return train_table("mlp", columns, label, seed=0, device="cpu", epochs=5, options=options)


@pytest.mark.parametrize("part", ["train", "valid"])
@pytest.mark.parametrize("attribute", [None, "job", "side"])
def test_cells_add_up_to_the_curve_of_all_rows(part, attribute, watched):
    record = watched.record
    cells = record.of_part(part, attribute)
    n = sum(cell.n for cell in cells)
    right = np.sum([cell.right for cell in cells], axis=0)
    loss = np.sum([np.multiply(cell.loss, cell.n) for cell in cells], axis=0)

    assert n == getattr(record, f"{part}_rows")
    assert right / n == pytest.approx([getattr(epoch, f"{part}_accuracy") for epoch in record.epochs])
    assert loss / n == pytest.approx([getattr(epoch, f"{part}_loss") for epoch in record.epochs], rel=1e-6)


def test_a_missing_group_has_cells_of_its_own(watched):
    cells = [cell for cell in watched.record.cells if cell.attribute == "job" and cell.group is None]

    assert sum(cell.n for cell in cells) == 7


def test_groups_are_watched_and_not_learned_from(table, watched):
    columns, label = table

    plain = train_table("mlp", columns, label, seed=0, device="cpu", epochs=5)

    assert np.array_equal(watched.classifier.predict_proba(columns), plain.classifier.predict_proba(columns))


def test_the_cell_of_one_row_is_its_own_loss(table):
    """The row's score, read from the classifier, is what its cell records."""
    columns, label = table
    alone = np.where(np.arange(300) == 5, "it", "others").astype(object)
    options = TrainingOptions(groups={"who": alone})

    trained = train_table("logistic_regression", columns, label, seed=0, valid_fraction=0, options=options)
    cell = next(cell for cell in trained.record.cells if cell.group == "it")
    scores = trained.classifier.predict_proba(columns)[5]

    assert (cell.n, cell.label) == (1, label[5])
    assert cell.loss[0] == pytest.approx(-np.log(scores[trained.classifier.classes.index(label[5])]))


def test_the_record_with_cells_survives_json(watched):
    again = TrainingRecord.from_json(json.loads(json.dumps(watched.record.to_json())))

    assert again == watched.record


def test_a_record_of_an_earlier_version_is_read(watched):
    earlier = watched.record.to_json()
    for name in ("cells", "leakage", "seen"):
        del earlier[name]

    assert TrainingRecord.from_json(earlier).cells == ()


LABELS = Labels(np.array([0, 0, 0, 1, 0, 1, 1, 1, 1, 1]), ("no", "yes"))
GROUPS = {"sex": np.array(list("FFFFMMMMMM"), dtype=object)}
ALL = Split(np.arange(10), np.zeros(0, dtype=np.int64), "all")


def weights(**asked):
    return row_weights("mlp", LABELS, ALL, TrainingOptions(groups=GROUPS, **asked))


def test_reweighing_by_hand():
    """P(F) = .4, P(no) = .4, P(F, no) = .3: a refused woman weighs .4 x .4 / .3; a refused man .6 x .4 / .1."""
    found = weights(group_weight="balanced")

    assert found[[0, 3, 4, 5]] == pytest.approx([0.16 / 0.3, 0.24 / 0.1, 0.24 / 0.1, 0.36 / 0.5])


def test_reweighing_makes_group_and_class_independent():
    found, women = weights(group_weight="balanced"), GROUPS["sex"] == "F"

    rates = [np.average(LABELS.codes[group], weights=found[group]) for group in (women, ~women)]

    assert rates == pytest.approx([0.6, 0.6])


@pytest.mark.parametrize("asked", [{}, {"group_weight": "balanced"}])
def test_balanced_classes_weigh_the_same(asked):
    found = weights(class_weight="balanced", **asked)

    assert found[LABELS.codes == 0].sum() == pytest.approx(found[LABELS.codes == 1].sum())
    assert found.mean() == pytest.approx(1)


def test_weights_by_group_need_groups(table):
    columns, label = table

    with pytest.raises(TrainingFailed, match="Name a sensitive column: `sensitive`"):
        train_table("mlp", columns, label, seed=0, options=TrainingOptions(group_weight="balanced"))


@pytest.mark.parametrize("kind", ["logistic_regression", "hist_gradient_boosting", "random_forest", "neuron"])
def test_balanced_classes_find_more_of_the_rare_class(kind):
    chance = np.random.default_rng(0)
    label = (chance.random(2000) < 0.1).astype(int)
    columns = {"x": label + chance.normal(0, 1, 2000)}

    recall = [
        train_table(kind, columns, label, seed=0, device="cpu", epochs=8, options=options)
        .classifier.predict_proba(columns)[label == 1, 1]
        .round()
        .mean()
        for options in (TrainingOptions(), TrainingOptions(class_weight="balanced"))
    ]

    assert recall[1] > recall[0] + 0.2


def people(rows=200):
    chance = np.random.default_rng(0)
    return {f"x{place}": chance.normal(size=rows).round(6) for place in range(6)} | {
        "job": chance.choice(np.array(["cook", "nurse", None], dtype=object), rows)
    }


def test_planted_twins_are_counted():
    """Of 100 kept rows, 9 repeat a training row, 5 differ in one column, 4 by noise in the ninth digit of each."""
    columns, train = people(), np.arange(200) < 100
    for values in columns.values():
        values[100:118] = values[:18]
    columns["x2"][109:114] += 3
    for place in range(6):
        columns[f"x{place}"][114:118] *= 1 + 1e-9

    found = leakage(columns, train=train)

    assert (found.kept, found.identical, found.near) == (100, 9, 9)
    assert "9 identical" in found.warning
    assert "9 nearly identical" in found.warning


def test_rows_drawn_apart_are_no_leak():
    found = leakage(people(), train=np.arange(200) < 100)

    assert (found.identical, found.near, found.warning) == (0, 0, None)


def test_pictures_that_were_brightened_a_little_are_nearly_identical():
    images, _ = pictures(count=40, seed=0)
    images[::2] = images[::2].transpose(0, 2, 1, 3)
    images[30] = images[1]
    images[31] = images[2] + 2

    found = leakage(images, train=np.arange(40) < 20)

    assert (found.identical, found.near) == (1, 1)


def test_training_rows_are_known_again_in_another_order_and_type():
    columns = people()
    first = {name: values[:50] for name, values in columns.items()}
    columns["more"] = np.zeros(200)

    seen = seen_rows(dict(reversed(first.items()))).among(columns)

    assert (seen.compared, seen.found, seen.rows) == (200, 50, 200)


def test_of_many_training_rows_a_sample_is_kept():
    values = {"x": np.arange(40_000.0)}

    kept = seen_rows({"x": values["x"][:20_000]})
    seen = kept.among(values)

    assert kept.one_in == 8
    assert len(kept.digests) < 45_000
    assert seen.found / seen.compared == pytest.approx(0.5, abs=0.03)
    assert kept.among({"x": values["x"] + 0.5}).found == 0


def test_digests_are_those_of_every_machine():
    """Digests are kept in files: a change of the formula would make every older model forget its rows."""
    assert seen_rows({"age": np.array([39.0]), "job": np.array(["cook"], dtype=object)}).digests == DIGEST


DIGEST = "FEI2WEkCCKQ="
