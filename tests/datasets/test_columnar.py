"""Parquet and Arrow, whole and damaged."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from evenhand.datasets import columnar
from evenhand.datasets.errors import CorruptFile, DuplicateColumn, EmptySource, TooLarge, UnknownFormat
from evenhand.datasets.readers import read_table

ROWS = pa.table({"sex": ["f", None, "m"], "y": [1, 0, 1], "p": pa.array(["a", "b", "a"]).dictionary_encode()})


def write(folder: Path, name: str, data: pa.Table = ROWS) -> Path:
    path = folder / name
    if path.suffix == ".parquet":
        parquet.write_table(data, path)
    else:
        feather.write_feather(data, path, compression="uncompressed")
    return path


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.feather"])
def test_columnar_files_come_back_as_they_were_written(tmp_path: Path, name: str) -> None:
    data = read_table(write(tmp_path, name))

    assert data.groups("sex").values == ("f", "m", None)
    assert data.binary("y").tolist() == [1, 0, 1]
    assert data.groups("p").values == ("a", "b")


def test_content_goes_before_extension(tmp_path: Path) -> None:
    path = write(tmp_path, "a.parquet").rename(tmp_path / "a.csv")

    assert read_table(path).rows == 3


def test_an_upload_kept_under_another_path_keeps_its_format_by_name(tmp_path: Path) -> None:
    path = tmp_path / "0f3a"
    path.write_text("a,b\n1,2\n")

    assert read_table(path, name="people.csv").name == "people.csv"


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_a_file_cut_short_is_corrupt(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name)
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(CorruptFile, match=f"{name} cannot be read as"):
        read_table(path)


def test_parquet_with_a_damaged_middle_is_corrupt(tmp_path: Path) -> None:
    path = write(tmp_path, "a.parquet")
    content = bytearray(path.read_bytes())
    content[4:60] = b"\xff" * 56
    path.write_bytes(content)

    with pytest.raises(CorruptFile):
        read_table(path)


def test_text_named_parquet_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_text("a,b\n1,2\n")

    with pytest.raises(CorruptFile, match="begins with b'a,b"):
        read_table(path)


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_columns_without_rows_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(EmptySource, match="columns and no rows"):
        read_table(write(tmp_path, name, ROWS.slice(0, 0)))


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DuplicateColumn):
        read_table(write(tmp_path, "a.parquet", pa.table([[1], [2]], names=["a", "a"])))


def test_a_parquet_file_that_claims_too_many_cells_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columnar, "MAX_CELLS", 8)

    with pytest.raises(TooLarge, match="9 cells, the limit is 8"):
        read_table(write(tmp_path, "a.parquet"))


@pytest.mark.parametrize(
    ("name", "content"), [("a.json", "{}"), ("a.txt", "a,b\n1,2\n"), ("a", "x"), ("a.csv", "\0\1")]
)
def test_other_formats_are_refused_and_the_known_ones_listed(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)

    with pytest.raises(UnknownFormat, match=r"Known are: .csv, .tsv, .parquet, .arrow, .feather"):
        read_table(path)
