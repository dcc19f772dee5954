"""A model of pictures that answers over HTTP with labels alone: what is asked of it, and what the report says of that."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from evenhand.service.cli import cli
from tests.auditors.robustness.toys import people
from tests.classifiers.endpoint_server import Reply, served

POLICY = """
[data]
source = "people.npz"
label = "gender"
sensitive = ["tone"]
unit = "person"
[model]
url = "{url}"
image_shape = [8, 8, 1]
batch = 4096
[robustness]
eps = [0.05]
queries_per_picture = 30
"""


def by_brightness(instances: list[Any], number: int) -> Reply:
    light = np.array(instances, dtype=np.float64).reshape(len(instances), -1).mean(axis=1) > 0.5
    return Reply({"predictions": np.eye(2)[light.astype(int)].tolist()})


def test_a_picture_endpoint_with_labels_alone_is_asked_about_a_sample_and_the_report_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENHAND_ENDPOINT_LOOPBACK", "1")
    data = people(near=0.03, far=0.08, bias=0.95, units=90)
    assert data.unit is not None
    tones = np.array(["dark", "light"])[data.attributes["tone"][0]]
    columns = {"gender": np.array(data.classes)[data.label], "tone": tones, "person": data.unit}
    np.savez(tmp_path / "people.npz", images=data.images, **columns)
    with served(by_brightness) as server:
        (tmp_path / "evenhand.toml").write_text(POLICY.format(url=server.url))
        options = ["--only", "robustness", "--json", str(tmp_path / "r.json"), "--quiet"]

        result = CliRunner().invoke(cli, ["audit", str(tmp_path / "evenhand.toml"), *options])

    assert result.exit_code == 1, result.output
    robustness = json.loads((tmp_path / "r.json").read_text())["audits"]["robustness"]
    assert robustness["attack"]["attacks"] == ["random noise", "RayS"]
    assert robustness["attack"]["queries"] == 35
    assert any("200 of 360 pictures were attacked" in note for note in robustness["notes"])
    assert any("labels alone" in note and "30 queries" in note for note in robustness["notes"])


def test_perception_asks_an_endpoint_no_more_than_its_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server counts is what the report says, after each picture was scored once for all audits."""
    monkeypatch.setenv("EVENHAND_ENDPOINT_LOOPBACK", "1")
    data = people(near=0.03, far=0.08, bias=0.95, units=40)
    assert data.unit is not None
    tones = np.array(["dark", "light"])[data.attributes["tone"][0]]
    columns = {"gender": np.array(data.classes)[data.label], "tone": tones, "person": data.unit}
    np.savez(tmp_path / "people.npz", images=data.images, **columns)
    asked: list[int] = []

    def counted(instances: list[Any], number: int) -> Reply:
        asked.append(len(instances))
        return by_brightness(instances, number)

    with served(counted) as server:
        policy = POLICY.format(url=server.url) + "[perception]\nqueries = 500\n"
        (tmp_path / "evenhand.toml").write_text(policy)
        options = ["--only", "perception", "--json", str(tmp_path / "r.json"), "--quiet"]

        result = CliRunner().invoke(cli, ["audit", str(tmp_path / "evenhand.toml"), *options])

    assert result.exit_code in (0, 1, 3), result.output
    perception = json.loads((tmp_path / "r.json").read_text())["audits"]["perception"]
    assert sum(asked) == len(data) + 224  # the 160 pictures again, and 32 in two styles; noise (600) fits no more
    assert any("asked about at most 224 pictures, of 500 allowed" in note for note in perception["notes"])
    assert any("fooling noise 600 (a budget of 824)" in note for note in perception["notes"])
