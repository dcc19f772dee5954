"""What CI servers read: JUnit XML, SARIF, workflow commands, the comment of a pull request, and a terminal."""

import json
import xml.etree.ElementTree as ElementTree
from io import StringIO
from pathlib import Path

from rich.console import Console

from evenhand.service import render
from tests.service.render import examples


def test_proven_disparity_is_a_failure_and_an_open_strict_check_is_skipped() -> None:
    cases = ElementTree.fromstring(render.junit_xml(examples.hostile())).findall(".//testcase")

    outcomes = {
        case.get("name", "").split(",")[0]: [child.tag for child in case if child.tag != "properties"] for case in cases
    }
    assert outcomes == {"equalized odds difference": ["failure"], "impact ratio": ["skipped"]}
    assert "insufficient data" in ElementTree.tostring(cases[1], encoding="unicode")


def test_what_is_proven_within_passes() -> None:
    cases = ElementTree.fromstring(render.junit_xml(examples.fair())).findall(".//testcase")

    assert [[child.tag for child in case] for case in cases] == [["properties"], ["properties"]]


def test_junit_keeps_the_numbers_as_properties() -> None:
    case = ElementTree.fromstring(render.junit_xml(examples.fair())).find(".//testcase")

    assert case is not None
    properties = {each.get("name"): each.get("value") for each in case.iter("property")}
    assert float(properties["estimate"] or "nan") == 1.0
    assert set(properties) == {"verdict", "estimate", "low", "high", "tolerance", "gate"}


def test_control_characters_do_not_break_the_xml() -> None:
    report = examples.fair()
    finding = report.findings[0].model_copy(update={"message": "\x00\x1b[31m & \ud800 <"})

    ElementTree.fromstring(render.junit_xml(report.model_copy(update={"findings": [finding]})))


def test_sarif_says_its_schema_and_points_at_the_check_in_the_policy(tmp_path: Path) -> None:
    policy = tmp_path / "evenhand.toml"
    policy.write_text('[[check]]\nmetric = "impact_ratio"\n\n[[check]]\nmetric = "equalized_odds_difference"\n')

    document = json.loads(render.sarif(examples.compas(), policy_path=str(policy)))

    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-2.1.0.json")
    results = document["runs"][0]["results"]
    lines = {result["ruleId"]: result["locations"][0]["physicalLocation"]["region"]["startLine"] for result in results}
    assert lines == {"impact_ratio": 2, "equalized_odds_difference": 5}


def test_sarif_result_has_a_level_other_than_none_only_where_it_fails() -> None:
    """SARIF 2.1.0, 3.27.10: level is "none" where kind is not "fail"."""
    results = json.loads(render.sarif(examples.hostile()))["runs"][0]["results"]

    assert {(result["kind"], result["level"]) for result in results} == {("fail", "error"), ("open", "none")}


def test_annotation_stays_on_one_line_whatever_a_group_is_called() -> None:
    lines = render.github_annotations(examples.hostile(), policy_path="a,b:c.toml").splitlines()

    assert [line.split(" ")[0] for line in lines] == ["::error", "::warning"]
    assert lines[0].startswith("::error file=a%2Cb%3Ac.toml,line=1,title=")


def test_markdown_table_keeps_its_columns_whatever_a_group_is_called() -> None:
    tables = [line for line in render.markdown(examples.hostile()).splitlines() if line.startswith("|")]

    assert {line.replace("\\|", "").count("|") for line in tables} == {6, 7, 10}
    assert "<script>" not in render.markdown(examples.hostile()).replace("\\<", "")


def test_terminal_gets_no_escape_sequence_from_a_group() -> None:
    report = examples.fair()
    subject = report.subject.model_copy(update={"title": "\x1b[31mred\x07 [bold]x[/bold]"})
    console = Console(file=StringIO(), width=100, force_terminal=False)

    render.terminal(report.model_copy(update={"subject": subject}), console=console)

    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b" not in shown
    assert "[bold]x[/bold]" in shown


def test_worst_subgroups_stand_in_every_output_that_ci_shows() -> None:
    """The example has one that is confirmed and one that is not; a report without a search has no such line."""
    report = examples.everything()

    suite = ElementTree.fromstring(render.junit_xml(report)).find(".//testsuite")
    written = StringIO()
    render.terminal(report, console=Console(file=written, width=200))

    assert suite is not None
    properties = {each.get("name"): each.get("value") or "" for each in suite.findall("properties/property")}
    assert (properties["subgroups_searched"], properties["subgroups_confirmed"]) == ("1204", "1")
    for said in (properties["worst_subgroups"], written.getvalue(), render.markdown(report)):
        assert "One subgroup differs from the rest" in said
    assert "Worst subgroups:" in written.getvalue()
    assert "Worst subgroups" not in render.markdown(examples.fair())
