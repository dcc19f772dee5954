"""CSV and TSV: what is missing, what is text, and which row is wrong."""

import csv
import io
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evenhand.datasets.errors import (
    CorruptFile,
    DatasetError,
    DuplicateColumn,
    EmptySource,
    MissingValue,
    NotNumeric,
    NotUtf8,
    RaggedRow,
)
from evenhand.datasets.readers import read_table
from evenhand.datasets.table import Table


def read(folder: Path, content: str | bytes, name: str = "data.csv") -> Table:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path)


def test_types_are_found_column_by_column(tmp_path: Path) -> None:
    data = read(tmp_path, "i,f,b,d,s\n1,0.5,true,2020-01-02,x\n2,1,false,2020-01-03,y\n")

    assert data.data.schema.types == [pa.int64(), pa.float64(), pa.bool_(), pa.date32(), pa.string()]
    assert data.data["d"].to_pylist()[0] == date(2020, 1, 2)


@pytest.mark.parametrize("spelling", ["", "NA", "N/A", "NaN", "nan", "null", "NULL"])
def test_missing_values_are_recognised_by_spelling(tmp_path: Path, spelling: str) -> None:
    data = read(tmp_path, f"x,s\n1,a\n{spelling},{spelling}\n")

    assert data.data["x"].to_pylist() == [1, None]
    assert data.groups("s").values == ("a", None)


def test_quoted_text_is_text_and_never_missing(tmp_path: Path) -> None:
    assert read(tmp_path, 'country,x\n"NA",1\n"null",2\n').groups("country").values == ("NA", "null")


def test_quoted_empty_text_is_missing_also_among_quoted_numbers(tmp_path: Path) -> None:
    data = read(tmp_path, '"x","d","s"\n"1","2020-01-02","a"\n"","",""\n')

    assert data.data.to_pylist()[1] == {"x": None, "d": None, "s": None}
    assert data.data.schema.types == [pa.int64(), pa.date32(), pa.string()]


def test_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbfsex,y\nf,1\n").columns == ("sex", "y")


def test_windows_line_ends_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, "a,b\r\n1,x\r\n").data.to_pylist() == [{"a": 1, "b": "x"}]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separator_is_the_one_in_the_header(tmp_path: Path, separator: str) -> None:
    assert read(tmp_path, separator.join("ab") + "\n" + separator.join("12") + "\n").columns == ("a", "b")


def test_tsv_is_separated_by_tabs(tmp_path: Path) -> None:
    data = read(tmp_path, "a,b\tc\n1,5\t2\n", "data.tsv")

    assert data.data.to_pylist() == [{"a,b": "1,5", "c": 2}]


def test_quoted_values_may_hold_line_ends(tmp_path: Path) -> None:
    assert read(tmp_path, 'a,b\n"x\ny",1\n').data["a"].to_pylist() == ["x\ny"]


def test_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmptySource, match=r"data.csv is empty: it has no bytes"):
        read(tmp_path, "")


def test_blank_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmptySource, match="nothing but blanks"):
        read(tmp_path, " \n\n")


@pytest.mark.parametrize("content", ["a,b\n", "a,b"])
def test_header_without_rows_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(EmptySource, match="a header and no rows"):
        read(tmp_path, content)


def test_row_with_too_many_fields_is_named(tmp_path: Path) -> None:
    with pytest.raises(RaggedRow, match=r"row 2 of data.csv has 3 fields where the header has 2: '3,4,5'"):
        read(tmp_path, "a,b\n1,2\n3,4,5\n")


def test_row_with_too_few_fields_is_named_in_a_large_file(tmp_path: Path) -> None:
    """The fast reader works in parallel and does not know the number; the second reading does."""
    with pytest.raises(RaggedRow) as caught:
        read(tmp_path, "a,b\n" + "1,2\n" * 500_000 + "3\n" + "1,2\n")

    assert caught.value.row == 500_001


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DuplicateColumn, match="2 columns named 'a'"):
        read(tmp_path, "a,b,a\n1,2,3\n")


def test_quote_that_is_never_closed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptFile, match="a quote opened in row 1 is never closed"):
        read(tmp_path, 'a,b\n1,"x\n2,y\n')


def test_bytes_that_are_not_utf8_are_named_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(NotUtf8, match=r"byte 0xe9 in line 3. Save the file as UTF-8"):
        read(tmp_path, "name,y\nAnna,1\nRené,0\n".encode("latin-1"))


def test_header_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotUtf8, match=r"byte 0xe9 in line 1"):
        read(tmp_path, "prénom,y\nAnna,1\n".encode("latin-1"))


def test_character_cut_short_at_the_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotUtf8, match="a character cut short in the last line, 2"):
        read(tmp_path, "name\nRené".encode()[:-1])


def test_utf16_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(NotUtf8, match="UTF-16"):
        read(tmp_path, "a,b\n1,2\n".encode("utf-16"))


def test_text_after_half_a_million_numbers_makes_the_column_text_and_is_named(tmp_path: Path) -> None:
    """Types are inferred over the whole file, not from its first block."""
    data = read(tmp_path, "a\n" + "1\n" * 600_000 + "oops\n")

    with pytest.raises(NotNumeric) as caught:
        data.numeric("a")

    assert (caught.value.row, caught.value.line, caught.value.value) == (600_001, 600_002, "oops")


def test_missing_label_is_named_by_row_and_line(tmp_path: Path) -> None:
    with pytest.raises(
        MissingValue, match=r"column 'y' of data.csv: 1 value is missing, the first in row 2 \(line 3\)"
    ):
        read(tmp_path, "y,p\n1,1\n,0\n").binary("y")


def test_no_line_is_given_where_rows_are_not_lines(tmp_path: Path) -> None:
    with pytest.raises(MissingValue) as caught:
        read(tmp_path, 'y,p\n1,"a\nb"\n,c\n').binary("y")

    assert (caught.value.row, caught.value.line) == (2, None)


def test_sha256_is_of_the_bytes(tmp_path: Path) -> None:
    """Of 'a,b\\n1,2\\n', by sha256sum."""
    assert read(tmp_path, "a,b\n1,2\n").sha256 == "492d5ea496056f1a6a6592241032fab764c321596317930b4fa0e1e8bc3b7470"


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(text, st.integers(-(2**40), 2**40)), min_size=1, max_size=8))
def test_quoted_text_comes_back_as_it_was_read(tmp_path: Path, rows: list[tuple[str, int]]) -> None:
    """With a first row that is surely text: a column of quoted numbers would come back as numbers."""
    rows = [("text", 0), *rows]
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerows([("t", "n"), *rows])

    data = read(tmp_path, written.getvalue()).data

    assert data["t"].to_pylist() == [t or None for t, _ in rows]
    assert data["n"].to_pylist() == [n for _, n in rows]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_floats_come_back_to_the_last_bit(tmp_path: Path, values: list[float]) -> None:
    data = read(tmp_path, "x\n" + "".join(f"{value!r}\n" for value in values))

    assert data.numeric("x").tolist() == values


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_any_bytes_are_a_table_or_a_named_error(tmp_path: Path, content: bytes) -> None:
    try:
        outcome = f"data.csv has {read(tmp_path, content).rows} rows"
    except DatasetError as error:
        outcome = str(error)

    assert "data.csv" in outcome


# --- what a spreadsheet or another program writes ---------------------------------------------------------------------


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("more", ["", '"",1\n'])
def test_identifiers_beyond_64_bits_stay_apart(tmp_path: Path, quote: str, more: str) -> None:
    """As decimals both would be 12345678901234567168: two people one unit, and nobody told."""
    ids = ("12345678901234567890", "12345678901234567891")
    text = "id,y\n" + "".join(f"{quote}{i}{quote},1\n" for i in ids) + more

    assert read(tmp_path, text).groups("id").names == ids


@pytest.mark.parametrize("value", ["1e30", "12345678901234567890.5"])
def test_large_decimals_are_numbers(tmp_path: Path, value: str) -> None:
    assert read(tmp_path, f"s\n{value}\n2\n").numeric("s").tolist() == [float(value), 2.0]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("0,5", "decimal comma"),
        ("1.234,5", "decimal comma"),
        ("1,234", "groups thousands"),
        ("1,234,567.8", "groups thousands"),
        ("50%", "Per cent are not read"),
    ],
)
def test_number_written_for_people_is_named_with_how_to_write_it(tmp_path: Path, value: str, said: str) -> None:
    with pytest.raises(NotNumeric, match=rf"in row 2 \(line 3\).*{said}"):
        read(tmp_path, f's,y\n1,1\n"{value}",0\n').numeric("s")


def test_other_text_gets_no_such_hint(tmp_path: Path) -> None:
    with pytest.raises(NotNumeric, match=r"needed here. Mend the value"):
        read(tmp_path, "s\n1\nhigh\n").numeric("s")


def test_lines_of_old_systems_are_named(tmp_path: Path) -> None:
    with pytest.raises(CorruptFile, match="carriage return alone"):
        read(tmp_path, "a,b\r1,2\r3,4\r")
