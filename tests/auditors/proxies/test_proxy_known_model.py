"""The known model of METHODS section 4, with the answers given there (means over 8 seeds)."""

from statistics import NormalDist

import numpy as np
import pytest
from planted_proxies import audited, by_feature, few_of, known_model, known_score, roles, two_groups

from evenhand.auditors.report import Finding, ProxyAudit
from evenhand.auditors.verdict import Verdict

ROWS = 40_000
ROLES = {
    "x1": "proxy",
    "x2": "latent_proxy",
    "x3": "neutral",
    "x4": "neutral",
    "x5": "joint_proxy",
    "x6": "joint_proxy",
    "x7": "masking",
    "x8": "latent_proxy",
}
AREAS = {"x1": 0.803, "x2": 0.802, "x3": 0.501, "x4": 0.5, "x5": 0.5, "x6": 0.499, "x7": 0.199, "x8": 0.802}
SHAPLEY = {"x1": 0.294, "x2": 0, "x3": 0.001, "x4": 0, "x5": 0.087, "x6": 0.088, "x7": -0.109, "x8": 0.005}
SCORE_SHAPLEY = {"x1": 1.2, "x2": 0, "x3": 0, "x4": 0, "x5": 0.36, "x6": 0.36, "x7": -0.48, "x8": 0.024}
INFLUENCE = {"x1": 0.301, "x5": 0.18, "x6": 0.18, "x7": -0.101}


@pytest.fixture(scope="module")
def result() -> tuple[ProxyAudit, list[Finding]]:
    return audited(two_groups(*known_model(ROWS, 0)), known_score)


@pytest.mark.parametrize("seed", few_of([1, 2, 3], always=(1,)))
def test_every_role_of_the_known_model_is_found(seed: int) -> None:
    audit, _ = audited(two_groups(*known_model(ROWS, seed)), known_score, seed)

    assert roles(audit) == ROLES
    assert [(found.features, found.role) for found in audit.sets] == [(["x5", "x6"], "joint_proxy")]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4, 24))
def test_every_role_of_the_known_model_is_found_on_twenty_seeds(seed: int) -> None:
    audit, _ = audited(two_groups(*known_model(ROWS, seed)), known_score, seed)

    assert roles(audit) == ROLES


def test_known_areas_are_raw_and_within_sampling_error(result: tuple[ProxyAudit, list[Finding]]) -> None:
    found = {name: row.encodes.auc for name, row in by_feature(result[0]).items()}

    assert found == pytest.approx(AREAS, abs=0.01)


def test_known_contributions_are_found(result: tuple[ProxyAudit, list[Finding]]) -> None:
    found = {name: row.contribution.estimate for name, row in by_feature(result[0]).items()}

    assert found == pytest.approx(SHAPLEY, abs=0.015)


def test_contributions_to_the_score_gap_are_the_analytic_ones(result: tuple[ProxyAudit, list[Finding]]) -> None:
    """A linear score gives coefficient times difference of means; the XOR's .72 is shared equally."""
    rows = by_feature(result[0]).values()

    found = {row.feature: row.score_contribution.estimate for row in rows if row.score_contribution}

    assert found == pytest.approx(SCORE_SHAPLEY, abs=0.04)


def test_influences_alone_are_found_and_double_count(result: tuple[ProxyAudit, list[Finding]]) -> None:
    found = {name: row.influence for name, row in by_feature(result[0]).items()}

    assert {name: found[name] for name in INFLUENCE} == pytest.approx(INFLUENCE, abs=0.015)
    assert sum(value for value in found.values() if value) > 0.5


def test_interval_of_an_influence_holds_the_known_one(result: tuple[ProxyAudit, list[Finding]]) -> None:
    intervals = {name: row.influence_interval for name, row in by_feature(result[0]).items()}

    for name, known in INFLUENCE.items():
        interval = intervals[name]
        assert interval is not None
        assert interval.low is not None
        assert interval.high is not None
        assert interval.low < known < interval.high
        assert 0 < interval.high - interval.low < 0.06


@pytest.mark.parametrize("seed", [0, 5])
def test_parts_sum_to_the_gap_less_the_gap_with_everything_permuted(seed: int) -> None:
    audit, _ = audited(two_groups(*known_model(6_000, seed)), known_score, seed)

    parts = sum(row.contribution.estimate or 0 for row in audit.features)

    assert parts == pytest.approx((audit.gap["A"] or 0) - (audit.gap_all_permuted["A"] or 0), abs=1e-9)
    assert audit.gap["A"] == pytest.approx(0.366, abs=0.04)


def test_only_proxies_are_proven_against_and_only_neutral_ones_within(
    result: tuple[ProxyAudit, list[Finding]],
) -> None:
    verdicts = {finding.id.rsplit("/", 1)[1]: finding.verdict for finding in result[1]}

    proven = {name for name, verdict in verdicts.items() if verdict is Verdict.PROVEN_DISPARITY}
    within = {name for name, verdict in verdicts.items() if verdict is Verdict.PROVEN_WITHIN}
    assert proven == {"x1", "x5", "x6", "x5 & x6"}
    assert within == {"x3", "x4"}


def test_finding_says_it_in_words(result: tuple[ProxyAudit, list[Finding]]) -> None:
    message = next(finding.message for finding in result[1] if finding.id == "proxy/contribution/A/x1")

    assert message.startswith("x1 strongly encodes A (AUC .80), changes 3")
    assert "of the .36 gap: needs justification" in message


def test_all_features_together_leak_more_than_the_best_alone(result: tuple[ProxyAudit, list[Finding]]) -> None:
    """Bayes: x1, x2, x7, x8 have distance 2.4 together (AUC .955), the XOR .95 alone; together .993."""
    leakage = result[0].leakage[0]

    assert leakage.features.auc == pytest.approx(0.993, abs=0.005)
    assert leakage.score.auc == pytest.approx(0.745, abs=0.015)


def test_same_seed_gives_the_same_report_and_feature_order_does_not_matter() -> None:
    columns, a = known_model(4_000, 9)
    backwards = dict(reversed(columns.items()))

    first, again, turned = (audited(two_groups(some, a), known_score) for some in (columns, columns, backwards))

    assert first == again
    assert first == turned


def test_intervals_cover_the_long_run_values() -> None:
    """Five samples of seven parts, each at the level that decides, about .995: one may be missed."""
    missed = []
    for seed in range(31, 36):
        _, findings = audited(two_groups(*known_model(6_000, seed)), known_score)
        for finding in findings:
            name = finding.id.rsplit("/", 1)[1]
            if name in SHAPLEY and not (finding.low or 0) - 1e-3 <= SHAPLEY[name] <= (finding.high or 0) + 1e-3:
                missed.append((seed, name))

    assert len(missed) <= 1, missed


@pytest.mark.slow
def test_errors_are_not_below_the_spread_over_samples() -> None:
    estimates, errors = [], []
    for seed in range(60):
        _, findings = audited(two_groups(*known_model(6_000, 1_000 + seed)), known_score, seed)
        part = next(finding for finding in findings if finding.id.endswith("/x1"))
        z = NormalDist().inv_cdf((1 + (part.level or 0)) / 2)
        estimates.append(part.estimate or 0)
        errors.append(((part.high or 0) - (part.low or 0)) / 2 / z)

    assert 0.85 < np.mean(errors) / np.std(estimates) < 1.25
