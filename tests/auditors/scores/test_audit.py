"""The whole audit of scores: what it reports, what a policy may gate, and what it proves."""

from typing import Any

import numpy as np
import pytest

from evenhand.auditors.errors import PolicyError, UnknownAttribute
from evenhand.auditors.intervals import tukey_z
from evenhand.auditors.policy import Policy
from evenhand.auditors.report import Finding
from evenhand.auditors.scores.audit import ScoreAudit, audit_scores
from evenhand.auditors.scores.catalogue import SCORE_METRICS
from evenhand.auditors.scores.data import ScoreData
from evenhand.auditors.scores.plan import refuse_without_scores
from evenhand.auditors.verdict import Gate, Verdict
from tests.auditors.scores.rows import drawn


def audited(data: ScoreData, *checks: dict[str, Any], level: float = 0.95) -> ScoreAudit:
    policy = Policy.model_validate({"check": list(checks)})
    return audit_scores(data, policy=policy, family_level=level, threshold=0.5, rng=np.random.default_rng(0))


def checked(data: ScoreData, level: float = 0.95, **check: Any) -> Finding:
    """The composite finding of one check."""
    return audited(data, check, level=level).findings[0]


def worse_for_one(n: int = 4_000) -> ScoreData:
    """Group a is scored well, group b by a coin; both as often positive."""
    rng = np.random.default_rng(1)
    group, label = rng.integers(0, 2, n), rng.integers(0, 2, n)
    score = 1 / (1 + np.exp(-(rng.standard_normal(n) + 2 * label * (group == 0) - (group == 0))))
    return ScoreData(score, {"g": (group, ("a", "b"))}, label=label)


def alike(n: int = 8_000) -> ScoreData:
    rng = np.random.default_rng(2)
    score = rng.uniform(0, 1, n)
    return ScoreData(score, {"g": (rng.integers(0, 2, n), ("a", "b"))}, label=(rng.random(n) < score).astype(int))


def test_a_group_that_is_ranked_worse_is_found() -> None:
    finding = checked(worse_for_one(), metric="roc_auc", within=0.05)

    assert finding.verdict is Verdict.PROVEN_DISPARITY
    assert (finding.group, finding.reference) == ({"g": "a"}, {"g": "b"})
    assert finding.gate is Gate.STRICT
    assert finding.low is not None
    assert finding.low > 0.3


@pytest.mark.parametrize(
    "metric",
    ["roc_auc", "calibration_in_the_large", "expected_calibration_error", "brier", "standardized_mean_difference"],
)
def test_groups_that_are_scored_alike_are_shown_within(metric: str) -> None:
    within = 0.1 if metric == "standardized_mean_difference" else 0.05

    finding = checked(alike(), metric=metric, within=within)

    assert finding.verdict is Verdict.PROVEN_WITHIN
    assert finding.equivalence_high is not None
    assert finding.equivalence_high < within


def test_difference_of_areas_has_delongs_interval_at_tukeys_quantile() -> None:
    """Independent groups: the variances add."""
    audit = audited(drawn(groups=3), {"metric": "roc_auc", "within": 0.05})
    areas = {g: row["roc_auc"] for g, row in zip("012", audit.metrics["g"], strict=True)}
    pairs = [f for f in audit.findings if f.metric == "roc_auc" and f.id.count("/") > 3]

    assert len(pairs) == 3
    for pair in pairs:
        one, other = areas[pair.group["g"]], areas[pair.reference["g"]]
        errors = [(side.high - side.estimate) / 1.959964 for side in (one, other)]
        assert pair.estimate == pytest.approx(one.estimate - other.estimate)
        assert pair.high - pair.estimate == pytest.approx(tukey_z(3, level=0.95) * np.hypot(*errors), rel=1e-5)


def test_value_holds_each_group_against_the_ideal() -> None:
    data = alike()
    too_high = ScoreData(np.clip(data.scores + 0.2, 0, 1), data.attributes, label=data.label)

    assert (
        checked(data, metric="calibration_in_the_large", compare="value", within=0.05).verdict is Verdict.PROVEN_WITHIN
    )
    against = checked(too_high, metric="calibration_in_the_large", compare="value", within=0.05)
    assert against.verdict is Verdict.PROVEN_DISPARITY
    assert against.reference is None
    assert "where .000 would be perfect" in against.message


def test_value_of_an_area_is_its_distance_from_one() -> None:
    finding = checked(worse_for_one(), metric="roc_auc", compare="value", within=0.3)

    assert finding.verdict is Verdict.PROVEN_DISPARITY
    assert finding.group == {"g": "b"}
    assert finding.high is not None
    assert finding.high < 0.7


def test_calibration_of_scores_outside_the_unit_interval_is_undefined_with_the_reason() -> None:
    data = drawn()
    deciles = ScoreData(np.ceil(data.scores * 10), data.attributes, label=data.label)

    finding = checked(deciles, metric="brier", within=0.05)

    assert finding.estimate is None
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "the scores run from" in finding.message
    row = audited(deciles).metrics["g"][0]
    assert row["brier"].estimate is None
    assert "no probabilities" in (row["brier"].reason or "")
    assert row["roc_auc"].estimate is not None


def test_group_without_positives_has_undefined_area_and_leaves_the_check_open() -> None:
    data = drawn(groups=2)
    codes, _ = data.attributes["g"]
    label = np.where(codes == 1, 0, data.label)

    audit = audited(ScoreData(data.scores, data.attributes, label=label), {"metric": "roc_auc", "within": 0.05})

    assert audit.metrics["g"][1]["roc_auc"].estimate is None
    assert audit.metrics["g"][1]["roc_auc"].reason == "the group lacks rows of one label"
    finding = audit.findings[0]
    assert (finding.estimate, finding.verdict) == (None, Verdict.INCONCLUSIVE)
    assert "does not exist in 1 (" in finding.message
    assert audit.attributes[0].pairs[0].abroca is not None
    assert audit.attributes[0].pairs[0].abroca.estimate is None


def test_small_group_leaves_a_strict_check_open_unless_it_is_only_listed() -> None:
    data = alike()
    codes = data.attributes["g"][0].copy()
    codes[:20] = 2
    data = ScoreData(data.scores, {"g": (codes, ("a", "b", "tiny"))}, label=data.label)

    held = checked(data, metric="brier", within=0.1)
    listed = checked(data, metric="brier", within=0.1, small_groups="list")

    assert held.verdict is Verdict.INCONCLUSIVE
    assert "tiny (20)" in held.message
    assert listed.verdict is Verdict.PROVEN_WITHIN


def test_unknown_groups_are_measured_and_not_compared() -> None:
    data = alike()
    codes = np.where(np.arange(8_000) < 100, 2, data.attributes["g"][0])
    data = ScoreData(data.scores, {"g": (codes, ("a", "b", None))}, label=data.label)

    audit = audited(data, {"metric": "roc_auc", "within": 0.1})

    assert audit.metrics["g"][2]["roc_auc"].estimate is not None
    assert all({"g": None} not in (f.group, f.reference) for f in audit.findings)
    assert all({"g": None} not in (pair.group, pair.reference) for pair in audit.attributes[0].pairs)


def test_without_labels_scores_are_still_compared() -> None:
    audit = audited(drawn(labels=False))

    assert {f.metric for f in audit.findings} == {"standardized_mean_difference"}
    assert set(audit.metrics["g"][0]) == {"mean_score", "scoring_rate"}
    shown = audit.attributes[0]
    assert shown.cross is None
    assert shown.groups[0].true_positive_rate is None
    assert shown.pairs[0].abroca is None
    assert shown.pairs[0].ks.estimate is not None


def test_informative_findings_do_not_count_for_the_gate() -> None:
    assert all(f.gate is Gate.OFF for f in audited(drawn()).findings)


def test_what_is_only_reported_cannot_be_gated() -> None:
    with pytest.raises(PolicyError, match="'abroca' is reported and cannot be checked"):
        audited(drawn(), {"metric": "abroca", "within": 0.05})


def test_ratio_and_missing_labels_and_missing_scores_are_refused() -> None:
    with pytest.raises(PolicyError, match="has no ratio"):
        audited(drawn(), {"metric": "roc_auc", "compare": "ratio", "within": 0.8})
    with pytest.raises(PolicyError, match="needs labels"):
        audited(drawn(labels=False), {"metric": "roc_auc", "within": 0.1})
    with pytest.raises(PolicyError, match="needs scores"):
        refuse_without_scores(Policy.model_validate({"check": [{"metric": "brier", "within": 0.1}]}))
    with pytest.raises(UnknownAttribute, match="'h'"):
        audited(drawn(), {"metric": "roc_auc", "within": 0.1, "attributes": "h"})


def test_same_seed_same_document() -> None:
    assert audited(drawn()).attributes == audited(drawn()).attributes


def test_rows_in_another_order_change_nothing() -> None:
    data = drawn(decimals=2)
    assert data.label is not None
    order = np.random.default_rng(3).permutation(len(data.scores))
    codes, values = data.attributes["g"]
    again = audited(ScoreData(data.scores[order], {"g": (codes[order], values)}, label=data.label[order]))

    for one, other in zip(audited(data).metrics["g"], again.metrics["g"], strict=True):
        for name, estimate in one.items():
            assert other[name].estimate == pytest.approx(estimate.estimate, abs=1e-12)


def test_every_metric_of_the_catalogue_has_a_place() -> None:
    """A new metric is noticed here until it is measured."""
    audit = audited(drawn())
    pair, shown = audit.attributes[0].pairs[0], audit.attributes[0]
    of_pairs = {name for name, metric in SCORE_METRICS.items() if metric.of_pairs}

    assert set(audit.metrics["g"][0]) == set(SCORE_METRICS) - of_pairs
    assert of_pairs == {"standardized_mean_difference", "ks", "wasserstein", "abroca", "cross_group_auc"}
    assert all(getattr(pair, name) is not None for name in of_pairs - {"cross_group_auc"})
    assert shown.cross is not None


def test_many_groups_show_the_largest() -> None:
    rng = np.random.default_rng(4)
    codes = rng.choice(40, 4_000, p=np.arange(1, 41) / 820)
    audit = audited(
        ScoreData(rng.random(4_000), {"g": (codes, tuple(map(str, range(40))))}, label=rng.integers(0, 2, 4_000))
    )

    shown = audit.attributes[0]
    assert (len(shown.groups), shown.left_out) == (12, 28)
    assert len(shown.pairs) == 66
    assert len(audit.metrics["g"]) == 40


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["roc_auc", "brier", "calibration_in_the_large", "expected_calibration_error"])
def test_disparity_is_claimed_falsely_no_more_often_than_alpha(metric: str) -> None:
    """Three groups alike, nothing tolerated: 400 audits."""
    rng = np.random.default_rng(5)
    false = 0
    for _ in range(400):
        truth = rng.beta(2, 3, 900)
        data = ScoreData(
            truth, {"g": (rng.integers(0, 3, 900), ("a", "b", "c"))}, label=(rng.random(900) < truth).astype(int)
        )
        false += checked(data, metric=metric, within=0.0).verdict is Verdict.PROVEN_DISPARITY

    assert false / 400 < 0.083  # .05 and three standard errors


@pytest.mark.slow
def test_within_is_claimed_falsely_no_more_often_than_alpha() -> None:
    """Calibration in the large of two groups exactly the tolerance apart: 600 audits."""
    rng = np.random.default_rng(6)
    false = 0
    for _ in range(600):
        truth, group = rng.uniform(0.1, 0.8, 2_000), rng.integers(0, 2, 2_000)
        data = ScoreData(
            truth + 0.05 * group, {"g": (group, ("a", "b"))}, label=(rng.random(2_000) < truth).astype(int)
        )
        false += checked(data, metric="calibration_in_the_large", within=0.05).verdict is Verdict.PROVEN_WITHIN

    assert false / 600 < 0.077


@pytest.mark.slow
def test_rows_needed_prove_what_they_promise() -> None:
    """Areas .80 and .65, .05 tolerated: with the rows asked for, four proofs in five."""
    rng = np.random.default_rng(7)

    def sample(n: int) -> ScoreData:
        group, label = rng.integers(0, 2, n), rng.integers(0, 2, n)
        score = rng.standard_normal(n) + label * np.where(group == 0, 1.19, 0.545)
        return ScoreData(score, {"g": (group, ("a", "b"))}, label=label)

    found = [checked(sample(400), metric="roc_auc", within=0.05) for _ in range(300)]
    rows = np.mean([f.rows_needed for f in found if f.rows_needed and abs((f.estimate or 0) - 0.15) < 0.01])
    proven = [
        checked(sample(2 * int(rows)), metric="roc_auc", within=0.05).verdict is Verdict.PROVEN_DISPARITY
        for _ in range(300)
    ]

    assert 0.73 < np.mean(proven) < 0.87


@pytest.mark.slow
def test_rows_needed_at_the_estimate_show_it_within_as_promised() -> None:
    """Areas .80 and .78, .05 tolerated: with the rows that this takes, four proofs in five."""
    rng = np.random.default_rng(11)

    def sample(n: int) -> ScoreData:
        group, label = rng.integers(0, 2, n), rng.integers(0, 2, n)
        score = rng.standard_normal(n) + label * np.where(group == 0, 1.19, 1.092)
        return ScoreData(score, {"g": (group, ("a", "b"))}, label=label)

    found = [checked(sample(400), metric="roc_auc", within=0.05) for _ in range(300)]
    rows = np.mean([f.rows_needed_at_estimate for f in found if abs((f.estimate or 0) - 0.02) < 0.002])
    shown = [
        checked(sample(2 * int(rows)), metric="roc_auc", within=0.05).verdict is Verdict.PROVEN_WITHIN
        for _ in range(300)
    ]

    assert 0.73 < np.mean(shown) < 0.87
