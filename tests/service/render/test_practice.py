"""The tables that laws and practice ask for, as people read them."""

import re

import numpy as np
import pytest

from evenhand.auditors.counts import CountTable
from evenhand.auditors.report import Report
from evenhand.service import render
from evenhand.service.render import practice
from tests.service.render import examples
from tests.service.render.test_laws import on_terminal


def hiring(policy: dict | None = None, **groups: tuple[int, int]) -> Report:
    """Group to (selected, people); being selected is what helps, as the fixture's favourable 0."""
    cells = np.array([[[selected, people - selected]] for selected, people in groups.values()])
    return examples.from_counts(CountTable(("group",), (tuple(groups),), cells), label=None, policy=policy)


def section(page: str) -> str:
    return re.findall(r'<section aria-labelledby="practice">.*?</section>', page, flags=re.S)[0]


@pytest.mark.parametrize("output", ["html", "markdown", "terminal"])
def test_exactly_four_fifths_is_not_marked(output: str) -> None:
    report = hiring(low=(480, 1000), high=(600, 1000))

    shown = on_terminal(report) if output == "terminal" else getattr(render, output)(report)

    assert "(below four-fifths)" not in shown
    assert '<span class="tag">below four-fifths' not in shown
    assert "Below four-fifths" not in shown


def test_below_four_fifths_is_marked_in_words() -> None:
    report = hiring(low=(470, 1000), high=(600, 1000))

    assert '<span class="tag">below four-fifths</span>' in section(render.html(report))
    assert "low (below four-fifths)" in render.markdown(report)
    assert "below four fifths of the rate of high, the most selected: low .783." in on_terminal(report)


def test_local_law_144_prints_no_limit() -> None:
    law = section(render.html(hiring(low=(400, 1000), high=(600, 1000)))).split("Local Law 144</h3>")[1]

    assert "0.667" in law
    assert "below four-fifths" not in law
    assert not re.search(r"[^0-9.]0?\.80?[^0-9]", law)


def test_one_person_is_said_on_the_terminal() -> None:
    said = on_terminal(hiring(few=(2, 10), many=(3, 10)))

    assert "few .667 (not flagged: one person decides it)" in said


def test_what_local_law_144_has_published_is_stated_or_said_to_be_missing() -> None:
    stated = hiring(
        {"report": {"data_source": "applicants of 2025", "distribution_date": "2025-03-01"}}, a=(9, 40), b=(9, 50)
    )

    assert practice.facts(stated)["Distribution date"] == "1 March 2025"
    assert practice.facts(stated)["Source of the data"] == "applicants of 2025"
    assert practice.facts(stated)["Date of the audit"] == "24 November 2026"
    assert practice.facts(examples.compas())["Distribution date"].startswith("not stated")


def test_names_in_the_tables_are_text() -> None:
    page = section(render.html(examples.hostile()))

    assert "<script>" not in page
    assert "<img" not in page


def test_every_category_stands_in_the_page() -> None:
    report = examples.compas()
    page = section(render.html(report))

    for table in practice.shown(report).local_law_144:
        for category in table.categories:
            assert f"<td>{category.n:,}</td>" in page


def test_a_long_table_says_how_many_it_leaves_to_the_json() -> None:
    assert "160 smaller groups of this table are in the JSON." in section(render.html(examples.many_groups()))


def test_lending_marks_the_cutoff_in_use() -> None:
    page = section(render.html(examples.scored()))

    assert re.search(r'cutoff 0\.5 <span class="tag">in use</span>', page)
