"""Data without proxies: what is claimed about them stays within alpha, on the whole and at the very limit."""

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from planted_proxies import Columns, audited, few_of
from scipy.stats import binom

from evenhand.auditors.proxies import ProxyData
from evenhand.auditors.proxies.contribution import Part
from evenhand.auditors.proxies.encoding import ENCODES, EncodingTest, decide_encodings
from evenhand.auditors.proxies.roles import Claim
from evenhand.auditors.ranks import auc_of_scores
from evenhand.auditors.verdict import Verdict

ALPHA = 0.05


def null_data(seed: int) -> ProxyData:
    """Columns of many shapes, and two attributes drawn apart from them, one of them lopsided."""
    rng = np.random.default_rng(10_000 + seed)
    n = int(rng.integers(700, 1_500))
    base = rng.standard_normal(n)
    columns: Columns = {
        "plain": base,
        "twin": base + rng.standard_normal(n) * 0.3,
        "tails": rng.standard_cauchy(n),
        "rare": (rng.random(n) < 0.02).astype(float),
        "count": rng.poisson(1.5, n).astype(float),
        "gaps": np.where(rng.random(n) < 0.3, np.nan, rng.standard_normal(n)),
        "town": np.array([f"t{i}" for i in rng.integers(0, 60, n)], object),
        "id": np.array([f"p{i}" for i in rng.integers(0, n // 3, n)], object),
    }
    share = rng.uniform(0.08, 0.5)
    a = (rng.random(n) < share).astype(np.int32)
    b = rng.choice(4, n, p=[0.6, 0.2, 0.12, 0.08]).astype(np.int32)
    return ProxyData(columns, attributes={"A": (a, ("0", "1")), "B": (b, ("p", "q", "r", "s"))})


def bent(x: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """A model that is not linear and uses nearly everything."""
    known = np.nan_to_num(x["gaps"])
    return np.asarray(
        np.tanh(x["plain"]) + 0.5 * x["plain"] * known + 0.3 * (x["count"] > 2) + np.clip(x["tails"], -1, 1) * 0.5,
        np.float64,
    )


def claims(seed: int) -> int:
    """Features said to encode, joint sets, and disparities said to be proven."""
    audit, findings = audited(null_data(seed), bent, seed)
    proven = sum(finding.verdict is Verdict.PROVEN_DISPARITY for finding in findings)
    return sum(row.role != "neutral" for row in audit.features) + len(audit.sets) + proven


@pytest.mark.parametrize("seed", few_of(range(10), always=(0,)))
def test_nothing_is_claimed_of_ten_sets_without_proxies(seed: int) -> None:
    assert claims(seed) == 0


@pytest.mark.slow
def test_of_a_hundred_sets_without_proxies_no_more_than_alpha_have_a_claim() -> None:
    wrong = sum(claims(seed) > 0 for seed in range(100))

    assert wrong <= ALPHA * 100


def test_feature_exactly_at_the_limit_is_said_to_encode_no_more_often_than_alpha() -> None:
    """Two normals .358 apart have an area of .60: the hardest case that must not be claimed."""
    rng = np.random.default_rng(1)
    shift = np.sqrt(2) * NormalDist().inv_cdf(ENCODES)
    repeats, n = 1_000, 1_000

    wrong = 0
    for _ in range(repeats):
        a = rng.random(n) < 0.5
        test = EncodingTest("x", "1", "number", auc_of_scores(rng.standard_normal(n) + shift * a, a))
        wrong += decide_encodings([test], level=1 - ALPHA)["x"].encodes

    assert wrong <= binom.ppf(0.999, repeats, ALPHA)


def test_ten_features_at_the_limit_share_alpha() -> None:
    """Holm: that any of the ten is said to encode happens no more often than alpha."""
    rng = np.random.default_rng(2)
    shift = np.sqrt(2) * NormalDist().inv_cdf(ENCODES)
    repeats, n = 300, 1_000

    wrong = 0
    for _ in range(repeats):
        a = rng.random(n) < 0.5
        tests = [
            EncodingTest(f"x{i}", "1", "number", auc_of_scores(rng.standard_normal(n) + shift * a, a))
            for i in range(10)
        ]
        wrong += any(found.encodes for found in decide_encodings(tests, level=1 - ALPHA).values())

    assert wrong <= binom.ppf(0.999, repeats, ALPHA)


def test_part_exactly_at_its_tolerance_is_claimed_no_more_often_than_alpha() -> None:
    rng = np.random.default_rng(3)
    repeats, tolerance = 4_000, 0.02

    wrong = sum(
        Claim(Part(tolerance + 0.01 * error, 0.01), tolerance, 1 - ALPHA, ALPHA).widens
        for error in rng.standard_normal(repeats)
    )

    assert 0 < wrong <= binom.ppf(0.999, repeats, ALPHA)


def test_a_planted_proxy_is_claimed_on_the_same_data() -> None:
    """So that the silence above is not deafness."""
    data = null_data(0)
    codes, levels = data.attributes["A"]
    columns = dict(data.columns) | {"plain": data.columns["plain"] + 1.5 * codes}
    planted = ProxyData(columns, attributes={"A": (codes, levels)})

    audit, findings = audited(planted, bent)

    assert {row.feature for row in audit.features if row.role == "proxy"} >= {"plain"}
    assert any(finding.verdict is Verdict.PROVEN_DISPARITY for finding in findings)
