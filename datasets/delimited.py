"""CSV and TSV into an Arrow table, with errors that name the row; other formats have files of their own.

Read as UTF-8, with or without a byte order mark. The separator of a .csv is the comma, semicolon or tab that is most
frequent in the header. Unquoted "", NA, N/A, NaN, nan, null and NULL are missing. Quoted text is text ("NA" is
Namibia), save the empty string, which is missing either way: many programs quote every field. A column is whole
numbers, booleans (true/false), dates, times or decimals where every value is; else text.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from evenhand.datasets.errors import CorruptFile, EmptySource, NotUtf8, RaggedRow

NULLS = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_delimited(path: Path, name: str, *, tab: bool) -> Any:
    """The rows as a pyarrow.Table.

    Raises:
        EmptySource: a header and no rows. RaggedRow, NotUtf8. CorruptFile: a quote never closed, or anything else.
    """
    header = _header(path, name)
    if path.stat().st_size <= len(header.encode()) + len(_BYTE_ORDER_MARK) and not header.endswith("\n"):
        raise EmptySource(name, "a header and no rows")
    separator = "\t" if tab else _separator(header)
    try:
        data = _read(path, separator, name)
    except pa.ArrowInvalid as error:
        raise CorruptFile(name, "tab-separated text" if tab else "CSV", str(error)) from None
    if data.num_rows == 0:
        raise EmptySource(name, "a header and no rows")
    _refuse_open_quote(data, path, name)
    columns = [_settled(data.column(i), column, name) for i, column in enumerate(data.column_names)]
    return pa.table(columns, names=data.column_names)


def lines_above_rows(path: Path, rows: int) -> int | None:
    """1 where every row is one line below a one-line header, so that a row's line is known; else None."""
    newlines, last = 0, b""
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            newlines += block.count(b"\n")
            last = block[-1:]
    lines = newlines + (last != b"\n")
    return 1 if lines == rows + 1 else None


def _header(path: Path, name: str) -> str:
    with path.open("rb") as file:
        line = file.readline(1 << 20)
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotUtf8(name, "a UTF-16 byte order mark", "the first two bytes")
    try:
        return line.removeprefix(_BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        raise NotUtf8(name, f"byte 0x{line[error.start]:02x}", "the header (line 1)") from None


def _separator(header: str) -> str:
    # what stands between quotes is part of a name
    bare = "".join(header.split('"')[::2])
    return max(",;\t", key=bare.count)


def _read(path: Path, separator: str, name: str) -> Any:
    ragged: list[Any] = []

    def note(row: Any) -> str:
        ragged.append(row)
        return "error"

    def attempt(threads: bool) -> Any:
        return pv.read_csv(
            path,
            read_options=pv.ReadOptions(use_threads=threads),
            parse_options=pv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=note),
            convert_options=pv.ConvertOptions(
                null_values=list(NULLS),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["true", "True", "TRUE"],
                false_values=["false", "False", "FALSE"],
            ),
        )

    try:
        return attempt(True)
    except pa.ArrowInvalid:
        if not ragged:
            raise
    ragged.clear()
    try:  # once more in one thread: only then is the row's number known
        return attempt(False)
    except pa.ArrowInvalid:
        first = ragged[0]
        row = None if first.number is None else int(first.number) - 1
        raise RaggedRow(name, row, int(first.expected_columns), int(first.actual_columns), str(first.text)) from None


def _refuse_open_quote(data: Any, path: Path, name: str) -> None:
    """A quote that is never closed swallows the rest of the file into the last value, without an error."""
    last = [value for value in data.slice(data.num_rows - 1).to_pylist()[0].values() if isinstance(value, str)]
    if not any("\n" in value for value in last):
        return
    with path.open("rb") as file:
        quotes = sum(block.count(b'"') for block in iter(lambda: file.read(1 << 20), b""))
    if quotes % 2:
        raise CorruptFile(name, "CSV", f"a quote opened in row {data.num_rows:,} is never closed")


def _settled(column: Any, name: str, source: str) -> Any:
    """The column with quoted empty strings missing, and text known to be UTF-8."""
    if pa.types.is_binary(column.type):
        _refuse_bytes(column, name, source)
    if not pa.types.is_string(column.type):
        return column
    # by length first: comparing with "" would import pandas for every text column
    if pc.min(pc.binary_length(column)).as_py() != 0:
        return column
    return _reinferred(pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column))


def _reinferred(column: Any) -> Any:
    """Text that is a number or a date in every row that has a value, as that."""
    for kind in (pa.int64(), pa.float64(), pa.date32()):
        try:
            return column.cast(kind)
        except pa.ArrowInvalid:
            continue
    return column


def _refuse_bytes(column: Any, name: str, source: str) -> None:
    for row, value in enumerate(column.to_pylist(), start=1):
        try:
            (value or b"").decode()
        except UnicodeDecodeError as error:
            place = f"row {row:,} of column '{name}'"
            raise NotUtf8(source, f"byte 0x{value[error.start]:02x}", place) from None
