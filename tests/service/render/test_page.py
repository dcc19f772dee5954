"""The HTML report: what it says of real and of hostile data."""

import html

from evenhand.service import render
from evenhand.service.render import sentences
from tests.service.render import examples


def test_verdict_is_said_of_people() -> None:
    said = str(sentences.verdict(examples.compas()))

    assert said.startswith(
        "Of those whose two_year_recid is 1, 72 in 100 with race African-American and 32 in 100 with race Other were "
        "predicted 1: a gap of .397, between .245 and .522 for this pair"
    )
    assert said.endswith("where .10 is tolerated.")


def test_further_disparities_and_open_questions_are_counted() -> None:
    assert sentences.aside(examples.compas()) == "Three more disparities are proven."
    assert sentences.aside(examples.hostile()) == "One question is open."


def test_published_rates_of_compas_are_in_the_group_table() -> None:
    page = render.html(examples.compas())

    for published in ("0.448", "0.235", "0.720", "0.523"):
        assert f"<td>{published}<small>" in page


def test_html_in_names_is_text() -> None:
    page = render.html(examples.hostile())

    assert "<script>" not in page
    assert "<img" not in page
    assert html.escape("<script>alert(1)</script>") in page


def test_missing_value_is_told_from_any_text() -> None:
    page = render.html(examples.hostile())

    assert 'unknown <span class="tag">missing value</span>' in page


def test_undefined_metric_says_why() -> None:
    page = render.html(examples.undefined())

    assert '<span class="undefined">undefined</span><small>the group has no rows labelled positive</small>' in page


def test_small_group_is_listed_and_marked() -> None:
    page = render.html(examples.compas())

    assert 'Native American <span class="tag">under 30</span>' in page
    assert "race Native American: 18 rows. Listed, and too few to conclude anything about." in page


def test_sections_of_audits_that_did_not_run_are_absent() -> None:
    page = render.html(examples.compas())

    assert all(f'id="{section}"' not in page for section in ("proxies", "robustness", "perception", "representation"))


def test_all_sections_stand_in_their_order() -> None:
    page = render.html(examples.everything())

    places = [
        page.index(f'id="{section}"')
        for section in (
            "verdict",
            "groups",
            "findings",
            "charts",
            "proxies",
            "robustness",
            "perception",
            "representation",
            "limits",
            "record",
        )
    ]
    assert places == sorted(places)


def test_attack_is_stated_in_full() -> None:
    said = sentences.attack(examples.everything())

    assert "APGD-CE, APGD-margin, Square; norm L-infinity, eps 0.0314, 40 steps, one restart, seed 0" in said


def test_proxies_need_justification_and_are_never_accused() -> None:
    page = render.html(examples.everything())

    assert (
        "Needs justification: <b>relationship, marital_status, occupation, age &amp; workclass, education</b>." in page
    )


def test_two_hundred_groups_stay_in_reach() -> None:
    page = render.html(examples.many_groups())

    assert "<summary>180 more groups</summary>" in page
    assert "176 more in the table" in page
    assert len(page) < 500_000


def test_compas_page_is_light() -> None:
    assert len(render.html(examples.compas())) < 150_000


def test_limit_of_labels_that_only_the_selected_have_is_said_once_and_only_with_labels() -> None:
    said = "only for people whom an earlier decision selected"

    assert render.html(examples.compas()).count(said) == 1
    assert said not in render.html(examples.without_labels())


def test_the_whole_report_on_compas_is_small_enough_to_mail() -> None:
    """All audits that need no model, over every pair of groups: a page of 300 kB is no page."""
    from evenhand.service.audits.documents import AuditRequest
    from evenhand.service.audits.run import run_audit

    report = run_audit(AuditRequest(source="compas"))

    assert len(render.html(report).encode()) < 150_000
