"""What can be wrong with data that is handed in; how an error becomes a status or an exit code belongs to the service.

DatasetError
├── SourceError                 the thing as a whole cannot be read
│   ├── MissingSource           neither a file, a folder nor a built-in set
│   ├── BadName                 a path that is no UTF-8
│   ├── UnknownDataset          no built-in set of that name
│   ├── UnknownFormat           a kind of file that is not read here
│   ├── EmptySource             nothing in it
│   ├── CorruptFile             begins well and cannot be read to the end
│   ├── NotUtf8                 text in another encoding
│   ├── RaggedRow               a line with too many or too few fields
│   ├── DuplicateColumn         two columns of one name
│   ├── TooLarge                beyond a stated limit
│   ├── TooManyGroups           more combinations of values than are counted
│   └── WarehouseError          a table that is counted where it lies
│       ├── BadWarehouseUrl
│       ├── NoDriver            a package for this engine is not installed
│       ├── CannotConnect
│       ├── MissingTable
│       └── QueryFailed
├── ColumnError                 a column does not hold what it is asked for
│   ├── MissingColumn
│   ├── MissingValue
│   ├── NotBinary
│   ├── UnknownPositive
│   ├── NotNumeric
│   ├── BadWeight
│   ├── UnsupportedType
│   └── WrongLength
└── ImageError                  pictures that do not make a set
    ├── BadImages               an array of the wrong shape or type, or no pictures or table at all
    ├── WrongImageSize
    ├── MissingPicture
    ├── CorruptPicture
    └── UnsafeMember            a file name that leads out of its folder

Every constructor takes facts, keeps them as attributes, and builds the message.
Rows are counted from 1, the first row of data.
"""

import re
from collections.abc import Sequence
from difflib import get_close_matches

SHOWN = 12
"""So many names or values at most stand in a message."""


Part = str | tuple[str, str | None]
"""Of a message: words, or a setting by its name in the policy and the value it should have (None: of one's choice)."""


class DatasetError(Exception):
    """The data cannot be used as asked; the message says what was wrong and what to do.

    Attributes:
        said: the message in parts. Who shows it puts the settings into words of its readers: an option, a field, a key.
            Without that, a setting is a bare `sensitive`.
    """

    def __init__(self, *said: Part) -> None:
        super().__init__("".join(part if isinstance(part, str) else f"`{part[0]}`" for part in said))
        self.said = said


def listed(names: Sequence[str]) -> str:
    """Names with commas between them, the long tail counted."""
    shown = ", ".join(names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


SAME_THING = {"gender": "sex", "sex": "gender", "ethnicity": "race", "race": "ethnicity"}
"""Names that are spelt apart and often taken for one another."""


def nearest(name: str, available: Sequence[str]) -> str | None:
    """The available name that is most like the one given, or None where nothing is."""
    by_folded = {candidate.casefold().strip(): candidate for candidate in reversed(available)}
    other = SAME_THING.get(name.casefold().strip())
    if other in by_folded:
        return by_folded[other]
    found = get_close_matches(name.casefold().strip(), list(by_folded), n=1, cutoff=0.5)
    return by_folded[found[0]] if found else None


def _place(row: int, line: int | None) -> str:
    return f"row {row:,}" if line is None else f"row {row:,} (line {line:,})"


# --- the thing as a whole ---------------------------------------------------------------------------------------------


class SourceError(DatasetError):
    """The source as a whole cannot be read."""


class MissingSource(SourceError):
    """Neither a file, a folder nor a built-in set has this name."""

    def __init__(self, source: str, builtin: Sequence[str]) -> None:
        self.source, self.builtin = source, tuple(builtin)
        near = nearest(source, builtin)
        hint = f" Did you mean '{near}'?" if near else ""
        super().__init__(
            f"'{source}' is neither a file, a folder nor a built-in data set.{hint}"
            f" Built in are: {listed(builtin)}. Pass one of these, or the path of a file that exists."
        )


class BadName(SourceError):
    """A path that is no UTF-8, so that no report could name it."""

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__(f"the name {source!a} is not UTF-8. Rename the file or folder.")


class UnknownDataset(SourceError):
    """No built-in set has this name."""

    def __init__(self, name: str, available: Sequence[str]) -> None:
        self.name, self.available = name, tuple(available)
        near = nearest(name, available)
        hint = f" Did you mean '{near}'?" if near else ""
        super().__init__(f"'{name}' is not a built-in data set.{hint} Built in are: {listed(available)}.")


class UnknownFormat(SourceError):
    """A kind of file that is not read here."""

    def __init__(self, source: str, found: str, known: Sequence[str]) -> None:
        self.source, self.found, self.known = source, found, tuple(known)
        super().__init__(
            f"{source} is {found}, which is not a format read here. Known are: {listed(known)}."
            " Convert the file to one of these, and give it that extension."
        )


class EmptySource(SourceError):
    """There is nothing in it."""

    def __init__(self, source: str, found: str) -> None:
        self.source, self.found = source, found
        super().__init__(
            f"{source} is empty: it has {found}."
            " A table needs a header and at least one row. Check that it was written, or uploaded, to the end."
        )


class CorruptFile(SourceError):
    """The file cannot be read as what its name or first bytes say it is."""

    def __init__(self, source: str, kind: str, reason: str) -> None:
        self.source, self.kind, self.reason = source, kind, reason
        super().__init__(
            f"{source} cannot be read as {kind}: {reason.strip().rstrip('.')}."
            " The file is damaged, cut short, or something else under this name. Write or upload it again."
        )


class NotUtf8(SourceError):
    """Text in another encoding than UTF-8."""

    def __init__(self, source: str, found: str, place: str) -> None:
        self.source, self.found, self.place = source, found, place
        super().__init__(
            f"{source} is not UTF-8: {found} in {place}. Save the file as UTF-8 (in a spreadsheet: 'CSV UTF-8')."
        )


class RaggedRow(SourceError):
    """A line with too many or too few fields."""

    def __init__(self, source: str, row: int | None, expected: int, found: int, text: str) -> None:
        self.source, self.row, self.expected, self.found = source, row, expected, found
        where = "a row" if row is None else f"row {row:,}"
        shown = text if len(text) <= 60 else text[:60] + "…"
        super().__init__(
            f"{where} of {source} has {found} fields where the header has {expected}: {shown!r}."
            " Quote values that hold the separator, or mend the row."
        )


class DuplicateColumn(SourceError):
    """Two columns of one name, so that neither can be asked for."""

    def __init__(self, source: str, column: str, positions: Sequence[int]) -> None:
        self.source, self.column, self.positions = source, column, tuple(positions)
        where = " and ".join(str(position) for position in positions)
        super().__init__(
            f"{source} has {len(positions)} columns named '{column}' (columns {where})."
            " Rename or drop one, so that a name means one column."
        )


class TooLarge(SourceError):
    """Beyond a stated limit; found is what the source claims or holds."""

    def __init__(self, source: str, what: str, found: int, limit: int) -> None:
        self.source, self.what, self.found, self.limit = source, what, found, limit
        super().__init__(
            f"{source} is too large: {found:,} {what}, the limit is {limit:,}."
            " Hand in fewer rows or smaller pictures, or only the columns that the audit needs."
        )


class TooManyGroups(SourceError):
    """More combinations of values than are counted; a column that names single rows is the usual cause."""

    def __init__(self, source: str, columns: Sequence[str], found: int, limit: int) -> None:
        self.source, self.columns, self.found, self.limit = source, tuple(columns), found, limit
        super().__init__(
            f"{source} has at least {found:,} combinations of {listed(columns)}, the limit is {limit:,}."
            " Leave out the column with the most values, or group its values into fewer before."
        )


class WarehouseError(SourceError):
    """A table that is counted where it lies cannot be. No message holds a password."""


class BadWarehouseUrl(WarehouseError):
    """The URL does not say which table is meant."""

    def __init__(self, url: str, problem: str) -> None:
        self.url, self.problem = url, problem
        super().__init__(
            f"'{url}' names no table: {problem}. Write postgresql://user@host/database/table,"
            " postgresql://user@host/database/schema/table or duckdb:///folder/file.duckdb?table=name."
        )


class NoDriver(WarehouseError):
    """A package for this engine is not installed."""

    def __init__(self, url: str, package: str) -> None:
        self.url, self.package = url, package
        super().__init__(f"'{url}' needs a package that is not installed: pip install '{package}'.")


class CannotConnect(WarehouseError):
    """The engine does not answer, or does not let us in."""

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(
            f"cannot connect to '{url}': {reason.strip().rstrip('.')}. Check host, port, user and database; a password"
            " is taken from the URL, or better from PGPASSWORD or ~/.pgpass."
        )


class MissingTable(WarehouseError):
    """No table has this name; the message names the nearest one."""

    def __init__(self, table: str, url: str, available: Sequence[str]) -> None:
        self.table, self.url, self.available = table, url, tuple(available)
        self.nearest = nearest(table, available)
        hint = f" Did you mean '{self.nearest}'?" if self.nearest else ""
        has = listed(available) if available else "none that this user may see"
        super().__init__(f"there is no table '{table}' at '{url}'. Tables there: {has}.{hint}")


class QueryFailed(WarehouseError):
    """The engine does not answer the one query that counts."""

    def __init__(self, table: str, reason: str) -> None:
        self.table, self.reason = table, reason
        shown = " ".join(reason.split())
        super().__init__(
            f"{table} cannot be counted: {shown[:300].rstrip('.')}. The user needs to read the table, and score and weight"
            " must be numbers."
        )


# --- columns ----------------------------------------------------------------------------------------------------------


class ColumnError(DatasetError):
    """A column does not hold what it is asked for."""


class MissingColumn(ColumnError):
    """No column has this name; the message names the nearest one.

    `setting` is that which named it; None where a caller did.
    """

    def __init__(self, column: str, source: str, available: Sequence[str], *, setting: str | None = None) -> None:
        self.column, self.source, self.available, self.setting = column, source, tuple(available), setting
        self.nearest = nearest(column, available)
        found = f"column '{column}' is not in {source}. It has: {listed(self.available)}."
        hint = f" Did you mean '{self.nearest}'?" if self.nearest else " Name one of these"
        if setting is None:
            super().__init__(found + (hint if self.nearest else f"{hint}."))
        elif setting == "sensitive" and (names := _all_columns(column, available)):
            each = [part for name in names for part in (" ", (setting, name))]
            super().__init__(
                f"{found} Each name stands by itself: {' and '.join(map(repr, names))} are columns. Use", *each, "."
            )
        else:
            super().__init__(f"{found}{hint}{' Use ' if self.nearest else ': '}", (setting, self.nearest), ".")


def _all_columns(text: str, available: Sequence[str]) -> list[str]:
    """The columns of a list with commas; none where it is no such list, or a part of it is no column."""
    names = [part.strip() for part in text.split(",")]
    return names if len(names) > 1 and set(names) <= set(available) else []


class MissingValue(ColumnError):
    """A value is missing where every row needs one. row is the first such row, None unknown; count how many there are."""

    def __init__(
        self, column: str, row: int | None, count: int, *, source: str = "the table", line: int | None = None
    ) -> None:
        self.column, self.row, self.count, self.source, self.line = column, row, count, source, line
        many = "1 value is" if count == 1 else f"{count:,} values are"
        super().__init__(
            f"column '{column}' of {source}: {many} missing{'' if row is None else f', the first in {_place(row, line)}'}."
            " Every row needs a value here. Fill it in, or leave these rows out and say so in the report."
        )


class NotBinary(ColumnError):
    """Values that are not plainly no and yes, and nobody said which of them is the positive one."""

    def __init__(self, column: str, values: Sequence[str], positive: str | None = None) -> None:
        self.column, self.values, self.positive = column, tuple(values), positive
        are_scores = len(values) > 2 and all(map(_is_number, values))
        super().__init__(
            f"column '{column}' is not binary: it has the values {listed(self.values)}, where 0 and 1 (or false and"
            " true) are understood without help. ",
            *(self._as_scores() if are_scores else ("Say",)),
            " which value is the positive one: ",
            ("positive", None),
            " (and ",
            ("favourable", None),
            ", where another outcome helps the person).",
        )

    def _as_scores(self) -> tuple[Part, ...]:
        return (
            "These look like scores: in place of ",
            ("prediction", self.column),
            ", use ",
            ("score", self.column),
            " with ",
            ("threshold", None),
            ", and rows with as much or more are predicted positive. Else say",
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class UnknownPositive(ColumnError):
    """The value declared positive or favourable never occurs."""

    def __init__(self, column: str, positive: str, values: Sequence[str]) -> None:
        self.column, self.positive, self.values = column, positive, tuple(values)
        near = nearest(positive, values)
        hint = f" Did you mean '{near}'?" if near else ""
        super().__init__(
            f"the value '{positive}' never occurs in column '{column}', which has {listed(self.values)}.{hint}"
            " Name one of these: ",
            ("positive", None),
            " (or ",
            ("favourable", None),
            ", where that named it).",
        )


class NotNumeric(ColumnError):
    """A value that is no number where numbers are needed."""

    def __init__(
        self, column: str, row: int | None, value: str, *, source: str = "the table", line: int | None = None
    ) -> None:
        self.column, self.row, self.value, self.source, self.line = column, row, value, source, line
        super().__init__(
            f"column '{column}' of {source} is not numeric: {value!r}{'' if row is None else f' in {_place(row, line)}'}."
            f" Numbers are needed here. {_how_written(value)}Mend the value, or name another column."
        )


def _how_written(value: str) -> str:
    """What is unusual about a number that another program wrote for people; empty where it is no such number."""
    if re.fullmatch(r"\s*[+-]?\d{1,3}(,\d{3})+(\.\d+)?\s*", value):
        return "The comma groups thousands, which is not read: write 1234.5. "
    if re.fullmatch(r"\s*[+-]?(\d{1,3}(\.\d{3})+|\d*),\d+\s*", value):
        return "The comma is a decimal comma, which is not read: write 0.5. "
    if re.fullmatch(r"\s*[+-]?\d+([.,]\d+)?\s*%\s*", value):
        return "Per cent are not read: write a fraction, 0.5 for 50%. "
    if value.lower().lstrip("+-") in ("inf", "infinity"):
        return "Infinity is not compared. "
    return ""


class BadWeight(ColumnError):
    """A weight that is negative or not finite, in a row that may not be known (None); or weights that are all 0."""

    def __init__(
        self, column: str, row: int | None, value: float, *, source: str = "the table", line: int | None = None
    ) -> None:
        self.column, self.row, self.value, self.source, self.line = column, row, value, source, line
        if row is None:
            found = "every weight is 0" if value == 0 else f"a weight is {value:g}"
        else:
            found = f"the weight in {_place(row, line)} is {value:g}"
        super().__init__(
            f"column '{column}' of {source}: {found}."
            " A weight is a finite number of at least 0, and some weight is above 0."
        )


class UnsupportedType(ColumnError):
    """A column of lists, structures or the like, which has no plain values."""

    def __init__(self, column: str, found: str, *, source: str = "the table") -> None:
        self.column, self.found, self.source = column, found, source
        super().__init__(
            f"column '{column}' of {source} holds {found}, not plain values."
            " Text, numbers, booleans and dates can be used. Spread it over plain columns."
        )


class WrongLength(ColumnError):
    """A column with more or fewer values than there are rows."""

    def __init__(self, column: str, found: int, rows: int, *, source: str = "the table") -> None:
        self.column, self.found, self.rows, self.source = column, found, rows, source
        super().__init__(
            f"column '{column}' has {found:,} values where {source} has {rows:,} rows. Give one value a row."
        )


# --- pictures ---------------------------------------------------------------------------------------------------------


class ImageError(DatasetError):
    """Pictures that do not make a set."""


class BadImages(ImageError):
    """What was found is not a set of pictures; hint says what would be."""

    def __init__(self, source: str, found: str, hint: str) -> None:
        self.source, self.found, self.hint = source, found, hint
        super().__init__(f"{source}: {found}. {hint}")


class WrongImageSize(ImageError):
    """One picture has another size than the first. Sizes are (width, height) in pixels."""

    def __init__(
        self, source: str, file: str, size: tuple[int, int], first_file: str, expected: tuple[int, int]
    ) -> None:
        self.source, self.file, self.size = source, file, size
        self.first_file, self.expected = first_file, expected
        super().__init__(
            f"{source}: {file} is {size[0]} x {size[1]} pixels, {first_file} is {expected[0]} x {expected[1]}."
            f" All pictures of a set have one size. Resize {file} to {expected[0]} x {expected[1]}, or have all brought to"
            " it: ",
            ("picture_size", None),
            ".",
        )


class MissingPicture(ImageError):
    """The table names a picture that is not there."""

    def __init__(self, source: str, file: str, row: int) -> None:
        self.source, self.file, self.row = source, file, row
        super().__init__(
            f"{source}: row {row:,} of the table names '{file}', which is not there."
            " Names in the column 'file' are relative to the table. Add the picture, or leave the row out."
        )


class CorruptPicture(ImageError):
    """A file that is not a readable picture."""

    def __init__(self, source: str, file: str, reason: str) -> None:
        self.source, self.file, self.reason = source, file, reason
        super().__init__(
            f"{source}: {file} cannot be read as a picture: {reason.strip().rstrip('.')}."
            " PNG, JPEG, WebP and BMP are read. Save it again as one of these, or leave it out."
        )


class UnsafeMember(ImageError):
    """A file name that leads out of its folder or archive."""

    def __init__(self, source: str, file: str) -> None:
        self.source, self.file = source, file
        super().__init__(
            f"{source}: the name '{file}' leads out of the folder, which is refused."
            " Use names relative to the table, without '..', a drive or a leading slash."
        )
