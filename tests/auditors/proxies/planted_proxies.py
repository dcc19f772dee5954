"""Data with known proxies. The eight-feature model is defined, with its answers, in METHODS section 4."""

from collections.abc import Container, Iterable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evenhand.auditors.proxies import ProxyData, audit_proxies
from evenhand.auditors.report import Finding, ProxyAudit, ProxyFeature

Columns = dict[str, NDArray[Any]]


def known_model(rows: int, seed: int) -> tuple[Columns, NDArray[np.int32]]:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 2, rows)
    z = rng.standard_normal((8, rows))
    b = rng.integers(0, 2, rows)
    noise = rng.random(rows) < 0.05
    columns = {
        "x1": z[0] + 1.2 * a,
        "x2": z[1] + 1.2 * a,
        "x3": z[2],
        "x4": z[3],
        "x5": np.abs(z[4]) * (2 * b - 1),
        "x6": np.abs(z[5]) * (2 * (b ^ a ^ noise) - 1),
        "x7": z[6] - 1.2 * a,
        "x8": z[7] + 1.2 * a,
    }
    return columns, a.astype(np.int32)


def known_score(x: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    xor = np.sign(x["x5"]) * np.sign(x["x6"])
    return x["x1"] + 1.1 * x["x3"] - 0.4 * xor + 0.4 * x["x7"] + 0.02 * x["x8"] - 0.36


def two_groups(columns: Columns, a: NDArray[np.int32], **more: Any) -> ProxyData:
    return ProxyData(columns, attributes={"A": (a, ("0", "1", None))}, **more)


def audited(data: ProxyData, decide: Any, seed: int = 0, **options: Any) -> tuple[ProxyAudit, list[Finding]]:
    options = {"score_threshold": 0.0, "favourable_is_positive": True} | options
    return audit_proxies(data, decide=decide, rng=np.random.default_rng(seed), **options)


def by_feature(audit: ProxyAudit, *, attribute: str = "A", stratum: str | None = None) -> dict[str, ProxyFeature]:
    return {row.feature: row for row in audit.features if (row.attribute, row.stratum) == (attribute, stratum)}


def roles(audit: ProxyAudit) -> dict[str, str]:
    return {name: row.role for name, row in by_feature(audit).items()}


def few_of(seeds: Iterable[int], *, always: Container[int]) -> list[Any]:
    """Seeds for parametrize: those that always run, and the others marked slow."""
    return [seed if seed in always else pytest.param(seed, marks=pytest.mark.slow) for seed in seeds]
