from evenhand.auditors.report import Finding
from evenhand.auditors.verdict import Gate, Verdict
from evenhand.service.reports.diff import diff
from tests.service.reports import made_finding, made_report


def test_equal_reports_differ_in_nothing() -> None:
    found = diff(made_report(), made_report())

    assert (found.added, found.removed, found.changed) == ([], [], [])


def test_a_new_verdict_is_a_change() -> None:
    after = made_report(made_finding(estimate=0.95, verdict=Verdict.PROVEN_WITHIN))

    found = diff(made_report(), after)

    assert [each.verdict_changed for each in found.changed] == [True]


def test_a_new_estimate_under_the_same_verdict_is_a_change() -> None:
    found = diff(made_report(), made_report(made_finding(estimate=0.71)))

    assert [each.verdict_changed for each in found.changed] == [False]


def test_rounding_is_no_change() -> None:
    assert diff(made_report(), made_report(made_finding(estimate=0.7 + 1e-15))).changed == []


def test_another_deciding_pair_of_a_gated_check_is_the_same_question() -> None:
    after = made_report(made_finding(group={"sex": "man"}))

    found = diff(made_report(), after)

    assert (found.added, found.removed) == ([], [])


def made_pair(group: str, reference: str) -> Finding:
    pair = {"group": {"sex": group}, "reference": {"sex": reference}}
    return made_finding(id=f"check/impact_ratio/'{group}':'{reference}'", gate=Gate.OFF, **pair)


def test_a_pair_turned_round_is_the_same_question() -> None:
    found = diff(made_report(made_pair("woman", "man")), made_report(made_pair("man", "woman")))

    assert (found.added, found.removed) == ([], [])


def test_a_check_that_is_no_longer_gated_is_the_same_question() -> None:
    found = diff(made_report(), made_report(made_finding(gate=Gate.OFF)))

    assert (found.added, found.removed) == ([], [])


def test_pairs_are_told_apart_by_their_groups() -> None:
    before = made_report(made_pair("woman", "other"))
    after = made_report(made_pair("man", "other"))

    found = diff(before, after)

    assert [finding.group for finding in found.added] == [{"sex": "man"}]
    assert [finding.group for finding in found.removed] == [{"sex": "woman"}]
