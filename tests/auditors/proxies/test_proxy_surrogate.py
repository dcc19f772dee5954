"""Predictions without their model: a surrogate answers, marked, and only where it decides as they do."""

from typing import Any

import numpy as np
import pytest
from planted_proxies import audited, by_feature, known_model, known_score, roles, two_groups

from evenhand.auditors.proxies.plan import Budget
from evenhand.auditors.proxies.prepare import prepare
from evenhand.auditors.proxies.surrogate import learn_surrogate
from evenhand.auditors.report import Finding, ProxyAudit
from evenhand.auditors.verdict import Verdict

ROWS = 20_000
Result = tuple[ProxyAudit, list[Finding]]


def of_predictions(rows: int = ROWS, *, noise: float = 0.0, seed: int = 0, **options: Any) -> Result:
    """The known model's decisions, a share of them replaced by coin flips that no feature explains."""
    columns, a = known_model(rows, seed)
    rng = np.random.default_rng([seed, 1])
    decisions = np.where(rng.random(rows) < noise, rng.integers(0, 2, rows), known_score(columns) > 0)
    return audited(two_groups(columns, a), None, seed, score_threshold=0.5, scores=decisions.astype(float), **options)


@pytest.fixture(scope="module")
def result() -> Result:
    return of_predictions()


def test_roles_of_the_known_model_are_recovered_from_its_predictions(result: Result) -> None:
    assert roles(result[0]) == {
        "x1": "proxy",
        "x2": "latent_proxy",
        "x3": "neutral",
        "x4": "neutral",
        "x5": "joint_proxy",
        "x6": "joint_proxy",
        "x7": "masking",
        "x8": "latent_proxy",
    }


def test_contributions_are_near_those_of_the_model(result: Result) -> None:
    """METHODS section 4: .294, -.109, and 0 for what the model does not use."""
    found = {name: row.contribution.estimate for name, row in by_feature(result[0]).items()}

    assert {name: found[name] for name in ("x1", "x2", "x4", "x7")} == pytest.approx(
        {"x1": 0.294, "x2": 0, "x4": 0, "x7": -0.109}, abs=0.03
    )


def test_everything_that_a_surrogate_says_is_marked_and_nothing_is_proven(result: Result) -> None:
    audit, findings = result

    assert all(row.surrogate and "by a surrogate" in (row.note or "") for row in audit.features)
    assert {finding.verdict for finding in findings} == {Verdict.INCONCLUSIVE}
    assert all("not proven of the model" in finding.message for finding in findings)


def test_fidelity_is_stated_beside_chance_on_rows_that_were_not_learned_from(result: Result) -> None:
    found = result[0].surrogate

    assert found is not None
    assert found.learned_rows + found.rows == ROWS
    assert found.sufficient
    assert found.majority < 0.6 < 0.9 < (found.agreement.estimate or 0)
    assert (found.kappa.low or 0) > found.required_kappa
    assert (found.auc or 0) > 0.98
    assert found.gap["A"] == pytest.approx(0.366, abs=0.02)


def test_predictions_that_the_features_do_not_explain_show_encoding_and_nothing_more() -> None:
    audit, _ = of_predictions(4_000, noise=0.5)

    assert audit.surrogate is not None
    assert not audit.surrogate.sufficient
    assert set(roles(audit).values()) == {"latent_proxy", "neutral"}
    assert all(row.flip_rate is None and row.contribution.estimate is None for row in audit.features)
    assert not any(row.surrogate for row in audit.features)
    assert any("no role is claimed beyond encoding" in note for note in audit.notes)


def test_coin_flips_have_no_agreement_beyond_chance() -> None:
    columns, a = known_model(4_000, 1)
    data = two_groups(columns, a)
    flips = np.random.default_rng(2).random(4_000) < 0.1
    prepared = prepare(data, Budget(), np.random.default_rng(0))

    found = learn_surrogate(data, prepared, flips, seed=0, level=0.95)

    assert found is not None
    assert found.document.kappa.estimate == pytest.approx(0, abs=0.06)
    assert found.document.agreement.estimate == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("rows", [200, 1_999])
def test_few_rows_have_no_surrogate_and_a_note_says_so(rows: int) -> None:
    audit, _ = of_predictions(rows)

    assert audit.surrogate is None
    assert any("2,000 rows" in note and "surrogate" in note for note in audit.notes)


def test_a_model_needs_no_surrogate() -> None:
    audit, _ = audited(two_groups(*known_model(2_000, 0)), known_score)

    assert audit.surrogate is None
    assert not any(row.surrogate for row in audit.features)


def test_categories_and_missing_values_are_read() -> None:
    rng = np.random.default_rng(3)
    a = rng.integers(0, 2, 4_000).astype(np.int32)
    town = np.array([f"t{i}" for i in rng.integers(0, 5, 4_000) + 5 * (a ^ (rng.random(4_000) < 0.2))], object)
    town[:50] = None
    amount = rng.standard_normal(4_000)
    amount[50:90] = np.nan
    decisions = np.isin(town, ["t0", "t1", "t2", "t3", "t4"]) | (np.nan_to_num(amount) > 1)

    audit, _ = audited(
        two_groups({"town": town, "amount": amount}, a), None, score_threshold=0.5, scores=decisions * 1.0
    )

    assert roles(audit) == {"town": "proxy", "amount": "neutral"}
