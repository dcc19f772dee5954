"""Proxies of the built-in sets, as a user would ask for them. The models are small, so that each takes seconds."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evenhand.auditors.policy import DataSection, Policy
from evenhand.auditors.proxies import ProxyData, audit_proxies
from evenhand.auditors.report import Finding, ProxyAudit, ProxyFeature, Report
from evenhand.auditors.verdict import Verdict
from evenhand.datasets.builtin import catalogue
from evenhand.datasets.table import Table
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.run import run_audit
from evenhand.service.render import proxies


def strongest(audit: ProxyAudit, attribute: str, count: int) -> set[str]:
    def strength(row: ProxyFeature) -> float:
        return abs((row.encodes.auc or 0.5) - 0.5)

    rows = [row for row in audit.features if row.attribute == attribute and row.stratum is None]
    return {row.feature for row in sorted(rows, key=strength, reverse=True)[:count]}


def proxy_of(report: Report) -> ProxyAudit:
    assert report.audits.proxy is not None
    return report.audits.proxy


@pytest.fixture(scope="module")
def compas() -> ProxyAudit:
    features = ["age", "priors_count", "c_charge_degree", "juv_fel_count", "juv_misd_count", "juv_other_count"]
    policy = Policy(data=DataSection(features=features))
    return proxy_of(run_audit(AuditRequest(source="compas", policy=policy, only=["proxy"])))


def test_decisions_of_a_score_column_are_those_of_its_own_threshold(compas: ProxyAudit) -> None:
    """ProPublica's table: 2,174 of 3,696 African-Americans and 854 of 2,454 Caucasians score 5 and more."""
    profile = next(row.profile for row in compas.features if (row.feature, row.attribute) == ("age", "race"))

    assert profile is not None
    for group, expected in (("African-American", 2174 / 3696), ("Caucasian", 854 / 2454)):
        index = profile.groups.index(group)
        decided = [(cell.rate[index] or 0) * cell.rows[index] for cell in profile.cells]
        assert np.sum(decided) / profile.rows[index] == pytest.approx(expected, abs=1e-9)


def test_priors_and_age_tell_most_about_race_in_compas(compas: ProxyAudit) -> None:
    assert strongest(compas, "race", 2) == {"priors_count", "age"}


def test_predictions_alone_claim_nothing_about_use(compas: ProxyAudit) -> None:
    assert all(row.surrogate or (row.flip_rate is None and row.contribution.reason) for row in compas.features)


def by_marriage(x: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    married = x["marital_status"] == "Married-civ-spouse"
    scores: NDArray[np.float64] = 2 * married + 0.4 * (x["education_num"] - 10) + 0.03 * (x["hours_per_week"] - 40) - 2
    return scores


@pytest.fixture(scope="module")
def adult() -> tuple[ProxyAudit, list[Finding]]:
    """Adult's published test rows, and a model of three weights that receives neither sex nor relationship."""
    table = catalogue.load("adult")
    assert isinstance(table, Table)
    split = table.groups("split")
    table = table.take(np.flatnonzero(np.asarray(split.codes) == split.values.index("test")))
    sex, features = table.groups("sex"), catalogue.card("adult").features
    return audit_proxies(
        ProxyData(table.features(features), attributes={"sex": (sex.codes, sex.values)}),
        decide=by_marriage,
        score_threshold=0.0,
        favourable_is_positive=True,
        rng=np.random.default_rng(0),
    )


def test_relationship_and_marital_status_tell_most_about_sex_in_adult(adult: tuple[ProxyAudit, list[Finding]]) -> None:
    assert strongest(adult[0], "sex", 2) == {"relationship", "marital_status"}


def test_model_that_decides_by_marriage_is_asked_to_justify_it(adult: tuple[ProxyAudit, list[Finding]]) -> None:
    messages = {finding.id: finding.message for finding in adult[1] if finding.verdict is Verdict.PROVEN_DISPARITY}
    roles = {row.feature: row.role for row in adult[0].features if row.stratum is None}

    assert "needs justification" in messages["proxy/contribution/sex/marital_status"]
    assert (roles["marital_status"], roles["relationship"]) == ("proxy", "latent_proxy")


def test_relationship_is_unused_and_said_to_be(adult: tuple[ProxyAudit, list[Finding]]) -> None:
    message = next(finding.message for finding in adult[1] if finding.id.endswith("/relationship"))

    assert "the model does not use it: no decision changed. A model trained anew might." in message


def test_german_credit_shows_nothing_and_excludes_little() -> None:
    """300 rows, as kept by training: no claim, and the page names what it cannot tell."""
    table = catalogue.load("german")
    assert isinstance(table, Table)
    table = table.take(np.arange(300))
    ages, features = table.groups("age_group"), catalogue.card("german").features
    label = table.binary("credit_risk", "good").astype(np.float64)

    audit, findings = audit_proxies(
        ProxyData(table.features(features), attributes={"age_group": (ages.codes, ages.values)}),
        decide=None,
        scores=label,
        favourable_is_positive=True,
        rng=np.random.default_rng(0),
    )

    assert {row.role for row in audit.features} == {"neutral"}
    assert {finding.verdict for finding in findings} == {Verdict.INCONCLUSIVE}
    assert "housing" in proxies.not_excluded(audit, "age_group")
    assert any("fewer than 2,000 rows" in note for note in audit.notes)
