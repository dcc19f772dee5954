"""A training over REST whose worker is killed: it goes on from its last epoch, and gives the same file."""

import hashlib
import os
import re
import signal
import time
from pathlib import Path

import pytest

from evenhand.auditors.protocols import silent
from evenhand.service.models.documents import TrainingRequest
from evenhand.service.models.train import train
from tests.service.running import Client, service

ORDER = {"kind": "convnet4", "dataset": "emoji-people", "device": "cpu", "patience": 30}


def epoch_of(client: Client, path: str) -> int:
    found = re.search(r"epoch (\d+) of", client.get(path).json["message"] or "")
    return int(found[1]) if found else 0


@pytest.mark.slow
def test_a_training_whose_worker_is_killed_goes_on_from_its_last_epoch(tmp_path: Path) -> None:
    request = TrainingRequest.model_validate(ORDER)
    whole = tmp_path / train(request, source="emoji-people", folder=tmp_path, progress=silent)["filename"]

    with service(tmp_path / "home") as running:
        path = f"/api/v1/models/{running.client.send('POST', '/api/v1/models', {'train': ORDER}).json['id']}"
        while (before := epoch_of(running.client, path)) < 4:
            time.sleep(0.05)
        os.kill(running.worker_pid(), signal.SIGKILL)
        seen = set()
        while running.client.get(path).json["status"] not in ("succeeded", "failed"):
            seen.add(epoch_of(running.client, path))
            time.sleep(0.05)
        done = running.client.get(path).json
        left = list((tmp_path / "home").rglob("*.checkpoint"))

    assert done["status"] == "succeeded"
    assert min(seen - {0}) >= before
    assert done["sha256"] == hashlib.sha256(whole.read_bytes()).hexdigest()
    assert left == []
