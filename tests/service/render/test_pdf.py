"""The report as PDF: tagged, the same bytes twice, and names from the data are text whatever they hold."""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import typst

from evenhand.auditors.counts import CountTable
from evenhand.auditors.report import Document, Estimate, Report
from evenhand.service import render
from evenhand.service.errors import PdfNotMade
from evenhand.service.render import numbers, pdf_blocks, pdf_file, pdf_pieces, words
from tests.service.render import examples

HOSTILE = (
    '#panic("run")',
    '#read("/etc/passwd")',
    "$ x^2 $ and \\ backslash",
    '[#link("https://example.org")[x]] = heading',
    "`raw` *strong* _emph_ @ref <label> // comment",
    "bell\x07 escape\x1b[31m null\x00",
    "\u202eright to left\u202c\u200fmark",
    "女 and 👩🏽‍🔬 and עברית",
    "line\nbreak\r\n= title",
    "x" * 300,
    "",
    "\ud7ff\ufffe",
)


def named(names: tuple[str, ...]) -> Report:
    cells = np.tile(np.array([[[30, 10], [5, 40]]]), (len(names), 1, 1))
    return examples.from_counts(CountTable((names[0],), (names,), cells), title=names[1])


def headings(report: Report) -> Counter[int]:
    """The headings that the typesetter sees, by level."""
    found = typst.query(
        pdf_file.TEMPLATE.read_bytes(),
        "heading",
        sys_inputs={"report": json.dumps(pdf_file.shown(pdf_blocks.document(report)))},
        ignore_system_fonts=True,
    )
    return Counter(each["level"] for each in json.loads(found))


@pytest.mark.parametrize(
    "example", ["compas", "everything", "hostile", "undefined", "without_labels", "scored", "berkeley", "nothing"]
)
def test_every_report_becomes_a_tagged_document(example: str) -> None:
    made = render.pdf(getattr(examples, example)())

    assert made.startswith(b"%PDF-1.7")
    assert b"pdfuaid:part" in made
    assert b"/MarkInfo" in made
    assert b"/Lang" in made


def test_same_report_same_bytes() -> None:
    assert render.pdf(examples.compas()) == render.pdf(examples.compas())


def test_names_from_the_data_are_never_markup() -> None:
    """A name that ran would raise, read a file, or add a heading."""
    plain = tuple(f"group {i}" for i in range(len(HOSTILE)))

    assert render.pdf(named(HOSTILE)).startswith(b"%PDF")
    assert headings(named(HOSTILE)) == headings(named(plain))


def test_a_name_that_does_run_would_be_seen() -> None:
    """The test above can fail: the same name as markup raises."""
    with pytest.raises(typst.TypstError, match="run"):
        typst.compile(HOSTILE[0].encode(), ignore_system_fonts=True)


def test_signs_that_steer_the_reading_are_replaced() -> None:
    shown = pdf_file.displayable("\u202eabc\u200f \x1b[31m")

    assert shown == "\ufffdabc\ufffd \ufffd[31m"


def test_signs_without_a_glyph_are_written_as_code_points() -> None:
    assert pdf_file.displayable("女 ≥ .8 × é") == "<U+5973> ≥ .8 × é"


def test_long_words_may_break_in_tables_and_lose_no_sign() -> None:
    word = "occupation_" * 10

    assert pdf_file.breakable(word).replace(pdf_file.BREAK_HERE, "") == word
    assert max(map(len, pdf_file.breakable(word).split(pdf_file.BREAK_HERE))) == pdf_file.LONGEST_RUN


def test_hashes_can_be_copied_whole() -> None:
    blocks = pdf_file.shown(pdf_blocks.document(examples.everything()))["blocks"]

    copied = {item["name"]: item["text"] for block in blocks if block["kind"] == "facts" for item in block["items"]}

    assert copied["Data sha256"] == "3c1b" * 16
    assert copied["Model sha256"] == "77aa" * 16


def test_every_gated_check_and_every_group_stands_in_the_document() -> None:
    report = examples.compas()
    text = json.dumps(pdf_blocks.document(report), ensure_ascii=False)

    assert [block["text"] for block in pdf_blocks.document(report)["blocks"] if block["kind"] == "heading"] == [
        report.subject.title,
        "Checks",
        "Groups",
        "Tables that laws and practice ask for",
        "Four-fifths rule",
        "New York City, Local Law 144",
        "What this report does not say",
        "How to recompute this report",
    ]
    for result in report.audits.group_disparity.attributes:
        for row in result.groups:
            assert f'"{row.n:,}"' in text
    assert text.count('"disparity proven"') == 4


def test_warnings_about_the_data_stand_before_the_verdict() -> None:
    report = examples.compas()
    data = report.subject.data.model_copy(update={"warnings": ["'male' and 'Male' may be one group"]})
    warned = report.model_copy(update={"subject": report.subject.model_copy(update={"data": data})})

    opening = pdf_blocks.document(warned)["blocks"][:4]

    assert [block["kind"] for block in opening] == ["heading", "text", "text", "verdict"]
    assert opening[2]["text"] == "Warning: 'male' and 'Male' may be one group"


def test_a_long_table_says_what_it_leaves_out() -> None:
    text = json.dumps(pdf_blocks.document(examples.many_groups()))

    assert "160 more rows of this table are in the HTML and the JSON." in text


def test_nothing_is_called_what_no_number_can_show() -> None:
    text = json.dumps(pdf_blocks.document(examples.everything())).lower()

    assert not any(
        f"{word}" in text.replace("unlawfully", "").split() for word in ("compliant", "illegal", "unbiased", "fair")
    )
    assert "nan" not in text.split()


def test_without_the_typesetter_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)

    with pytest.raises(PdfNotMade, match=r"pip install typst, or open /api/v1/reports/.*\.html"):
        render.pdf(examples.nothing())


ON_PAPER = {
    "Findings": "Checks",
    "Proxies": "Features that stand in for an attribute",
    "Perception: what the network sees": "What the network sees",
}
"""Sections of the page that paper calls otherwise."""
MARKED = b"#show table.cell: it => [#metadata(none)<cell>#it]\n"
PAGES = b"\n#context [#metadata(query(<cell>).map(it => it.location().page()))<pages>]"
"""For the typesetter to say on which pages the cells of tables stand."""
NO_HEADING = {*words.VERDICTS.values(), "Who bears the errors", "Who gets the favourable outcome"}
"""The verdict, which has a box on paper, and charts, whose numbers are in the tables."""


@pytest.mark.parametrize("example", ["everything", "scored", "berkeley", "compas", "without_labels"])
def test_every_section_of_the_page_stands_in_the_document(example: str) -> None:
    report = getattr(examples, example)()
    page = [name.strip() for name in re.findall(r"<h2[^>]*>([^<]*)</h2>", render.html(report))]

    paper = [block["text"] for block in written(report) if block["kind"] == "heading"]

    wanted = {ON_PAPER.get(name, name) for name in page if name not in NO_HEADING}
    assert len(wanted) > 3
    assert wanted - set(paper) == set()


@pytest.mark.parametrize("audit", ["proxy", "robustness"])
def test_every_estimate_of_an_audit_stands_in_the_document_with_its_interval(audit: str) -> None:
    report = examples.everything()
    cells = {(cell["text"], cell["below"]) for block in written(report) for cell in cells_of(block)}

    shown = [
        (numbers.fixed(one.estimate), numbers.span(one.low, one.high))
        for one in estimates(getattr(report.audits, audit))
        if one.estimate is not None
    ]

    assert len(shown) > 9
    assert [one for one in shown if one not in cells] == [("0.030", "0.020 to 0.040")] * (audit == "proxy")
    # that of the joint set, which stands in a sentence
    assert audit != "proxy" or "contribution .030 (.020 to .040)" in json.dumps(written(report))


def test_pictures_are_on_paper_by_the_line_that_says_how_large_each_change_is() -> None:
    report = examples.everything()
    assert report.audits.robustness is not None

    items = [item for block in written(report) if block["kind"] == "list" for item in block["items"]]

    assert [line for panel in report.audits.robustness.panels for line in panel.lines if line not in items] == []


def test_values_of_a_feature_stand_in_the_document_with_rates_and_rows() -> None:
    (profile,) = [
        block for block in written(examples.everything()) if "relationship by sex" in block.get("caption", "")
    ]

    husband, _, missing = profile["rows"]
    assert [cell["text"] for cell in husband] == ["Husband", "0.000", "undefined", "0.611", "0.437"]
    assert [cell["below"] for cell in husband] == ["", "1", "no rows", "4,012", "0.417 to 0.457"]
    assert missing[0]["text"] == words.UNKNOWN


def test_a_table_has_a_cell_and_a_width_for_every_column() -> None:
    for example in ("everything", "scored", "berkeley", "compas"):
        for block in written(getattr(examples, example)()):
            if block["kind"] == "table":
                columns = len(block["header"])
                assert len(block["widths"]) == len(block["left"]) == columns
                assert all(len(row) == columns for row in block["rows"])


def test_short_tables_stay_whole_on_a_page() -> None:
    """A table of four rows that begins low on a page moves to the next with its caption; one of forty breaks."""
    column = [pdf_pieces.Column("Name", worded=True)]

    def pages(rows: int) -> list[int]:
        above = [pdf_pieces.text("line") for _ in range(42)]
        cells = [[pdf_pieces.PaperCell(f"row {i}")] for i in range(rows)]
        report = {
            "title": "t",
            "description": "d",
            "footer": "f",
            "blocks": [*above, *pdf_pieces.table("c", column, cells)],
        }
        found = typst.query(
            MARKED + pdf_file.TEMPLATE.read_bytes() + PAGES,
            "<pages>",
            field="value",
            one=True,
            sys_inputs={"report": json.dumps(report)},
            ignore_system_fonts=True,
        )
        return sorted(set(json.loads(found)))

    assert pages(4) == [2]
    assert pages(40) == [1, 2]


def written(report: Report) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = pdf_blocks.document(report)["blocks"]
    return blocks


def cells_of(block: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for row in block.get("rows", []) for cell in row]


def estimates(part: object) -> Iterator[Estimate]:
    """Every estimate anywhere inside."""
    if isinstance(part, Estimate):
        yield part
    elif isinstance(part, Document):
        yield from estimates([getattr(part, name) for name in type(part).model_fields])
    elif isinstance(part, list | dict):
        for each in part.values() if isinstance(part, dict) else part:
            yield from estimates(each)
