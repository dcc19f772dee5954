"""Sentences of a report: whose number is whose, values by their own names, and nothing said twice."""

import numpy as np
import pytest

from evenhand.auditors.counts import CountTable
from evenhand.auditors.gate import decide
from evenhand.auditors.report import Estimate, Report
from evenhand.auditors.verdict import Comparison
from evenhand.service import render
from evenhand.service.render import checks, groups, sentences
from tests.service.render import examples

GATED = {"metric": "equalized_odds_difference", "within": 0.1}


def two_groups(attribute: str = "age_group", check: dict[str, object] = GATED) -> Report:
    """False alarms of .5 and .1, hits of .8 and .75, 1,000 rows of each kind."""
    rows = np.array([[[500, 500], [200, 800]], [[900, 100], [250, 750]]])
    return examples.from_counts(CountTable((attribute,), (("old", "young"),), rows), policy={"check": [check]})


def called(report: Report, **names: object) -> Report:
    disparity = report.audits.group_disparity
    assert disparity is not None
    audits = report.audits.model_copy(update={"group_disparity": disparity.model_copy(update=names)})
    return report.model_copy(update={"audits": audits})


@pytest.mark.parametrize(
    ("names", "begins"),
    [
        ({"label": "y", "positive": "1", "negative": "0"}, "Of those whose y is 0, "),
        ({"label": "credit_risk", "positive": "good", "negative": "bad"}, "Of those whose credit_risk is bad, "),
        ({"label": "hired", "positive": "True", "negative": "False"}, "Of those whose hired is False, "),
        ({"label": "grade", "positive": "3", "negative": None}, "Of those whose grade is not 3, "),
        ({"label": "y", "positive": "1", "negative": "no "}, 'Of those whose y is "no ", '),
    ],
)
def test_label_is_said_by_its_own_values(names: dict[str, str | None], begins: str) -> None:
    said = str(sentences.verdict(called(two_groups(), **names)))

    assert said.startswith(f"{begins}50 in 100 with age_group old and 10 in 100 with age_group young were predicted ")


def test_interval_of_the_pair_is_told_from_that_of_the_check() -> None:
    report = examples.compas()
    several = checks.deciding(report)
    assert several is not None

    assert sentences.own_interval(several)
    assert " for this pair, " in str(sentences.comparison(report, several))
    assert sentences.among(several) == "the largest of all comparisons"


def test_interval_of_the_only_pair_is_that_of_the_check() -> None:
    report = two_groups(check={"metric": "false_positive_rate", "within": 0.1})
    only = checks.deciding(report)
    assert only is not None

    assert not sentences.own_interval(only)
    assert "this pair" not in str(sentences.comparison(report, only))
    assert sentences.among(only) == ""


def test_check_of_a_ratio_has_the_smallest() -> None:
    ratio = next(check for check in checks.gated(examples.compas()) if check.finding.comparison is Comparison.RATIO)

    assert sentences.among(ratio) == "the smallest of all comparisons"


def test_mean_of_gaps_is_no_largest() -> None:
    report = two_groups(check={"metric": "equalized_odds_average_difference", "within": 0.1})

    assert [sentences.among(check) for check in checks.gated(report)] == [""]


def test_reason_of_several_checks_is_said_once() -> None:
    report = examples.compas()

    assert sentences.reasons(report) == (
        "Disparity proven: impact ratio, race; equalized odds difference, race; impact ratio, sex × race; "
        "equalized odds difference, sex × race."
    )


def test_reason_of_no_check_is_said_as_it_is() -> None:
    report = examples.nothing().model_copy(update={"gate": decide([])})

    assert sentences.reasons(report).count(".") == len(report.gate.reasons)


@pytest.mark.parametrize("attribute", ["age_group", "PAY grade"])
def test_headings_keep_the_spelling_of_the_column(attribute: str) -> None:
    report = two_groups(attribute)

    assert f"<h3>{attribute}</h3>" in render.html(report)
    assert f"### {attribute.replace('_', chr(92) + '_')}\n" in render.markdown(report)


def with_accuracy(report: Report, *reasons: str | None) -> Report:
    """Accuracy made undefined for these reasons, group by group and then overall; None leaves it."""
    disparity = report.audits.group_disparity
    assert disparity is not None
    (result,) = disparity.attributes
    rows = [
        row
        if reason is None
        else row.model_copy(update={"metrics": row.metrics | {"accuracy": Estimate(estimate=None, reason=reason)}})
        for row, reason in zip([*result.groups, result.overall], reasons, strict=True)
    ]
    return called(report, attributes=[result.model_copy(update={"groups": rows[:-1], "overall": rows[-1]})])


def test_what_is_undefined_alike_in_every_group_is_said_once() -> None:
    report = with_accuracy(two_groups(), *["nobody was watched"] * 3)

    (table,) = groups.tables(report)
    assert "accuracy" not in table.further
    assert table.undefined == {"nobody was watched": ["accuracy"]}
    assert render.html(report).count("nobody was watched") == 1


@pytest.mark.parametrize("reasons", [("nobody was watched", None, None), ("one", "other", "one")])
def test_what_is_undefined_in_some_groups_or_for_several_reasons_stays_in_the_table(
    reasons: tuple[str | None, ...],
) -> None:
    (table,) = groups.tables(with_accuracy(two_groups(), *reasons))

    assert "accuracy" in table.further
    assert table.undefined == {}


def test_no_headline_says_that_nothing_is_proven_above_a_proof_without_a_say() -> None:
    """False alarms are gated and open; four other gaps of the same rows are proven beside."""
    report = two_groups(check={"metric": "false_positive_rate", "within": 0.4})
    gated = [found for found in report.findings if found.metric == "false_positive_rate"]

    said = str(sentences.verdict(report))
    alone = str(sentences.verdict(report.model_copy(update={"findings": gated})))

    assert said.startswith("No gated check proves a disparity, and none is excluded: ")
    assert " Beside the gate four disparities are proven. " in said
    assert alone.startswith("No disparity is proven, and none is excluded: ")
    assert "Beside" not in alone
