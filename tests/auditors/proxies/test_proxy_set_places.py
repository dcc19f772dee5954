"""Joint proxies that act in one place: found inside a declared stratum or a region, and shown to vanish elsewhere."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from planted_proxies import Columns, audited, few_of, two_groups

from evenhand.auditors.report import ProxyAudit, ProxySet

N = 16_000
REGIONS = 8


def in_one_region(
    seed: int, *, members: int = 2, tied: bool = True, rows: int = N, noise_features: int = 6
) -> tuple[Columns, NDArray[np.int32], NDArray[np.int64]]:
    """The parity of p0, p1, ... is the attribute where region = r0, up to 5 % noise, and a coin's elsewhere.

    Not `tied`: a coin's there as well.
    """
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 2, rows)
    region = rng.integers(0, REGIONS, rows)
    told = np.where((region == 0) & tied, a ^ (rng.random(rows) < 0.05), rng.integers(0, 2, rows))
    signs = rng.integers(0, 2, (members, rows))
    signs[-1] = signs[:-1].sum(axis=0) % 2 ^ told
    columns: Columns = {f"p{i}": np.abs(rng.standard_normal(rows)) * (2 * signs[i] - 1) for i in range(members)}
    columns |= {f"n{i}": rng.standard_normal(rows) for i in range(noise_features)}
    return columns, a.astype(np.int32), region


def named(region: NDArray[np.int64]) -> NDArray[Any]:
    return np.array([f"r{i}" for i in range(REGIONS)], object)[region]


def by_parity(members: int) -> Any:
    def score(x: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        return x["n0"] - 1.5 * np.sign(np.prod([-x[f"p{i}"] for i in range(members)], axis=0))

    return score


def sets_at(audit: ProxyAudit, stratum: str | None) -> dict[tuple[str, ...], ProxySet]:
    return {tuple(row.features): row for row in audit.sets if row.stratum == stratum}


@pytest.mark.parametrize("members", [2, 3])
def test_joint_proxy_of_one_region_is_found_there_and_vanishes_elsewhere(members: int) -> None:
    columns, a, region = in_one_region(1, members=members)
    together = tuple(f"p{i}" for i in range(members))

    audit, findings = audited(two_groups(columns | {"region": named(region)}, a), by_parity(members))

    inside, outside = sets_at(audit, "region = r0")[together], sets_at(audit, "outside region = r0")[together]
    assert inside.role == "joint_proxy"
    assert inside.encodes.auc == pytest.approx(0.95, abs=0.03)
    assert (inside.contribution.low or 0) > 0.1
    assert outside.role == "neutral"
    assert outside.encodes.auc == pytest.approx(0.5, abs=0.04)
    assert f"{' & '.join(together)} together encode A where region = r0" in " ".join(audit.notes)
    assert not [each for each in findings if "region = r0" in each.id]


def test_parity_of_a_coin_of_its_own_is_no_proxy_in_any_region() -> None:
    """The innocent twin: the model decides by the same parity."""
    columns, a, region = in_one_region(2, tied=False)

    audit, _ = audited(two_groups(columns | {"region": named(region)}, a), by_parity(2))

    assert audit.sets == []


@pytest.mark.parametrize("members", [2, 3])
def test_joint_proxy_of_one_declared_stratum_has_a_row_in_each(members: int) -> None:
    columns, a, region = in_one_region(3, members=members)
    halves = np.minimum(region, 3)
    strata = (halves.astype(np.int32), ("r0", "r1", "r2", "others"))

    audit, _ = audited(two_groups(columns, a, strata=strata), by_parity(members))

    together = tuple(f"p{i}" for i in range(members))
    assert {row.stratum: row.role for row in audit.sets if row.stratum is not None} == {
        "r0": "joint_proxy",
        "r1": "neutral",
        "r2": "neutral",
        "others": "neutral",
    }
    assert sets_at(audit, "r0")[together].encodes.auc == pytest.approx(0.95, abs=0.03)
    assert (sets_at(audit, "others")[together].contribution.high or 1) < 0.1


def test_joint_proxy_of_all_rows_has_a_row_in_every_stratum() -> None:
    rng = np.random.default_rng(44)
    columns, a, _ = in_one_region(4)
    columns["p1"] = np.abs(columns["p1"]) * np.sign(columns["p0"]) * (2 * a - 1)
    strata = (rng.integers(0, 2, N).astype(np.int32), ("day", "night"))

    audit, _ = audited(two_groups(columns, a, strata=strata), by_parity(2))

    assert {row.stratum for row in audit.sets if row.features == ["p0", "p1"]} == {None, "day", "night"}
    assert {row.role for row in audit.sets} == {"joint_proxy"}


@pytest.mark.parametrize(("way", "told"), [(1, {"region = r0 or r1"}), (-1, {"region = r0", "region = r1"})])
def test_regions_of_one_set_are_one_where_it_encodes_the_same_way_round(way: int, told: set[str]) -> None:
    """Exclusive or in r0, and in r1 the same or its opposite: pooled the opposite would say nothing."""
    columns, a, region = in_one_region(5)
    parity = np.sign(columns["p0"]) * (1 - 2 * a) * way
    columns["p1"] = np.abs(columns["p1"]) * np.where(region == 1, parity, np.sign(columns["p1"]))

    audit, _ = audited(two_groups(columns | {"region": named(region)}, a), by_parity(2))

    found = {row.stratum for row in audit.sets if row.role == "joint_proxy" and row.stratum is not None}
    assert found
    assert found <= told


@pytest.mark.parametrize("seed", few_of(range(12), always=(0, 1)))
def test_nothing_is_claimed_where_nothing_is_planted(seed: int) -> None:
    rng = np.random.default_rng(700 + seed)
    columns: Columns = {f"x{i}": rng.standard_normal(4_000) for i in range(12)}
    columns["c"] = np.array(list("abcdef"), object)[rng.integers(0, 6, 4_000)]
    strata = (rng.integers(0, 4, 4_000).astype(np.int32), tuple("abcd"))

    audit, _ = audited(two_groups(columns, rng.integers(0, 2, 4_000).astype(np.int32), strata=strata), None)

    assert audit.sets == []
