"""One table whose names are code, markup, formulas and control characters, through every output of a real audit."""

import json
import re
import xml.etree.ElementTree as ElementTree
from functools import cache
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from rich.console import Console

from evenhand.auditors.policy import DataSection, Policy
from evenhand.auditors.report import Report
from evenhand.auditors.words import LONGEST_NAME, legible, printable
from evenhand.datasets.table import Table
from evenhand.service import render
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.run import audit_subject
from evenhand.service.audits.subject import open_subject
from evenhand.service.cli import cli
from evenhand.service.render import page

NAMES = (
    "<script>alert(1)</script>",
    "</details><img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "a|b`c`[x](http://evil.example)",
    "www.evil.example @admin #1",
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;http://evil.example\x07link",
    "\u202egnp.exe\u2066",
    "%0A::error::owned\r\n::error::owned",
    "]]>&lt;<!-- x -->",
    "{{7*7}}{% raw %}[bold]b[/bold]",
    "x" * 10_000,
    "\u200b",
    " ",
    "NA",
    "\x00\x08\x9b\ufeff\ud7ff",
    "e\u0301",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # a Persian word with its joiner
)
COLUMNS = ("<b>sex</b>\x1b[2J", "r|ace\n::error::\u202e")
OUTPUTS = ("html", "markdown", "junit_xml", "sarif", "github_annotations", "terminal")
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""Control characters, the marks that turn the direction of reading, and what is invisible."""


@cache
def hostile() -> Report:
    """Every name selected at its own rate, so that many names stand in messages."""
    rng = np.random.default_rng(0)
    group = rng.integers(len(NAMES), size=6_000)
    data = {
        "y": rng.integers(2, size=6_000),
        "p": (rng.random(6_000) < np.linspace(0.1, 0.9, len(NAMES))[group]).astype(np.int64),
        COLUMNS[0]: [NAMES[i] for i in group],
        COLUMNS[1]: [NAMES[i] for i in rng.integers(2, 8, size=6_000)],
    }
    table = Table("a\x1b[1m|b.csv", pa.table(data), None, "0" * 64)
    policy = Policy(data=DataSection(label="y", prediction="p", sensitive=list(COLUMNS)))
    request = AuditRequest(source="hostile.csv", policy=policy)
    with open_subject(request, table) as subject:
        return audit_subject(subject, request)


@cache
def rendered(output: str) -> str:
    if output != "terminal":
        return str(getattr(render, output)(hostile()))
    console = Console(file=StringIO(), width=120)
    render.terminal(hostile(), console=console)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("output", OUTPUTS)
def test_nothing_steers_a_terminal_or_turns_the_direction_of_reading(output: str) -> None:
    assert STEERS.findall(rendered(output).replace("@\u200b", "@")) == []


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_name_of_ten_thousand_characters_is_cut_and_its_length_told(output: str) -> None:
    assert "x" * (LONGEST_NAME + 1) not in rendered(output)


def test_the_page_says_how_long_a_cut_name_is() -> None:
    assert "x… (10,000 characters)" in rendered("html")


def test_report_keeps_every_name_to_the_letter() -> None:
    """What is cut and replaced is a view; two names that look alike stay two."""
    read_again = Report.model_validate_json(hostile().to_json())
    assert read_again.audits.group_disparity is not None

    groups = read_again.audits.group_disparity.attributes[0].groups

    assert {group.group[COLUMNS[0]] for group in groups} == set(NAMES)


class Elements(HTMLParser):
    """The elements a browser would make, and whether one of them runs something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.handlers: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.links += [value for name, value in attrs if name in ("href", "src") and value and "evil" in value]


def test_html_makes_no_element_handler_or_link_of_a_name() -> None:
    found = Elements(rendered("html"))

    assert not found.names & {"script", "img", "iframe", "object"}
    assert found.handlers == found.links == []


def test_dashboard_pages_show_text_as_the_page_on_disk_does() -> None:
    import flask

    app = flask.Flask("hostile")
    page.equip(app.jinja_env)

    with app.app_context():
        shown = flask.render_template_string("{{ name }}", name="\x1b[31m<b>\u202e")

    assert shown == "\ufffd[31m&lt;b&gt;\ufffd"


def test_markdown_leaves_no_markup_mention_or_address_that_is_live() -> None:
    bare = re.sub(r"\\.", "", rendered("markdown"))  # what is escaped is text

    assert re.findall(r"</?(?!details>|summary>)\w+|`|\]\(|@\w|://|www\.", bare) == []


def test_markdown_tables_keep_their_columns() -> None:
    tables = [part.splitlines() for part in rendered("markdown").split("\n\n") if part.startswith("|")]
    widths = [{len(re.findall(r"(?<!\\)\|", line)) for line in lines} for lines in tables]

    assert len(widths) == 7
    assert all(len(width) == 1 for width in widths)


def test_junit_is_xml_and_sarif_is_json() -> None:
    assert ElementTree.fromstring(rendered("junit_xml")).tag == "testsuites"
    assert json.loads(rendered("sarif"))["version"] == "2.1.0"


def test_annotations_are_one_command_a_line_and_none_of_a_name() -> None:
    lines = rendered("github_annotations").splitlines()

    assert lines
    assert all(re.match(r"::(error|warning) title=[^,:]+::[^\r\n]+$", line) for line in lines)


def test_terminal_shows_markup_of_its_library_as_text() -> None:
    assert "[bold]b[/bold]" in rendered("terminal")


def test_command_line_error_that_quotes_the_data_is_printable(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("y,\x1b[2J\u202ep\n1,\x1b[31mx\n0,b\n", encoding="utf-8")

    result = CliRunner().invoke(cli, ["audit", str(tmp_path / "t.csv"), "--prediction", "q", "--sensitive", "y"])

    assert result.exit_code == 2
    assert STEERS.findall(result.output) == []


def test_attribute_with_more_levels_than_can_be_compared_is_told_with_the_limit(tmp_path: Path) -> None:
    rows = "\n".join(f"{i % 2},u{i}" for i in range(1_002))
    (tmp_path / "t.csv").write_text(f"p,id\n{rows}\n")

    result = CliRunner().invoke(cli, ["audit", str(tmp_path / "t.csv"), "--prediction", "p", "--sensitive", "id"])

    assert result.exit_code == 2
    assert "'id' has 1,002 groups in 1,002 rows; up to 500 can be compared" in result.output


def test_words_with_joiners_stay_whole_and_the_invisible_is_seen() -> None:
    assert printable(NAMES[-1]) == NAMES[-1]
    assert legible("\u200b") == "\ufffd"
