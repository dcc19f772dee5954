"""How to recompute a report: what stands on the page is saved and run, and gives the same findings and exit code."""

import html
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

import evenhand
from evenhand.auditors.policy import Policy
from evenhand.auditors.report import Report
from evenhand.service import render
from evenhand.service.cli import cli
from evenhand.service.render import pdf_blocks
from evenhand.service.render.recomputing import recipe
from tests.service.render import examples

POLICY = """
alpha = 0.01
small_groups = "list"

[data]
source = "people.csv"
label = "hired"
prediction = "advised"
sensitive = ["sex", "site"]
intersections = 1
where = { kept = "1" }

[[check]]
metric = "accuracy_difference"
within = 0.02
gate = "strict"

[[check]]
metric = "impact_ratio"
within = 0.7
attributes = ["sex"]
gate = "proof"
"""


def people() -> pd.DataFrame:
    rows = [
        {
            "sex": sex,
            "site": site,
            "hired": hired,
            "advised": int((number + hired) % 7 < 3 + hired),
            "kept": int(number < 55),
        }
        for sex in ("F", "M")
        for site in ("north", "south")
        for hired in (0, 1)
        for number in range(60)
    ]
    return pd.DataFrame(rows)


def printed(page: str) -> tuple[str, str]:
    """The policy and the command, as a reader copies them from the page."""
    record = page[page.index('id="record"') :]
    policy, command = re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", record, flags=re.DOTALL)
    return html.unescape(policy), html.unescape(command)


def told(report: Report) -> dict[str, Any]:
    document = report.model_dump(mode="json", include={"findings", "audits", "verdict", "gate"})
    return document | {"policy": report.subject.policy["check"]}


@pytest.fixture
def audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Report, str]:
    """The report and the page of an audit by a policy of its own, run where its data lie."""
    monkeypatch.chdir(tmp_path)
    people().to_csv("people.csv", index=False)
    Path("first.toml").write_text(POLICY)
    done = CliRunner().invoke(
        cli, ["audit", "first.toml", "--html", "report.html", "--json", "report.json", "--seed", "3"]
    )
    assert done.exit_code == 3
    return Report.model_validate_json(Path("report.json").read_text()), Path("report.html").read_text()


def test_what_the_page_prints_gives_the_same_findings_and_exit_code(audited: tuple[Report, str]) -> None:
    report, page = audited
    policy, command = printed(page)

    Path("evenhand.toml").write_text(policy)
    done = CliRunner().invoke(cli, [*command.split()[1:], "--json", "again.json"])

    assert command == "evenhand audit evenhand.toml"
    assert done.exit_code == report.gate.exit_code
    assert told(Report.model_validate_json(Path("again.json").read_text())) == told(report)


def test_the_paper_carries_the_same_policy(audited: tuple[Report, str]) -> None:
    report, page = audited

    codes = [block["text"] for block in pdf_blocks.document(report)["blocks"] if block["kind"] == "code"]

    assert tomllib.loads(codes[0]) == tomllib.loads(printed(page)[0])
    assert codes[1:] == ["evenhand audit evenhand.toml"]


def test_an_audit_that_was_let_pass_inconclusive_is_run_again_so() -> None:
    report = examples.compas()
    allowed = report.model_copy(update={"gate": report.gate.model_copy(update={"allow_inconclusive": True})})

    assert recipe(allowed).command == "evenhand audit evenhand.toml --allow-inconclusive"


def test_from_a_data_frame_the_call_from_python_is_printed_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = Policy.model_validate(tomllib.loads(POLICY) | {"seed": 3})
    first = evenhand.audit(data=people(), policy=data)
    policy, call = printed(render.html(first.report))
    people().to_csv("people.csv", index=False)

    Path("evenhand.toml").write_text(policy)
    lines = call.replace("data_frame = ...", "import pandas\ndata_frame = pandas.read_csv('people.csv')")
    Path("again.py").write_text(lines.replace("raise", "result.to_json('again.json')\nraise"))
    done = subprocess.run([sys.executable, "again.py"], check=False)

    assert "source" not in policy
    assert (
        "with the data frame in place of the dots, of which the policy reads hired, advised, sex, site, kept:"
        in render.html(first.report)
    )
    assert done.returncode == first.exit_code == 3
    assert told(Report.model_validate_json(Path("again.json").read_text())) == told(first.report)


def test_a_call_whose_dots_were_left_says_what_to_pass() -> None:
    with pytest.raises(ValueError, match=r"data: it is of type ellipsis\. Pass a pandas, polars or pyarrow table"):
        evenhand.audit(data=...)


@pytest.mark.parametrize("ascii_only", [False, True])
def test_policy_reads_back_whatever_columns_are_called(ascii_only: bool) -> None:
    names = ['"', "\\", "a\nb", "\u202egnp", "性别", "\U0001f600\u200d", "\x7f", "</code>"]
    report = examples.compas()
    policy = report.subject.policy | {"data": report.subject.policy["data"] | {"sensitive": names}}
    named = report.model_copy(update={"subject": report.subject.model_copy(update={"policy": policy})})

    text = recipe(named, ascii_only=ascii_only).policy if ascii_only else printed(render.html(named))[0]

    assert tomllib.loads(text)["data"]["sensitive"] == names
    assert not ascii_only or text.isascii()


def test_what_is_not_in_a_report_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    report = examples.everything()
    model = report.subject.model.model_copy(update={"name": "https://models.example.com/v1"})
    data = report.subject.data.model_copy(update={"name": "people.duckdb/people"})
    subject = report.subject.model_copy(update={"model": model, "data": data})

    found = recipe(report.model_copy(update={"subject": subject}))

    assert tomllib.loads(found.policy)["model"] == {"url": "https://models.example.com/v1"}
    assert tomllib.loads(found.policy)["data"]["source"] == "URL of people.duckdb/people"
    assert found.run == (
        "Headers that the endpoint asks for go under [model]; no report holds them. "
        "Put the address of the table in place of `source`. Then run:"
    )
