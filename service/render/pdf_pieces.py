"""The pieces that a document for paper is made of, as plain JSON for the template."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evenhand.auditors.report import Estimate, Group
from evenhand.service.render import numbers, words

Block = dict[str, Any]

MOST_ROWS = 40
"""Of one table; the rest is in the HTML and the JSON, and the document says so."""


@dataclass(frozen=True)
class PaperCell:
    text: str
    below: str = ""
    tone: str | None = None
    strong: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a table: its name, its share of the width, and whether it holds words."""

    name: str
    width: float = 1.0
    worded: bool = False


def heading(text: str, level: int = 2) -> Block:
    return {"kind": "heading", "text": text, "level": level}


def text(said: str, *, soft: bool = False) -> Block:
    return {"kind": "text", "text": said, "soft": soft}


def remarks(notes: Sequence[str]) -> Iterator[Block]:
    """Each note as a soft line."""
    return (text(note, soft=True) for note in notes)


def facts(items: dict[str, str], *, code: Sequence[str] = ()) -> Block:
    """Names and what they are; those in `code` are for copying."""
    found = [{"name": name, "text": said, "code": name in code} for name, said in items.items()]
    return {"kind": "facts", "items": found}


def table(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[PaperCell]]) -> Iterator[Block]:
    """A table, and a line where it is cut; nothing where there are no rows."""
    if not rows:
        return
    yield {
        "kind": "table",
        "caption": caption,
        "header": [column.name for column in columns],
        "rows": [[asdict(cell) for cell in row] for row in rows[:MOST_ROWS]],
        "widths": [column.width for column in columns],
        "left": [column.worded for column in columns],
    }
    if len(rows) > MOST_ROWS:
        yield text(
            f"{numbers.rows(len(rows) - MOST_ROWS)} more rows of this table are in the HTML and the JSON.", soft=True
        )


def named(group: Group | None, below: str = "") -> PaperCell:
    """The cell that a row begins with: a group."""
    return PaperCell(words.group(group), below, strong=True)


def counted(value: float | None) -> PaperCell:
    """Rows, units, people; empty where they were not counted."""
    return PaperCell("" if value is None else numbers.rows(value))


def measured(value: float | None, *, decimals: int = 3) -> PaperCell:
    """A number without an interval; empty where there is none."""
    return PaperCell("" if value is None else numbers.fixed(value, decimals))


def within(value: float | None, low: float | None, high: float | None, reason: str | None = None) -> PaperCell:
    """A number with its interval below, or that it is undefined and why."""
    if not numbers.is_number(value):
        return PaperCell(numbers.UNDEFINED, reason or "", tone="quiet")
    return PaperCell(numbers.fixed(value), numbers.span(low, high))


def estimated(shown: Estimate | None) -> PaperCell:
    return PaperCell(numbers.UNDEFINED, tone="quiet") if shown is None else of_interval(shown)


def of_interval(shown: Estimate) -> PaperCell:
    return within(shown.estimate, shown.low, shown.high, shown.reason)


def judged(verdict: str, below: str = "") -> PaperCell:
    """A verdict, in its colour and in words."""
    return PaperCell(words.VERDICTS.get(verdict, verdict), below, tone=words.TONES.get(verdict))


def listed(items: Sequence[str]) -> Iterator[Block]:
    """A list; nothing where it would be empty."""
    if items:
        yield {"kind": "list", "items": list(items)}
