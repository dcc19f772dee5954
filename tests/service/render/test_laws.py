"""What holds for every report in every output: nothing is lost, nothing steers the reader's program, nothing is NaN."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from functools import cache
from html.parser import HTMLParser
from io import StringIO
from itertools import pairwise

import pytest
from rich.console import Console

from evenhand.auditors.report import Report
from evenhand.service import render
from evenhand.service.render import checks
from tests.service.render import examples

EXAMPLES = {
    name: getattr(examples, name)
    for name in (
        "compas",
        "everything",
        "many_groups",
        "hostile",
        "undefined",
        "without_labels",
        "fair",
        "scored",
        "berkeley",
        "nothing",
    )
}
VOID = {"meta", "input", "img", "br", "hr", "link"}


def on_terminal(report: Report, *, quiet: bool = False, width: int = 120) -> str:
    console = Console(file=StringIO(), width=width)
    render.terminal(report, console=console, quiet=quiet)
    return console.file.getvalue()  # type: ignore[attr-defined]


OUTPUTS = ("html", "markdown", "junit_xml", "sarif", "terminal", "github_annotations")


@cache
def rendered(example: str, output: str) -> str:
    report = EXAMPLES[example]()
    return on_terminal(report) if output == "terminal" else getattr(render, output)(report)


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def report(example: str) -> Report:
    return EXAMPLES[example]()


@pytest.fixture
def page(example: str) -> str:
    return rendered(example, "html")


class Page(HTMLParser):
    """Which elements and attributes a browser would see, and whether every element is closed where it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}


@pytest.mark.parametrize("output", OUTPUTS)
def test_no_output_says_nan_none_or_inf(example: str, output: str) -> None:
    text = re.sub(
        r"<style>.*?</style>|sha256-\S+|data:image/\S+|<details><summary>The policy.*?</details>",
        "",
        rendered(example, output),
        flags=re.S,
    )

    assert not re.search(r"\b(nan|NaN|None|inf|-inf|Infinity|null)\b", text)


@pytest.mark.parametrize("output", OUTPUTS)
def test_no_output_calls_anything_compliant_fair_or_illegal(example: str, output: str) -> None:
    assert not re.search(
        r"\b(compliant|compliance|unbiased|fair|unfair|illegal|debias\w*)\b", rendered(example, output), flags=re.I
    )


def test_every_finding_stands_in_the_page_once(report: Report, page: str) -> None:
    arranged = checks.arrange(report)

    placed = [finding.id for check in arranged for finding in (check.finding, *check.pairs)]
    assert sorted(placed) == sorted(finding.id for finding in report.findings)
    assert page.count('<article class="find">') == len(arranged)
    assert len(re.findall(r'<table class="pairs">', page)) == sum(bool(check.pairs) for check in arranged)


def test_every_group_stands_in_the_page_with_its_rows(report: Report, page: str) -> None:
    for result in report.audits.group_disparity.attributes if report.audits.group_disparity else []:
        for row in result.groups:
            assert f"<td>{row.n:,}</td>" in page


def test_page_is_well_formed_and_asks_for_nothing(page: str) -> None:
    seen = Page(page)

    assert seen.open == []
    assert not seen.tags() & {"script", "link", "iframe", "object", "embed", "form", "base"}
    for tag, attributes in seen.elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
        assert (attributes.get("src") or "data:image/").startswith("data:image/")


def test_page_has_one_h1_and_never_skips_a_level(page: str) -> None:
    levels = [int(tag[1]) for tag, _ in Page(page).elements if re.fullmatch("h[1-6]", tag)]

    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_table_has_a_caption_and_scoped_headers(page: str) -> None:
    seen = Page(page)

    tables = sum(tag == "table" for tag, _ in seen.elements)
    assert sum(tag == "caption" for tag, _ in seen.elements) == tables
    assert all(attributes.get("scope") for tag, attributes in seen.elements if tag == "th")


def test_every_chart_says_what_it_shows(page: str) -> None:
    # a drawing inside a chart is hidden: the chart speaks for it
    charts = [
        attributes
        for tag, attributes in Page(page).elements
        if tag == "svg" and attributes.get("aria-hidden") != "true"
    ]

    assert all(chart.get("role") == "img" and chart.get("aria-label") for chart in charts)


def test_page_allows_itself_nothing_but_its_own_style(page: str) -> None:
    assert "default-src &#39;none&#39;; style-src &#39;sha256-" in page


def test_junit_is_xml_with_a_case_for_each_gated_finding(report: Report) -> None:
    cases = ElementTree.fromstring(render.junit_xml(report)).findall(".//testcase")

    assert len(cases) == len(checks.gated(report))


def test_same_report_same_page(report: Report, page: str) -> None:
    assert render.html(report) == page


def test_terminal_ends_with_what_the_exit_code_means(report: Report) -> None:
    last = on_terminal(report).strip().splitlines()[-1]

    assert last.startswith(f"Exit code {report.gate.exit_code}: ")
    assert on_terminal(report, quiet=True).strip() == last


@pytest.mark.parametrize("width", [60, 80, 120])
def test_terminal_names_every_gated_check(width: int) -> None:
    shown = on_terminal(examples.compas(), width=width)

    assert shown.count("disparity proven") == 4
    assert shown.count("proven within") == 2


def test_each_output_loads_its_own_library_and_no_other() -> None:
    """The command line starts fast because nothing is imported that is not asked for."""
    libraries = {"flask", "jinja2", "rich", "sarif_pydantic", "junitparser", "numpy"}
    script = f"import sys, evenhand.service.render; print(*({libraries} & set(sys.modules)))"

    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert found.split() == []
