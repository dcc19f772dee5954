"""What a proxy finding says: never that a feature is unused when decisions turn on it."""

import numpy as np
import pytest
from planted_proxies import audited, by_feature, two_groups

from evenhand.auditors.proxies import ProxyData
from evenhand.auditors.proxies.contribution import Part
from evenhand.auditors.proxies.encoding import Encoding
from evenhand.auditors.proxies.roles import Claim
from evenhand.auditors.proxies.words import (
    TOGETHER,
    contribution_message,
    encoding_words,
    part_words,
    receives,
    use_note,
)

N = 4_000
GAP = 0.17


def claim(estimate: float, *, error: float = 0.002) -> Claim:
    return Claim(Part(estimate, error), 0.017, 0.95, 0.05)


def said(role: str, estimate: float, flips: float, *, error: float = 0.002) -> str:
    return contribution_message(
        "hours encodes sex (AUC .65)", role, claim(estimate, error=error), gap=GAP, flip_rate=flips
    )


def test_proxy_says_its_share_and_what_would_count_as_a_justification() -> None:
    message = said("proxy", 0.13, 0.31)

    assert message.startswith(
        "hours encodes sex (AUC .65), changes 31 % of decisions and accounts for .13 of the .17 gap"
    )
    assert "needs justification. What would count: that it measures something the decision is for" in message


def test_masking_feature_says_what_it_hides() -> None:
    assert "narrows the gap by .11, so that the .17 gap hides part of what other features do" in said(
        "masking", -0.11, 0.2
    )


@pytest.mark.parametrize(
    ("estimate", "error", "words"),
    [
        (0.018, 0.002, "widens it, but is not shown to by more than .017"),
        (-0.018, 0.002, "narrows it, but is not shown to by more than .017"),
        (0.002, 0.002, "lies within .017"),
        (0.010, 0.02, "is not shown to differ from 0, nor to lie within .017"),
    ],
)
def test_feature_that_is_used_below_the_tolerance_is_said_to_be_used(estimate: float, error: float, words: str) -> None:
    message = said("latent_proxy", estimate, 0.04, error=error)

    assert "changes 4 % of decisions: the model uses it" in message
    assert words in message
    assert "does not use it" not in message
    assert (use_note("latent_proxy", claim(estimate, error=error), 0.04) or "").startswith("used")


def test_feature_that_changes_hardly_any_decision_says_from_where_it_counts_as_used() -> None:
    assert "changes under 1 % of decisions, fewer than the 1 % from which it counts as used" in said(
        "latent_proxy", 0.001, 0.004
    )


def test_feature_that_changes_no_decision_is_not_used() -> None:
    assert "the model does not use it: no decision changed" in said("latent_proxy", 0.0, 0.0)


def test_neutral_feature_says_how_close_to_nothing_its_part_is() -> None:
    assert "lies within .017" in said("neutral", 0.001, 0.1)
    assert "is not shown to differ from 0" in part_words(claim(0.01, error=0.05), gap=GAP)


def test_part_of_an_intersection_that_is_a_feature_is_received() -> None:
    assert receives("sex × race", ["sex"]) == "the model receives sex (of sex × race)"


def test_audit_tells_a_used_feature_from_an_unused_one() -> None:
    """`small` encodes and turns decisions, and its part of the gap is below the tolerance; `idle` has no weight."""
    rng = np.random.default_rng(1)
    a = rng.integers(0, 2, N).astype(np.int32)
    columns = {name: rng.standard_normal(N) + 0.8 * a for name in ("small", "idle")} | {"merit": rng.standard_normal(N)}

    audit, findings = audited(two_groups(columns, a), lambda x: x["merit"] * 3 + 0.1 * x["small"])

    rows = by_feature(audit)
    messages = {finding.id.rsplit("/", 1)[1]: finding.message for finding in findings}
    assert (rows["small"].role, rows["idle"].role) == ("latent_proxy", "latent_proxy")
    assert "the model uses it" in messages["small"]
    assert "does not use it" in messages["idle"]


@pytest.mark.parametrize("feature", ["sex", "race"])
def test_part_of_an_intersection_among_the_features_is_said_first(feature: str) -> None:
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 4, N).astype(np.int32)
    levels = ("F × a", "F × b", "M × a", "M × b")
    columns = {"age": rng.standard_normal(N), feature: (codes // 2 if feature == "sex" else codes % 2).astype(float)}
    data = ProxyData(columns, attributes={"sex × race": (codes, levels)})

    audit, findings = audited(data, lambda x: x["age"] + x[feature])

    assert audit.notes[0] == f"the model receives {feature} (of sex × race)."
    assert findings[0].message.startswith(f"The model receives {feature} (of sex × race): ")


def test_contribution_that_is_not_known_says_why_and_the_note_does_not_repeat_it() -> None:
    rng = np.random.default_rng(3)
    a = rng.integers(0, 2, N).astype(np.int32)
    data = two_groups({"x": rng.standard_normal(N) + a, "z": rng.standard_normal(N)}, a)

    audit, _ = audited(data, None)

    rows = by_feature(audit)
    assert all((row.contribution.reason or "").startswith("no model") for row in rows.values())
    assert [row.note for row in rows.values()] == [None, None]


def test_set_is_spoken_of_as_several() -> None:
    encoding = Encoding("a & b", "Male", "number", 0.95, 0.94, 0.96, encodes=True)

    opening = encoding_words("a & b", "sex", encoding, groups=2, grammar=TOGETHER)
    message = contribution_message(opening, "joint_proxy", claim(0.13), gap=GAP, flip_rate=0.31, grammar=TOGETHER)

    assert message.startswith("a & b together strongly encode sex (AUC .95), change 31 % of decisions and account for")
    assert "gap: need justification. What would count: that they measure something" in message


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (0.15, "accounts for .19 of the .15 gap (more than the whole: other features narrow it): needs justification"),
        (-0.02, "accounts for .19 of the -.020 gap (more than the whole: other features reverse it): needs"),
        (0.189, "accounts for .19 of the .19 gap: needs justification"),
        (0.25, "accounts for .19 of the .25 gap: needs justification"),
    ],
)
def test_part_that_is_larger_than_the_gap_says_why(gap: float, words: str) -> None:
    assert words in contribution_message("hours encodes sex", "proxy", claim(0.191), gap=gap, flip_rate=0.3)
