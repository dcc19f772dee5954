"""Proxies of the built-in sets, as a user would ask for them."""

import numpy as np
import pytest

from evenhand.auditors.policy import DataSection, Policy
from evenhand.auditors.report import ProxyAudit, Report
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.run import run_audit


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
    strength = {row.feature: abs((row.encodes.auc or 0.5) - 0.5) for row in compas.features if row.attribute == "race"}

    assert set(sorted(strength, key=lambda name: -strength[name])[:2]) == {"priors_count", "age"}
