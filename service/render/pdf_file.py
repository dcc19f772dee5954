"""The report as PDF/UA-1: a tagged document to file, print and read aloud. What stands in it is arranged in `pdf_blocks`.

No text of the report is ever markup: it travels to the typesetter as strings in JSON, which the template shows as they are.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from evenhand.auditors.report import Report
from evenhand.service.errors import PdfNotMade
from evenhand.service.render import pdf_blocks, words

TEMPLATES = Path(__file__).parent.parent / "templates" / "report"
TEMPLATE = TEMPLATES / "report.typ"
STANDARD = "ua-1"

PROBE = b'#set document(title: "probe")\n#set text(font: ("Libertinus Serif", "DejaVu Sans Mono"))\n#sys.inputs.text'
LONGEST_RUN = 18
"""Signs of a word that a table's column holds; a longer one may break."""
BREAK_HERE = "\u200b"


def pdf(report: Report) -> bytes:
    """The same report gives the same bytes; nothing is fetched, and only the typesetter's own fonts are used.

    Raises:
        PdfNotMade: the typesetter is not installed.
    """
    return _compile(TEMPLATE.read_bytes(), report=shown(pdf_blocks.document(report)), when=report)


def _compile(source: bytes, *, report: Any, when: Report) -> bytes:
    made: bytes = typesetter(when.id).compile(
        source,
        root=str(TEMPLATES),
        sys_inputs={"report": json.dumps(report)},
        pdf_standards=STANDARD,
        ignore_system_fonts=True,
        timestamp=int(when.created.timestamp()),
    )
    return made


def typesetter(report_id: str) -> Any:
    """The module, imported only where a PDF is asked for."""
    try:
        import typst
    except ImportError:
        raise PdfNotMade(report_id) from None
    return typst


def shown(value: Any, *, narrow: bool = False) -> Any:
    """The same document with every text made of signs that the fonts have; in tables long words may break."""
    if isinstance(value, dict):
        return {name: shown(each, narrow=narrow or value.get("kind") == "table") for name, each in value.items()}
    if isinstance(value, list):
        return [shown(each, narrow=narrow) for each in value]
    if not isinstance(value, str):
        return value
    return breakable(displayable(value)) if narrow else displayable(value)


def displayable(text: str) -> str:
    """Without signs that steer or turn the reading, and with '<U+5973>' for those that no font here can draw."""
    safe = words.on_lines(text)
    return safe if safe.isascii() else "".join(sign if _has_glyph(sign) else f"<U+{ord(sign):04X}>" for sign in safe)


@cache
def _has_glyph(sign: str) -> bool:
    """PDF/UA allows no sign without a glyph, and the typesetter says which have one."""
    if sign.isascii():
        return True
    import typst

    try:
        typst.compile(PROBE, sys_inputs={"text": sign}, pdf_standards=STANDARD, ignore_system_fonts=True, timestamp=0)
    except typst.TypstError:
        return False
    return True


def breakable(text: str) -> str:
    """With places to break in words longer than a column."""
    return " ".join(
        word
        if len(word) <= LONGEST_RUN
        else BREAK_HERE.join(word[i : i + LONGEST_RUN] for i in range(0, len(word), LONGEST_RUN))
        for word in text.split(" ")
    )
