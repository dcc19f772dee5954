"""CSV and TSV into an Arrow table, with errors that name the row; other formats have files of their own.

Read as UTF-8, with or without a byte order mark. The separator of a .csv is the comma, semicolon or tab that is most
frequent in the header. Unquoted "", NA, N/A, NaN, nan, null and NULL are missing. Quoted text is text ("NA" is
Namibia), save the empty string, which is missing either way: many programs quote every field. A column is whole
numbers, booleans (true/false), dates, times or decimals where every value is; else text. So 02139 becomes 2139:
prefix codes that must keep their zeros with a letter, or hand in Parquet. Whole numbers beyond 64 bits stay text: as
decimals, long identifiers that differ would become one.
"""

from codecs import getincrementaldecoder
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from evenhand.datasets.errors import CorruptFile, EmptySource, NotUtf8, RaggedRow

NULLS = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
VALUES: dict[str, Any] = {
    "null_values": list(NULLS),
    "strings_can_be_null": True,
    "quoted_strings_can_be_null": False,
    "true_values": ["true", "True", "TRUE"],
    "false_values": ["false", "False", "FALSE"],
}
"""How a value is understood, as pyarrow's ConvertOptions take it."""
_BLOCK = 1 << 20
_MOST_WHOLE = 2.0**63


@dataclass(frozen=True)
class Survey:
    """What one pass over the bytes tells."""

    header: str
    lines: int
    quotes: int


def read_delimited(path: Path, name: str, *, tab: bool) -> tuple[Any, int | None]:
    """The rows as a pyarrow.Table, and the number of lines above them where each row is one line, else None.

    Raises:
        EmptySource: a header and no rows. RaggedRow, NotUtf8. CorruptFile: a quote never closed, or anything else.
    """
    found = survey(path, name)
    between = separator(found, tab=tab)
    try:
        data = exact(_read(path, between, name), lambda columns: _as_text(path, between, columns))
    except pa.ArrowInvalid as error:
        raise CorruptFile(name, "tab-separated text" if tab else "CSV", str(error)) from None
    if data.num_rows == 0:
        raise EmptySource(name, "a header and no rows")
    refuse_open_quote(data, found.quotes, data.num_rows, name)
    return settled(data), 1 if found.lines == data.num_rows + 1 else None


def survey(path: Path, name: str) -> Survey:
    """Count, and refuse what is not UTF-8, with the line it stands in: the reader would take it for bytes.

    Raises:
        NotUtf8. EmptySource: a header and no rows.
    """
    decoder = getincrementaldecoder("utf-8")()
    newlines, quotes, last = 0, 0, b""
    with path.open("rb") as file:
        header = file.readline(_BLOCK)
        file.seek(0)
        if header.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise NotUtf8(name, "a UTF-16 byte order mark", "the first two bytes")
        while block := file.read(_BLOCK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                # error.object opens with what the block before left over
                found, line = error.object[error.start], newlines + error.object.count(b"\n", 0, error.start) + 1
                raise NotUtf8(name, f"byte 0x{found:02x}", f"line {line:,}") from None
            newlines, quotes, last = newlines + block.count(b"\n"), quotes + block.count(b'"'), block[-1:]
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise NotUtf8(name, "a character cut short", f"the last line, {newlines + 1:,}") from None
    if not newlines and b"\r" in header.rstrip(b"\r"):
        raise CorruptFile(
            name, "CSV", "its lines end in a carriage return alone, as on old systems, and not in a line feed"
        )
    lines = newlines + (last != b"\n")
    if lines < 2:
        raise EmptySource(name, "a header and no rows")
    return Survey(header.decode(errors="replace").removeprefix("\ufeff"), lines, quotes)


def separator(found: Survey, *, tab: bool) -> str:
    """The tab, or the comma, semicolon or tab that is most frequent in the header."""
    if tab:
        return "\t"
    # what stands between quotes is part of a name
    bare = "".join(found.header.split('"')[::2])
    return max(",;\t", key=bare.count)


def parse_options(separator: str, note: Callable[[Any], str] | None = None) -> pv.ParseOptions:
    """How a line is taken apart; `note` is asked about each row with too many or too few fields.

    With several threads give no `note`: one of them may let go of it while the interpreter ends, which aborts the process.
    """
    return pv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=note)


def _read(path: Path, separator: str, name: str) -> Any:
    ragged: list[Any] = []

    def note(row: Any) -> str:
        ragged.append(row)
        return "error"

    def attempt(threads: bool, note: Callable[[Any], str] | None) -> Any:
        return pv.read_csv(
            path,
            read_options=pv.ReadOptions(use_threads=threads),
            parse_options=parse_options(separator, note),
            convert_options=pv.ConvertOptions(**VALUES),
        )

    try:
        return attempt(True, None)
    except pa.ArrowInvalid as error:
        try:  # once more in one thread, which knows the row's number
            attempt(False, note)
        except pa.ArrowInvalid:
            if ragged:
                raise ragged_row(ragged[0], name) from None
        raise error


def exact(data: Any, as_text: Callable[[list[str]], Any]) -> Any:
    """The rows with whole numbers that neither 64 bits nor a decimal can hold as the text they were written as.

    Args:
        data: a pyarrow.Table as its types were inferred.
        as_text: these columns of the same rows as text.
    """
    suspects = [name for name, column in zip(data.column_names, data.columns, strict=True) if _is_rounded(column)]
    if not suspects or len(set(data.column_names)) < len(data.column_names):
        return data
    texts = as_text(suspects)
    for name in suspects:
        if _are_digits(texts.column(name)):
            data = data.set_column(data.column_names.index(name), name, texts.column(name))
    return data


def _is_rounded(column: Any) -> bool:
    if not pa.types.is_floating(column.type):
        return False
    most = pc.max(pc.abs(column)).as_py()
    return most is not None and _MOST_WHOLE <= most < float("inf")


def _are_digits(texts: Any) -> bool:
    return bool(pc.all(pc.match_substring_regex(texts, r"^\s*[+-]?[0-9]+\s*$")).as_py())


def _as_text(path: Path, between: str, columns: list[str]) -> Any:
    return pv.read_csv(
        path,
        parse_options=parse_options(between),
        convert_options=pv.ConvertOptions(
            **VALUES, include_columns=columns, column_types=dict.fromkeys(columns, pa.string())
        ),
    )


def ragged_row(found: Any, name: str) -> RaggedRow:
    """The error for a row that pyarrow could not take apart."""
    row = None if found.number is None else int(found.number) - 1
    return RaggedRow(name, row, int(found.expected_columns), int(found.actual_columns), str(found.text))


def refuse_open_quote(data: Any, quotes: int, rows: int, name: str) -> None:
    """A quote that is never closed swallows the rest of the file into the last value, without an error.

    Args:
        data: rows of which the last is the file's last one.
        quotes, rows: how many the file has.
    """
    last = data.slice(data.num_rows - 1).to_pylist()[0].values()
    if quotes % 2 and any(isinstance(value, str) and "\n" in value for value in last):
        raise CorruptFile(name, "CSV", f"a quote opened in row {rows:,} is never closed")


def settled(data: Any) -> Any:
    """The rows with quoted empty strings missing."""
    return pa.table([_settled(column) for column in data.columns], names=data.column_names)


def _settled(column: Any) -> Any:
    """The column with quoted empty strings missing."""
    # by length first: comparing with "" would import pandas for every text column
    if not pa.types.is_string(column.type) or pc.min(pc.binary_length(column)).as_py() != 0:
        return column
    return _reinferred(pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column))


def _reinferred(column: Any) -> Any:
    """Text that is a number or a date in every row that has a value, as that."""
    for kind in (pa.int64(), pa.float64(), pa.date32()):
        try:
            read = column.cast(kind)
        except pa.ArrowInvalid:
            continue
        return column if _is_rounded(read) and _are_digits(column) else read
    return column
