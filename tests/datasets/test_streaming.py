"""Counting a file chunk by chunk gives what reading it whole and counting would give."""

import datetime
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pv
import pytest
from pyarrow import feather, parquet

from evenhand.datasets.counting import chunks
from evenhand.datasets.counting.asked import Asked, Counted
from evenhand.datasets.counting.streaming import count_file
from evenhand.datasets.errors import (
    BadWeight,
    CorruptFile,
    DatasetError,
    DuplicateColumn,
    MissingColumn,
    MissingValue,
    NotNumeric,
    RaggedRow,
    TooManyGroups,
    UnsupportedType,
)
from evenhand.datasets.readers import read_table
from evenhand.datasets.table import Table

ROWS = 1_000
RNG = np.random.default_rng(7)

KEYS: dict[str, pa.Array] = {
    "text": pa.array(RNG.choice(["b", "a", "é", ""], ROWS)),
    "text with missing": pa.array([None if i % 7 == 0 else f"v{i % 3}" for i in range(ROWS)]),
    "category": pa.array(RNG.choice(["x", "y"], ROWS)).dictionary_encode(),
    "large text": pa.array(RNG.choice(["x", "y"], ROWS), pa.large_string()),
    "label": pa.array(RNG.integers(0, 2, ROWS), pa.int64()),
    "small": pa.array(RNG.integers(-3, 300, ROWS), pa.int16()),
    "unsigned": pa.array(RNG.integers(0, 5, ROWS), pa.uint8()),
    "integers with missing": pa.array([None if i % 5 == 0 else i % 4 for i in range(ROWS)], pa.int32()),
    "boolean": pa.array(RNG.random(ROWS) < 0.3),
    "boolean with missing": pa.array([None if i % 5 == 0 else i % 2 == 0 for i in range(ROWS)]),
    "whole floats": pa.array(RNG.integers(0, 3, ROWS).astype(float)),
    "floats": pa.array(np.where(RNG.random(ROWS) < 0.1, np.nan, RNG.choice([0.1, -0.0, 0.0], ROWS)), pa.float32()),
    "date": pa.array([datetime.date(2020, 1, 1 + i % 4) for i in range(ROWS)]),
    "moment": pa.array([datetime.datetime(2020, 1, 1, i % 5) for i in range(ROWS)], pa.timestamp("ns")),
    "decimal": pa.array([i % 3 for i in range(ROWS)], pa.int32()).cast(pa.decimal128(12, 2)),
    "long identifiers": pa.array([f"1234567890123456789{i % 3}" for i in range(ROWS)]),
    "nothing": pa.nulls(ROWS),
}


def written(data: pa.Table, folder: Path, kind: str) -> Path:
    path = folder / f"rows.{kind}"
    if kind == "parquet":
        parquet.write_table(data, path, row_group_size=300)
    elif kind == "arrow":
        feather.write_feather(data, str(path), chunksize=300)
    else:
        pv.write_csv(data, path)
    return path


def counts(table: Table, keys: list[str]) -> Counter[tuple[str | None, ...]]:
    """Rows by the values' names, as groups writes them."""
    groups = [table.groups(key) for key in keys]
    times = np.ones(table.rows, int) if table.times is None else table.times
    found: Counter[tuple[str | None, ...]] = Counter()
    for row in range(table.rows):
        found[tuple(group.values[group.codes[row]] for group in groups)] += int(times[row])
    return found


@pytest.fixture(autouse=True)
def _short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a thousand rows are several chunks."""
    monkeypatch.setattr(chunks, "ROWS_A_CHUNK", 128)


@pytest.mark.parametrize("kind", ["parquet", "arrow", "csv"])
@pytest.mark.parametrize("key", KEYS)
def test_counts_are_those_of_the_whole_table(kind: str, key: str, tmp_path: Path) -> None:
    path = written(pa.table({"value": KEYS[key], "other": KEYS["label"]}), tmp_path, kind)
    whole = read_table(path)

    counted = count_file(path, Asked(("value", "other"))).table

    assert counted.total == ROWS
    assert counted.groups("value").values == whole.groups("value").values
    assert counts(counted, ["value", "other"]) == counts(whole, ["value", "other"])
    assert counted.sha256 == whole.sha256


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_all_columns_together_are_counted_as_rows_are(kind: str, tmp_path: Path) -> None:
    keys = [key for key in KEYS if key not in ("small", "nothing")]
    names = ["text", "category", "integers with missing", "boolean", "date", "label"]
    path = written(pa.table(KEYS).select(keys), tmp_path, kind)

    counted = count_file(path, Asked(tuple(names)))

    assert counts(counted.table, names) == counts(read_table(path), names)
    assert counted.columns == tuple(keys)


def test_more_combinations_than_rows_are_counted_too(tmp_path: Path) -> None:
    """Then counts by code would be larger than the rows, which are translated instead."""
    path = written(pa.table(KEYS), tmp_path, "parquet")

    counted = count_file(path, Asked(("small", "text", "date")))

    assert counts(counted.table, ["small", "text", "date"]) == counts(read_table(path), ["small", "text", "date"])


@pytest.mark.parametrize("kind", ["parquet", "arrow", "csv"])
def test_score_is_kept_as_whether_it_reaches_the_threshold(kind: str, tmp_path: Path) -> None:
    scores = np.array([0.1, 0.5, 0.4999, 0.9, 0.5] * 200)
    path = written(pa.table({"sex": KEYS["category"], "score": pa.array(scores)}), tmp_path, kind)

    counted = count_file(path, Asked(("sex",), score="score", threshold=0.5))

    assert counted.score_range == (0.1, 0.9)
    reached = counted.table.numeric("score") >= 0.5
    assert counted.table.times is not None
    assert int(counted.table.times[reached].sum()) == 600
    assert set(counted.table.numeric("score")) == {0.1, 0.9}


def test_single_precision_score_is_compared_as_the_number_it_is(tmp_path: Path) -> None:
    """.7 in single precision is .699999988, which does not reach .7; nor does it in the whole table."""
    scores = pa.array([0.7] * 10, pa.float32())
    path = written(pa.table({"sex": ["f"] * 10, "score": scores}), tmp_path, "parquet")

    counted = count_file(path, Asked(("sex",), score="score", threshold=0.7)).table

    assert list(counted.numeric("score") >= 0.7) == [False]
    assert not (read_table(path).numeric("score") >= 0.7).any()


@pytest.mark.parametrize("kind", ["parquet", "arrow", "csv"])
def test_weights_are_summed_exactly(kind: str, tmp_path: Path) -> None:
    """Fractions say what the sum is; a plain loop over 0.1 and 1e16 would lose every small weight."""
    weights = [0.1, 1e16, 0.3, 2.0] * 250
    path = written(pa.table({"sex": ["f"] * ROWS, "weight": weights}), tmp_path, kind)

    counted = count_file(path, Asked(("sex",), weight="weight"))

    assert counted.table.numeric("weight").tolist() == [float(sum(map(Fraction, weights)))]
    assert counted.squares is not None
    assert counted.squares.tolist() == [float(sum(Fraction(w * w) for w in weights))]


def test_order_of_rows_changes_no_digit_of_a_sum(tmp_path: Path) -> None:
    weights = RNG.lognormal(0, 5, ROWS)

    def sums(order: np.ndarray) -> tuple[list[float], list[float]]:
        table = pa.table({"sex": KEYS["text"].take(pa.array(order)), "weight": weights[order]})
        counted = count_file(written(table, tmp_path, "parquet"), Asked(("sex",), weight="weight"))
        names = counted.table.groups("sex").codes.argsort()
        assert counted.squares is not None
        return counted.table.numeric("weight")[names].tolist(), counted.squares[names].tolist()

    assert sums(np.arange(ROWS)) == sums(RNG.permutation(ROWS))


def problem(data: dict[str, object], folder: Path, asked: Asked, kind: str = "parquet") -> Exception:
    path = written(pa.table(data), folder, kind)
    with pytest.raises(Exception) as caught:  # which one, the tests below say
        count_file(path, asked)
    return caught.value


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_missing_scores_are_counted_over_all_chunks_and_the_first_is_named(kind: str, tmp_path: Path) -> None:
    scores = [0.5] * ROWS
    for row in (200, 999):
        scores[row] = None  # type: ignore[call-overload]

    error = problem({"sex": ["f"] * ROWS, "score": scores}, tmp_path, Asked(("sex",), score="score"), kind)

    assert isinstance(error, MissingValue)
    assert (error.row, error.count) == (201, 2)


def test_text_in_place_of_a_number_is_named_with_its_row(tmp_path: Path) -> None:
    scores = ["0.5"] * ROWS
    scores[500] = "high"

    error = problem({"sex": ["f"] * ROWS, "score": scores}, tmp_path, Asked(("sex",), score="score"))

    assert isinstance(error, NotNumeric)
    assert (error.row, error.value) == (501, "high")


def test_negative_weight_is_named_with_its_row(tmp_path: Path) -> None:
    weights = [1.0] * ROWS
    weights[300] = -2.0

    error = problem({"sex": ["f"] * ROWS, "weight": weights}, tmp_path, Asked(("sex",), weight="weight"))

    assert isinstance(error, BadWeight)
    assert (error.row, error.value) == (301, -2.0)


def test_weights_that_are_all_0_are_refused(tmp_path: Path) -> None:
    error = problem({"sex": ["f"] * 3, "weight": [0.0] * 3}, tmp_path, Asked(("sex",), weight="weight"))

    assert isinstance(error, BadWeight)


@pytest.mark.parametrize("kind", ["parquet", "arrow", "csv"])
def test_missing_column_is_named_with_the_nearest(kind: str, tmp_path: Path) -> None:
    error = problem({"gender": ["f"], "y": [1]}, tmp_path, Asked(("sex", "y")), kind)

    assert isinstance(error, MissingColumn)
    assert error.nearest == "gender"


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("sex,sex\nf,m\n")

    with pytest.raises(DuplicateColumn):
        count_file(path, Asked(("sex",)))


def test_column_of_lists_is_refused(tmp_path: Path) -> None:
    assert isinstance(problem({"sex": [["f"]]}, tmp_path, Asked(("sex",))), UnsupportedType)


def test_a_column_that_names_every_row_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evenhand.datasets.counting.streaming.MOST_CELLS", 500)

    error = problem({"id": list(range(ROWS))}, tmp_path, Asked(("id",)))

    assert isinstance(error, TooManyGroups)


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_file_cut_short_is_refused(kind: str, tmp_path: Path) -> None:
    path = written(pa.table(KEYS), tmp_path, kind)
    path.write_bytes(path.read_bytes()[:-200])

    with pytest.raises(CorruptFile):
        count_file(path, Asked(tuple(KEYS)[:6]))


def test_code_outside_its_dictionary_is_refused(tmp_path: Path) -> None:
    bad = pa.DictionaryArray.from_arrays(pa.array([0, 7, 0], pa.int8()), pa.array(["f"]), safe=False)
    path = written(pa.table({"sex": bad}), tmp_path, "arrow")

    with pytest.raises(CorruptFile, match="dictionary"):
        count_file(path, Asked(("sex",)))


@pytest.mark.parametrize(
    "text",
    [
        'sex,y\n"NA",1\nNA,0\n"",1\nf,1\n',
        "sex,y\n01,1\n1,0\n,1\n",
        'sex,y\n"01",true\n"2",False\n"",TRUE\n',
        "sex;y\r\nf;1\r\nm;0\r\n",
        "\ufeffsex,y\nf,1.0\nm,0\n",
        'sex,y\n"a ""quoted"", name",1\n"two\nlines",0\n',
        "sex,y\n2020-01-02,1\n2020-01-01,0\n",
        "sex,y\n1,1\nx,0\n",
        "sex,y\n,1\n,0\n",
    ],
)
def test_text_means_what_it_means_in_a_whole_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text, newline="")
    whole = read_table(path)

    counted = count_file(path, Asked(("sex", "y"))).table

    assert counted.column("sex").type == whole.column("sex").type
    assert counts(counted, ["sex", "y"]) == counts(whole, ["sex", "y"])


WRITTEN_NUMBERS = [
    ["true", "false"],
    ["True", "FALSE"],
    ['"true"', "false"],
    ["1", "0"],
    ["1", "true"],
    ["0.5", "true"],
    ["true", ""],
    ["yes", "no"],
    ["1e3", " 2"],
    ["0x10", "3"],
    ["2024-01-01", "2024-01-02"],
]


@pytest.mark.parametrize("values", WRITTEN_NUMBERS, ids="/".join)
@pytest.mark.parametrize("by_turns", [True, False])
@pytest.mark.parametrize("role", ["score", "weight"])
def test_text_is_the_number_that_it_is_in_a_whole_file(
    values: list[str], by_turns: bool, role: str, tmp_path: Path
) -> None:
    """One after the other in each chunk, or the second from the middle of the file on. An error names the same row."""
    written_values = values * (ROWS // 2) if by_turns else [values[0]] * (ROWS // 2) + [values[1]] * (ROWS // 2)
    path = tmp_path / "rows.csv"
    path.write_text("sex,value\n" + "".join(f"f,{value}\n" for value in written_values))

    asked = Asked(("sex",), **{role: "value"})

    whole = outcome(lambda: read_table(path).numeric("value"))
    counted = outcome(lambda: count_file(path, asked))

    if isinstance(whole, tuple):
        assert counted == whole
    elif role == "score":
        assert counted.score_range == (whole.min(), whole.max())
    else:
        assert counted.table.numeric("value").tolist() == [whole.sum()]


def outcome(read: Callable[[], Any]) -> Any:
    """What is read; or the error's type, and the row that it names."""
    try:
        return read()
    except DatasetError as error:
        return type(error), getattr(error, "row", None)


def test_ragged_row_of_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("sex,y\nf,1\nm\n")

    with pytest.raises(RaggedRow) as caught:
        count_file(path, Asked(("sex",)))

    assert (caught.value.row, caught.value.expected, caught.value.found) == (2, 2, 1)


def test_quote_never_closed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('sex,y\nf,1\nm,"2\nf,3\n')

    with pytest.raises(CorruptFile, match="never closed"):
        count_file(path, Asked(("sex",)))


def test_missing_labels_are_counted_without_naming_a_row(tmp_path: Path) -> None:
    path = written(pa.table({"sex": KEYS["category"], "y": KEYS["integers with missing"]}), tmp_path, "parquet")
    counted: Counted = count_file(path, Asked(("sex", "y")))

    with pytest.raises(MissingValue, match="200 values are missing") as caught:
        counted.table.binary("y", "1")

    assert caught.value.row is None


def test_counting_imports_no_pandas(tmp_path: Path) -> None:
    import subprocess
    import sys

    path = written(pa.table({"sex": KEYS["text with missing"], "y": KEYS["boolean"]}), tmp_path, "parquet")
    code = (
        "import sys; from evenhand.datasets.counting.asked import Asked;"
        "from evenhand.datasets.counting.streaming import count_file;"
        f"count_file({str(path)!r}, Asked(('sex', 'y'))); print('pandas' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
