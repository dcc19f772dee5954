"""How a training record is arranged for the page of its model."""

import json

import numpy as np
import pytest

from evenhand.classifiers.training import TrainingOptions, train_table
from evenhand.service.render.learning import MOST_LINES, arranged
from evenhand.service.render.page import _environment


@pytest.fixture(scope="module")
def record() -> dict:
    chance = np.random.default_rng(0)
    x = chance.normal(size=300)
    groups = {"sex": chance.choice(np.array(["F", "M", None], dtype=object), 300)}
    trained = train_table(
        "neuron",
        {"x": x},
        (x > 0).astype(int),
        seed=0,
        device="cpu",
        epochs=4,
        options=TrainingOptions(groups=groups),
    )
    return json.loads(json.dumps(trained.record.shown()))


def test_cells_are_those_of_the_epoch_kept(record: dict) -> None:
    learning = arranged(record)

    assert learning is not None
    by_class, by_sex = learning.tables
    assert [row.label for row in by_class.rows] == ["0", "1"]
    assert {row.name for row in by_sex.rows} == {"F", "M", "missing"}
    right = sum(row.held_out * row.held_out_accuracy for row in by_sex.rows if row.held_out)
    assert right == pytest.approx(record["valid_rows"] * learning.best["valid_accuracy"])


def test_every_curve_has_a_point_for_each_epoch(record: dict) -> None:
    learning = arranged(record)

    assert learning is not None
    assert [plot.title for plot in learning.plots][:2] == ["Loss by epoch", "Accuracy by epoch"]
    assert all(len(line.points) == 4 for plot in learning.plots for line in plot.chart.lines)


def test_very_many_cells_leave_the_smallest_to_the_table(record: dict) -> None:
    cell = {"part": "valid", "label": "0", "attribute": "town", "n": 5, "right": [1] * 4, "loss": [1.0] * 4}
    many = record | {"cells": [cell | {"group": str(town), "n": town + 5} for town in range(20)]}

    learning = arranged(many)

    assert learning is not None
    assert (len(learning.plots[-1].chart.lines), learning.plots[-1].left_out) == (MOST_LINES, 20 - MOST_LINES)
    assert len(learning.tables[0].rows) == 20


def page(record: dict) -> str:
    return _environment().get_template("models/training.html").render(learning=arranged(record))


def test_only_what_was_trained_in_epochs_is_said_to_have_epochs(record: dict) -> None:
    x = np.random.default_rng(0).normal(size=300)
    trees = train_table("hist_gradient_boosting", {"x": x}, (x > 0).astype(int), seed=0, device="cpu")

    of_trees, of_network = page(json.loads(json.dumps(trees.record.shown()))), page(record)

    assert "Accuracy by class" in of_trees
    assert "epoch" not in of_trees.lower()
    assert f"those of epoch {record['best_epoch']} of 4" in of_network
    assert f"Accuracy by class, epoch {record['best_epoch']}" in of_network


def test_page_says_why_cells_are_faint(record: dict) -> None:
    small = [cell for cell in record["cells"] if cell["part"] == "valid" and cell["n"] < 30]

    assert small
    assert f"Faint in the tables: {len(small)} with fewer than 30 held-out rows" in page(record)


def test_the_record_of_an_older_version_is_shown_without_cells(record: dict) -> None:
    older = {name: value for name, value in record.items() if name not in ("cells", "leakage", "weighted_sum")}

    learning = arranged(older)

    assert learning is not None
    assert learning.tables == ()
    assert arranged(None) is None


def test_the_sum_of_a_neuron_is_bias_and_products_and_agrees_with_its_score(record: dict) -> None:
    shown = record["weighted_sum"]

    total = shown["bias"] + sum(term["read_as"] * term["weight"] for term in shown["terms"])

    assert shown["total"] == pytest.approx(total)
    assert shown["score"] == pytest.approx(1 / (1 + np.exp(-total)))
