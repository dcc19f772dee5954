"""`evenhand datasets`: lists, cards, and a datasheet that is filled in from the file and asks for the rest."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from evenhand.datasets import builtin
from evenhand.service.cli import cli
from evenhand.service.render.datasheet import ANSWER, QUESTIONS


def datasets(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["datasets", *map(str, arguments)])


def test_list_names_every_set() -> None:
    shown = datasets().output

    assert [line.split()[0] for line in shown.splitlines()[:-1]] == list(builtin.names())
    assert datasets("list").output == shown


@pytest.mark.parametrize("name", builtin.names())
def test_card_shows_source_licence_and_every_limit(name: str) -> None:
    card = builtin.card(name)

    shown = datasets("show", name)

    assert shown.exit_code == 0
    assert all(said in shown.output for said in (card.source, card.licence, *card.limits))
    assert datasets(name).output == shown.output


def test_unknown_name_is_wrong_input_with_the_nearest() -> None:
    result = datasets("show", "adlt")

    assert result.exit_code == 2
    assert "Did you mean 'adult'?" in result.output


PEOPLE = "income,sex,born,tags\n1.5,F,1990-01-02,a\n,M,1991-05-06,b\n1.5,F,1990-01-02,a\n2,,1980-01-01,c\n"


def described(folder: Path) -> str:
    (folder / "people.csv").write_text(PEOPLE)
    result = datasets("describe", folder / "people.csv", "--out", folder / "sheet.md")
    assert result.exit_code == 0, result.output
    return (folder / "sheet.md").read_text(encoding="utf-8")


def test_datasheet_fills_in_types_missing_values_and_ranges(tmp_path: Path) -> None:
    sheet = described(tmp_path)

    assert "| income | numbers | 1 | 2 | 1.5 | 2.0 |" in sheet
    assert "| sex | text | 1 | 2 |  |  |" in sheet
    assert "| born | dates and times | 0 | 3 | 1980-01-01 | 1991-05-06 |" in sheet


def test_datasheet_counts_rows_by_value_and_rows_that_are_there_twice(tmp_path: Path) -> None:
    sheet = described(tmp_path)

    assert "4 rows, four columns" in sheet
    assert "1 rows equal an earlier row" in sheet
    assert "| F | 2 *few* | 0.500 |" in sheet
    assert "| unknown | 1 *few* | 0.250 |" in sheet


def test_datasheet_leaves_every_question_open(tmp_path: Path) -> None:
    sheet = described(tmp_path)

    assert all(f"**{question}**\n\n{ANSWER}" in sheet for questions in QUESTIONS.values() for question in questions)


def test_datasheet_of_pictures_says_their_size() -> None:
    assert "One picture a row, 8 × 8 pixels, grey." in datasets("describe", "digits").output


def test_answers_are_not_written_over(tmp_path: Path) -> None:
    described(tmp_path)
    (tmp_path / "sheet.md").write_text("answers")

    result = datasets("describe", tmp_path / "people.csv", "--out", tmp_path / "sheet.md")

    assert result.exit_code == 2
    assert (tmp_path / "sheet.md").read_text() == "answers"


def test_datasheet_needs_a_folder_that_is_there(tmp_path: Path) -> None:
    result = datasets("describe", "digits", "--out", tmp_path / "none" / "sheet.md")

    assert result.exit_code == 2
    assert "there is no folder" in result.output
