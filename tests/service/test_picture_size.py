"""Pictures of several sizes, audited at the one size that the policy asks for."""

import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from PIL import Image

from evenhand.service.cli import cli


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


def test_without_it_the_error_names_the_key(tmp_path: Path) -> None:
    source = pictures_of_two_sizes(tmp_path)

    result = CliRunner().invoke(cli, ["audit", str(source), "--label", "y", "--prediction", "p", "--sensitive", "sex"])

    assert result.exit_code == 2
    assert "picture_size = [8, 8]" in result.output
