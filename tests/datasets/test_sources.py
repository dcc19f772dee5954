"""One door for built-in names, files and folders; and what the door costs to open."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from evenhand.datasets.errors import MissingSource, UnknownFormat
from evenhand.datasets.imageset import ImageSet
from evenhand.datasets.readers import read_table
from evenhand.datasets.sources import open_source
from evenhand.datasets.table import Table


def test_built_in_names_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("german").mkdir()

    assert open_source("german").rows == 1_000


def test_a_csv_is_a_table(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("sex,y\nf,1\n")

    opened = open_source(str(path))

    assert isinstance(opened, Table)
    assert opened.name == "people.csv"


def test_an_npz_is_a_set_of_images(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    np.savez(path, images=np.zeros((1, 2, 2, 1), np.uint8), y=np.array([1]))

    assert isinstance(open_source(path), ImageSet)


def test_a_source_that_is_not_there_suggests_a_built_in_name() -> None:
    with pytest.raises(MissingSource, match=r"'emoji_people' is neither.*Did you mean 'emoji-people'"):
        open_source("emoji_people")


def test_pictures_are_no_table(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    np.savez(path, images=np.zeros((1, 2, 2, 1), np.uint8))

    with pytest.raises(UnknownFormat, match="npz, not a table"):
        read_table(path)


def test_reading_and_coding_a_table_imports_neither_pandas_nor_pillow(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("sex,y,p,d,q\nf,1,0.5,2020-01-02,1.5\n,0,0.25,2020-01-03,\n")
    script = f"""
import sys
from evenhand.datasets.sources import open_source
table = open_source({str(path)!r})
table.groups("sex"); table.groups("d"); table.binary("y"); table.numeric("p"); table.features(["q"])
print(sorted({{"pandas", "PIL", "sklearn", "torch", "scipy"}} & set(sys.modules)))
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
