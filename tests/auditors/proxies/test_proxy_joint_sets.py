"""Joint proxies beyond pairs: parities of three and four, sets that grow, and nothing where nothing is planted."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from planted_proxies import Columns, audited, few_of, two_groups

from evenhand.auditors.proxies.columns import code_column, quantile_bins
from evenhand.auditors.proxies.groups import compared_groups
from evenhand.auditors.proxies.growth import ground, grown_sets, path_sets
from evenhand.auditors.proxies.joint import cell_codes
from evenhand.auditors.proxies.plan import Budget
from evenhand.auditors.proxies.prepare import prepare
from evenhand.auditors.proxies.quadruples import affordable_rows, quadruple_candidates
from evenhand.auditors.proxies.search import FIVE, find_sets

N = 8_000


def parity(
    members: int, seed: int, *, rows: int = N, noise_features: int = 8, tied: bool = True
) -> tuple[Columns, NDArray[np.int32]]:
    """Signs of p0, p1, ... of which the parity is the attribute up to 5 % noise; not `tied`: of a coin of its own."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 2, rows).astype(np.int32)
    told = a if tied else rng.integers(0, 2, rows)
    signs = rng.integers(0, 2, (members, rows))
    signs[-1] = signs[:-1].sum(axis=0) % 2 ^ told ^ (rng.random(rows) < 0.05)
    columns = {f"p{i}": np.abs(rng.standard_normal(rows)) * (2 * signs[i] - 1) for i in range(members)}
    return columns | {f"n{i}": rng.standard_normal(rows) for i in range(noise_features)}, a


def by_parity(members: int) -> Any:
    def score(x: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        return x["n0"] + 1.5 * np.sign(np.prod([x[f"p{i}"] for i in range(members)], axis=0))

    return score


def cells_of(columns: Columns) -> list[NDArray[np.uint8]]:
    return [quantile_bins(code_column(name, values), 8) for name, values in columns.items()]


@pytest.mark.parametrize("members", [2, 3, 4])
def test_parity_is_a_joint_proxy(members: int) -> None:
    audit, _ = audited(two_groups(*parity(members, members)), by_parity(members))

    assert [(found.features, found.role) for found in audit.sets] == [
        ([f"p{i}" for i in range(members)], "joint_proxy")
    ]
    assert (audit.leakage[0].features.auc or 0) > 0.85


def test_parity_of_a_coin_of_its_own_is_no_proxy() -> None:
    """The twin: the model decides by the same parity, which says nothing of the attribute."""
    audit, _ = audited(two_groups(*parity(4, 7, tied=False)), by_parity(4))

    assert audit.sets == []
    assert {row.role for row in audit.features} == {"neutral"}


def test_parity_of_four_is_found_among_fifty_features() -> None:
    columns, a = parity(4, 8, rows=4_000, noise_features=46)

    found = quadruple_candidates(cells_of(columns), compared_groups("A", a, ("0", "1")), np.arange(4_000))

    assert found[0].features == (0, 1, 2, 3)
    assert found[0].excess > 5 * max((candidate.excess for candidate in found[1:]), default=0)


def test_quadruple_that_holds_a_known_set_is_left_out() -> None:
    columns, a = parity(4, 8)

    found = quadruple_candidates(
        cells_of(columns), compared_groups("A", a, ("0", "1")), np.arange(N), known=[(0, 1, 2)]
    )

    assert found == []


def test_parity_of_four_among_too_many_features_is_said_not_to_be_searched() -> None:
    columns, a = parity(4, 9, rows=2_000, noise_features=126)
    prepared = prepare(two_groups(columns, a), Budget(), np.random.default_rng(9))

    found = find_sets(prepared, prepared.groups[0], {}, range(130), level=0.95)

    assert affordable_rows(130, 1) == 0
    assert "parity of four among the 130 features" in found.notes[0]


def test_parity_of_five_is_said_to_be_beyond_the_search() -> None:
    columns, a = parity(5, 13, rows=2_400, noise_features=0)
    prepared = prepare(two_groups(columns, a), Budget(), np.random.default_rng(13))

    found = find_sets(prepared, prepared.groups[0], {}, range(5), level=0.95)

    assert found.sets == ()
    assert found.notes == (FIVE,)
    assert find_sets(prepared, prepared.groups[0], {}, range(4), level=0.95).notes == ()


def test_features_too_weak_alone_and_in_pairs_grow_into_a_set() -> None:
    """Each .57 alone and no interaction: nothing that a search of pairs for more than the sum could see."""
    rng = np.random.default_rng(10)
    a = rng.integers(0, 2, 40_000).astype(np.int32)
    columns: Columns = {f"w{i}": rng.standard_normal(40_000) + 0.25 * a for i in range(6)}
    columns |= {f"n{i}": rng.standard_normal(40_000) for i in range(6)}

    audit, _ = audited(two_groups(columns, a), lambda x: np.sum([x[f"w{i}"] for i in range(6)], axis=0) + x["n0"])

    assert len(audit.sets) == 1
    assert len(audit.sets[0].features) >= 3
    assert set(audit.sets[0].features) <= {f"w{i}" for i in range(6)}
    assert audit.sets[0].role == "joint_proxy"


def test_path_of_a_tree_names_the_features_that_work_in_turn() -> None:
    """The group needs one, two and three above zero together: .8 of the group, against a tenth of the rest."""
    rng = np.random.default_rng(11)
    columns: Columns = {f"x{i}": rng.standard_normal(N) for i in range(8)}
    all_above = (columns["x1"] > -0.3) & (columns["x2"] > -0.3) & (columns["x3"] > -0.3)
    a = (rng.random(N) < np.where(all_above, 0.8, 0.1)).astype(np.int32)
    on = ground(
        cells_of(columns),
        compared_groups("A", a, ("0", "1")),
        np.arange(N),
        rng.integers(0, 5, N, dtype=np.int8),
    )

    assert (1, 2, 3) in path_sets(on, seed=0)
    assert (1, 2, 3) in grown_sets(on, [])


def test_cells_of_larger_sets_are_coarser() -> None:
    cells = [np.arange(8, dtype=np.uint8)] * 5

    assert [cell_codes(cells, range(size), rows=N)[1] for size in (2, 3, 4, 5)] == [64, 512, 256, 32]


@pytest.mark.parametrize("seed", few_of(range(5), always=(0,)))
def test_no_set_is_claimed_where_nothing_is_planted(seed: int) -> None:
    rng = np.random.default_rng(200 + seed)
    columns: Columns = {f"x{i}": rng.standard_normal(3_000) for i in range(20)}

    audit, _ = audited(two_groups(columns, rng.integers(0, 2, 3_000).astype(np.int32)), None)

    assert audit.sets == []
