"""The perception section: every check is a question with an answer, and pictures without a verdict say so."""

import re
from typing import get_args

import pytest

from evenhand.auditors.perception.edits import EDITS
from evenhand.auditors.report import Panel, PanelCurve, Perception, PerceptionCheck, Report
from evenhand.service.render import page, perception
from tests.service.render.examples import everything, picture

NAMES = get_args(PerceptionCheck.model_fields["name"].annotation)
VERDICTS = get_args(PerceptionCheck.model_fields["verdict"].annotation)


def reported(*checks: PerceptionCheck, panels: list[Panel] | None = None) -> Report:
    audits = everything().audits.model_copy(update={"perception": Perception(checks=list(checks), panels=panels or [])})
    return everything().model_copy(update={"audits": audits})


def section(report: Report) -> str:
    html = page.standalone(report)
    start = html.index('<section aria-labelledby="perception">')
    return re.sub(r"\s+", " ", html[start : html.index('<section aria-labelledby="representation">', start)])


@pytest.mark.parametrize("name", NAMES)
def test_every_check_of_the_schema_is_a_question(name: str) -> None:
    check = PerceptionCheck(name=name, attribute="tone", effect=None, verdict="not_assessed", reason="no pairs")

    assert perception.question(check).endswith("?")
    assert perception.measure(check)
    assert perception.question(check) in section(reported(check))


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_is_an_answer_in_words(verdict: str) -> None:
    check = PerceptionCheck(name="class_gap", attribute="tone", effect=0.2, direction="light → man", verdict=verdict)

    assert perception.answer(check) in section(reported(check))


def test_direction_of_what_is_not_proven_is_told_with_care() -> None:
    open_ = PerceptionCheck(
        name="class_gap", attribute="tone", effect=0.1, direction="light → man", verdict="inconclusive"
    )

    assert "If anything: light → man." in section(reported(open_))
    assert "Direction: light → man." in section(reported(open_.model_copy(update={"verdict": "proven_disparity"})))


def test_pictures_of_a_check_stand_beside_it_and_others_under_shown() -> None:
    check = PerceptionCheck(name="dream", attribute="tone", effect=0.1, verdict="inconclusive")
    image = [{"src": picture(90), "alt": "a dream"}]
    own = Panel(name="dream", title="Own dream", text="x", check="dream", attribute="tone", images=image)
    alone = Panel(
        name="free", title="Free dream", text="x", limits="Not people.", why_no_verdict="By chance.", images=image
    )

    html = section(reported(check, panels=[alone, own]))

    assert html.index("Own dream") < html.index("Shown, never decided") < html.index("Free dream")
    assert "<dt>What it does not show</dt><dd>Not people.</dd>" in html
    assert "<dt>Why no verdict</dt><dd>By chance.</dd>" in html


def test_curves_of_a_panel_are_drawn_and_their_figures_are_in_a_table() -> None:
    check = PerceptionCheck(name="learning_curves", attribute="tone", effect=0.1, verdict="inconclusive")
    curves = [PanelCurve(name="dark, man", x=[1, 2, 3], y=[0.2, 0.5, 0.9])]
    panel = Panel(
        name="learning_curves",
        title="Curves",
        text="x",
        check="learning_curves",
        attribute="tone",
        axes="accuracy by epoch",
        curves=curves,
        table=[{"cell": "dark, man", "accuracy": 0.9}],
    )

    html = section(reported(check, panels=[panel]))

    assert html.count('<circle class="s0"') == 3
    assert "Accuracy by epoch" in html
    assert "dark, man</text>" in html
    assert "0.900" in html


@pytest.mark.parametrize("name", sorted(EDITS))
def test_rows_about_an_edit_ask_about_the_same_picture(name: str) -> None:
    check = PerceptionCheck(
        name="paired_counterfactual", attribute=f"edit: {name}", effect=0.1, direction="red → 3", verdict="inconclusive"
    )

    assert perception.question(check) == f"Would the same picture be called something else {perception.EDITED[name]}?"
    assert perception.question(check) in section(reported(check))


@pytest.mark.parametrize("name", sorted(name for name, edit in EDITS.items() if edit.is_cue))
def test_rows_about_a_cue_name_it(name: str) -> None:
    check = PerceptionCheck(name="cue_conflict", attribute=f"edit: {name}", effect=0.1, verdict="inconclusive")

    assert perception.question(check).count(perception.CUES[name]) == 2
    assert perception.question(check.model_copy(update={"attribute": "tone"})) == perception.QUESTIONS["cue_conflict"]
