"""Robustness on the page: numbers by group in columns, the size of each shown change, other norms beside."""

import re

from evenhand.auditors.report import Panel, Report, Robustness
from evenhand.service import render
from evenhand.service.render import robustness
from tests.service.render import examples


def audit() -> Robustness:
    found = examples.everything().audits.robustness
    assert found is not None
    return found


def page(**changed: object) -> str:
    report = examples.everything()
    audits = report.audits.model_copy(update={"robustness": audit().model_copy(update=changed)})
    shown: Report = report.model_copy(update={"audits": audits})
    return render.html(shown).split('id="robustness"')[1].split('id="perception"')[0]


def test_the_curves_are_a_row_for_each_size_and_a_column_for_each_group() -> None:
    (shown,) = robustness.curve_numbers(audit())

    assert shown.groups == ["dark", "light"]
    assert [name for name, _ in shown.rows] == ["0.0000", "0.0100", "0.0200", "0.0310"]
    assert [one and one.estimate for one in shown.rows[2][1]] == [0.38, 0.71]


def test_a_group_without_a_point_of_the_curve_leaves_its_cell_empty() -> None:
    short = audit().curves[1].model_copy(update={"eps": [0.0], "accuracy": [0.95], "low": [0.9], "high": [1.0]})

    (shown,) = robustness.curve_numbers(audit().model_copy(update={"curves": [audit().curves[0], short]}))

    assert shown.rows[0][1][1] is not None
    assert [cells[1] for _, cells in shown.rows[1:]] == [None, None, None]


def test_corruptions_are_a_table_for_all_classes_and_one_for_each_class() -> None:
    everybody, women = robustness.corrupted_numbers(audit().corruptions)

    assert "all classes" in everybody.caption
    assert "class woman" in women.caption
    assert [name for name, _ in everybody.rows] == ["Unchanged", "All of them", "Blur"]
    assert (everybody.groups, women.groups) == (["dark", "light"], ["dark"])
    assert [one and round(one.estimate or 0, 2) for one in everybody.rows[2][1]] == [0.61, 0.71]


def test_the_line_on_a_change_stands_after_its_pictures_and_before_the_next() -> None:
    pictures = [{"src": examples.picture(shade), "alt": f"picture {shade}"} for shade in range(6)]
    panel = Panel(name="p", title="Examples", text="", images=pictures, lines=["the first line", "the second line"])

    said = re.findall(r"picture \d(?=</li>)|the \w+ line", page(panels=[panel]))

    assert said == [
        *("picture 0", "picture 1", "picture 2", "the first line"),
        *("picture 3", "picture 4", "picture 5", "the second line"),
    ]


def test_lines_and_pictures_that_do_not_match_are_shown_all_the_same() -> None:
    pictures = [{"src": examples.picture(shade), "alt": f"picture {shade}"} for shade in range(4)]

    for lines in ([], ["a"], ["a", "b", "c"], list("abcdefg")):
        shown = page(panels=[Panel(name="p", title="Examples", text="", images=pictures, lines=lines)])
        assert shown.count("<img ") == 4


def test_distances_say_that_they_are_upper_bounds_and_rank_groups_in_every_norm() -> None:
    shown = page()

    assert "Median distance<small>upper bound</small>" in shown
    assert shown.count("It is an upper bound") == len(("L-infinity", "L2"))
    assert "so it ranks groups and says nothing more" in shown
    for norm, auc in (("L-infinity", "0.220"), ("L2", "0.240")):
        table = shown.split(f"than one of the second, {norm}; intervals over units")[1].split("</table>")[0]
        assert f"{auc}<small>" in table


def test_another_norm_shows_its_gaps_and_says_that_none_decides() -> None:
    shown = page()

    assert "Gaps of robust accuracy, L2; none decides" in shown
    assert "0.270<small>0.130 to 0.400</small>" in shown
