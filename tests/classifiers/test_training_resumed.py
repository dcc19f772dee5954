"""A training that was killed goes on from its last epoch, and ends with the same bits."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from evenhand.classifiers.saving import to_bytes
from evenhand.classifiers.training import TrainingOptions, train_images, train_table

from .build import pictures

KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from evenhand.classifiers.training import TrainingOptions, train_images
from tests.classifiers.build import pictures

torch.set_num_threads(1)
images, label = pictures(count=60, seed=0)

def killing(fraction, message):
    if message.startswith("epoch 3"):
        os.kill(os.getpid(), signal.SIGKILL)

train_images("convnet4", images, label, seed=0, device="cpu", epochs=6,
             options=TrainingOptions(checkpoint=Path(sys.argv[1])), progress=killing)
"""


def test_a_training_killed_after_an_epoch_ends_with_the_bits_of_one_that_was_not(tmp_path):
    images, label = pictures(count=60, seed=0)
    kept = tmp_path / "model.checkpoint"
    seen = []

    killed = subprocess.run([sys.executable, "-c", KILLED, str(kept)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert kept.is_file()
    resumed = train_images(
        "convnet4",
        images,
        label,
        seed=0,
        device="cpu",
        epochs=6,
        options=TrainingOptions(checkpoint=kept),
        progress=lambda fraction, message: seen.append(message),
    )
    whole = train_images("convnet4", images, label, seed=0, device="cpu", epochs=6)

    assert to_bytes(resumed) == to_bytes(whole)
    assert [message.partition(":")[0] for message in seen] == ["epoch 4 of 6", "epoch 5 of 6", "epoch 6 of 6"]
    assert not kept.exists()


class Stopped(Exception):
    pass


def stopping(after):
    def progress(fraction, message):
        if message.startswith(f"epoch {after} "):
            raise Stopped

    return progress


def test_weights_of_rows_and_the_best_epoch_survive_too(table, tmp_path):
    columns, label = table
    groups = {"job": columns["job"]}
    asked = {"class_weight": "balanced", "group_weight": "balanced", "groups": groups, "patience": 3}
    arguments = {"seed": 0, "device": "cpu", "epochs": 20}

    for after in (2, 5):
        with pytest.raises(Stopped):
            train_table(
                "mlp",
                columns,
                label,
                **arguments,
                options=TrainingOptions(**asked, checkpoint=tmp_path / "kept"),
                progress=stopping(after),
            )
    options = TrainingOptions(**asked, checkpoint=tmp_path / "kept")
    resumed = train_table("mlp", columns, label, **arguments, options=options)

    assert to_bytes(resumed) == to_bytes(
        train_table("mlp", columns, label, **arguments, options=TrainingOptions(**asked))
    )


@pytest.mark.parametrize("other", [{"seed": 1}, {"epochs": 5}, {"valid_fraction": 0.3}])
def test_the_checkpoint_of_another_training_is_ignored(other, table, tmp_path):
    columns, label = table
    options = TrainingOptions(checkpoint=tmp_path / "kept")
    with pytest.raises(Stopped):
        train_table("mlp", columns, label, seed=0, device="cpu", epochs=4, options=options, progress=stopping(2))

    arguments = {"seed": 0, "device": "cpu", "epochs": 4} | other
    after_another = train_table("mlp", columns, label, **arguments, options=options)

    assert to_bytes(after_another) == to_bytes(train_table("mlp", columns, label, **arguments))


def test_a_damaged_checkpoint_is_ignored(table, tmp_path):
    columns, label = table
    (tmp_path / "kept").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    options = TrainingOptions(checkpoint=tmp_path / "kept")

    trained = train_table("neuron", columns, label, seed=0, device="cpu", epochs=2, options=options)

    assert np.isfinite(trained.record.best.train_loss)
    assert not list(tmp_path.iterdir())
