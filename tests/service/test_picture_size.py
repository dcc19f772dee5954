"""Pictures of several sizes, audited at the one size that the policy asks for."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from evenhand.auditors.report import Report
from evenhand.service.audits.admission import refuse_unfit
from evenhand.service.audits.representations import AuditSubmission
from evenhand.service.cli import cli
from evenhand.service.datasets.lookup import DatasetChoice
from evenhand.service.errors import RefusedAtDoor
from evenhand.service.models.tables import Model
from evenhand.service.render.recomputing import recipe


def pictures_of_two_sizes(folder: Path) -> Path:
    rows = ["file,y,p,sex"]
    for i in range(80):
        Image.fromarray(np.full((8 + i % 2, 8, 3), i, np.uint8)).save(folder / f"{i}.png")
        rows.append(f"{i}.png,{i % 2},{i % 2},{'FM'[i // 2 % 2]}")
    (folder / "t.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_policy_brings_all_pictures_to_one_size_and_the_report_says_so(tmp_path: Path) -> None:
    source = pictures_of_two_sizes(tmp_path)
    policy = source / "evenhand.toml"
    policy.write_text(
        f'[data]\nsource = "{source}"\npicture_size = [4, 4]\nlabel = "y"\nprediction = "p"\nsensitive = "sex"\n'
    )

    result = CliRunner().invoke(cli, ["audit", str(policy), "--json", str(tmp_path / "r.json")])

    assert result.exit_code in (0, 1, 3), result.output
    said = json.loads((tmp_path / "r.json").read_text())["subject"]["policy"]["data"]
    assert said["picture_size"] == [4, 4]


def test_command_that_repeats_the_report_names_the_size(tmp_path: Path) -> None:
    source, report = pictures_of_two_sizes(tmp_path), tmp_path / "r.json"
    roles = ["--label", "y", "--prediction", "p", "--sensitive", "sex", "--picture-size", "6", "3"]

    result = CliRunner().invoke(cli, ["audit", str(source), *roles, "--json", str(report)])

    assert result.exit_code in (0, 1, 3), result.output
    assert "picture_size = [6, 3]" in recipe(Report.model_validate_json(report.read_text())).policy


def test_without_it_the_error_names_the_key(tmp_path: Path) -> None:
    source = pictures_of_two_sizes(tmp_path)

    result = CliRunner().invoke(cli, ["audit", str(source), "--label", "y", "--prediction", "p", "--sensitive", "sex"])

    assert result.exit_code == 2
    assert "have all brought to it: --picture-size WIDTH HEIGHT" in " ".join(result.output.split())


def asked_for(picture_size: list[int] | None) -> None:
    """Ask the service for an audit of 64 x 32 pictures by a model that reads 16 x 8 ones."""
    data = DatasetChoice("d", "people", "images", ("y", "sex"), (32, 64, 3))
    model = Model(id="m", name="faces", description={"takes": "images", "image_shape": [8, 16, 3]})
    policy = {"data": {"label": "y", "sensitive": ["sex"], "picture_size": picture_size}}
    refuse_unfit(AuditSubmission.model_validate({"dataset": "d", "model": "m", "policy": policy}), data, model)


def test_service_lets_in_pictures_that_the_policy_brings_to_the_size_of_the_model() -> None:
    asked_for([16, 8])


@pytest.mark.parametrize("picture_size", [None, [8, 16]])
def test_service_refuses_other_sizes_and_names_the_key(picture_size: list[int] | None) -> None:
    with pytest.raises(RefusedAtDoor, match=r"to \[16, 8\]"):
        asked_for(picture_size)
