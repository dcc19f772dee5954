"""`evenhand plan`: rows a group, in words and as JSON."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from evenhand.service.cli import cli


def plan(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["plan", *map(str, arguments)])


def document(*arguments: object) -> dict:
    return json.loads(plan(*arguments, "--json", "-").output)


def test_rows_at_an_impact_ratio_of_four_fifths_are_those_of_the_textbook() -> None:
    """METHODS section 2: to reject equality at base .5, 388 rows a group."""
    said = document("--base", 0.5, "--ratio", 0.8, "--tolerance", 1)

    assert said["to_prove_disparity"] == {"counted": 388, "rows": 388, "total_rows": 776}
    assert said["to_prove_within"]["rows"] is None


def test_positives_become_rows_by_their_share() -> None:
    rate = ("--metric", "true_positive_rate", "--base", 0.8, "--gap", 0.2)

    plain, shared = document(*rate), document(*rate, "--share-positive", 0.25)

    assert plain["to_prove_disparity"]["rows"] is None
    assert shared["counted"] == "labelled positive"
    assert shared["to_prove_disparity"]["rows"] == 4 * plain["to_prove_disparity"]["counted"]
    assert "pass --share-positive" in plan(*rate).output


@pytest.mark.parametrize(
    ("metric", "option", "share"),
    [
        ("false_positive_rate", "--share-positive", 0.75),
        ("false_negative_rate", "--share-positive", 0.25),
        ("precision", "--share-selected", 0.25),
        ("false_omission_rate", "--share-selected", 0.75),
        ("accuracy", "--share-positive", 1.0),
    ],
)
def test_what_a_rate_counts_has_its_own_share(metric: str, option: str, share: float) -> None:
    assert document("--metric", metric, "--base", 0.6, "--gap", 0.3, option, 0.25)["share_counted"] == share


def test_never_fewer_rows_than_a_verdict_takes() -> None:
    assert document("--base", 0.95, "--gap", 0.9)["to_prove_disparity"]["rows"] == 30


def test_words_say_what_was_asked_and_what_it_takes() -> None:
    said = plan("--metric", "impact_ratio", "--base", 0.5, "--ratio", 0.6, "--groups", 4, "--checks", 2).output

    assert "4 groups, all pairs; alpha 0.05 over 2 checks; power 0.8" in said
    assert "to prove this disparity (under 0.8)" in said
    assert "Miettinen and Nurminen (1985)" in said


def test_a_gap_inside_the_tolerance_is_never_proven() -> None:
    assert "never: 0.05 does not lie beyond the tolerance" in plan("--base", 0.5, "--gap", 0.05).output


def test_json_is_written_to_a_file(tmp_path: Path) -> None:
    plan("--base", 0.5, "--gap", 0.3, "--json", tmp_path / "plan.json")

    assert json.loads((tmp_path / "plan.json").read_text())["metric"] == "selection_rate"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--base", 0.5), "one of --gap D and --ratio R"),
        (("--base", 0.5, "--gap", 0.1, "--ratio", 0.8), "one of --gap D and --ratio R"),
        (("--base", 0.2, "--gap", 0.3), "puts the other group at -0.1"),
        (("--metric", "equalized_odds_difference", "--base", 0.5, "--gap", 0.3), "plan each of them"),
        (("--metric", "impact_ratio", "--base", 0.5, "--gap", 0.3), "name the disparity by --ratio"),
        (("--metric", "f1", "--base", 0.5, "--gap", 0.3), "no rate of rows"),
        (("--metric", "selection", "--base", 0.5, "--gap", 0.3), "selection_rate"),
    ],
)
def test_what_cannot_be_planned_is_refused(arguments: tuple, said: str) -> None:
    done = plan(*arguments)

    assert done.exit_code == 2
    assert said in done.output
