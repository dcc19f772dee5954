"""Data as they come: each shape gives a clear result or a refusal, and in bounded time."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from planted_proxies import Columns, audited, by_feature, roles, two_groups

from evenhand.auditors.errors import LengthMismatch
from evenhand.auditors.proxies import ProxyData
from evenhand.auditors.report import Finding, ProxyAudit
from evenhand.auditors.verdict import Verdict

N = 720


def by_x(x: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    return np.asarray(x["x"], np.float64)


def audit_of(column: NDArray[Any], *, encodes: bool = False, decide: Any = by_x) -> tuple[ProxyAudit, list[Finding]]:
    """`odd` beside an honest `x` that encodes (or not) the group."""
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2, len(column)).astype(np.int32)
    columns: Columns = {"odd": column, "x": rng.standard_normal(len(column)) + encodes * 1.5 * a}
    return audited(two_groups(columns, a), decide)


BAD: dict[str, NDArray[Any]] = {
    "constant": np.full(N, 3.0),
    "constant text": np.full(N, "same", dtype=object),
    "all missing": np.full(N, np.nan),
    "all missing text": np.full(N, None, dtype=object),
    "one level a row": np.array([f"id{i}" for i in range(N)], object),
    "one number a row": np.arange(N) * 1.0,
    "empty strings": np.array(["", "a", " "] * (N // 3), object),
    "only empty strings": np.full(N, "", dtype=object),
    "booleans": np.arange(N) % 2 == 0,
    "boolean objects": np.array([True, False, None] * (N // 3), object),
    "mixed types": np.array([1, "1", 1.5, None, True, "x"] * (N // 6), object),
    "infinite": np.where(np.arange(N) % 7 == 0, np.inf, np.where(np.arange(N) % 5 == 0, -np.inf, np.arange(N) % 11)),
    "all infinite": np.full(N, np.inf),
    "huge and tiny": np.where(np.arange(N) % 2 == 0, 1e308, -1e-308),
    "integers": (np.arange(N) % 4).astype(np.int64),
}


@pytest.mark.parametrize("name", BAD)
def test_odd_column_has_a_row_and_takes_nothing_from_the_proxy_beside_it(name: str) -> None:
    audit, findings = audit_of(BAD[name], encodes=True)

    assert roles(audit) == {"odd": "neutral", "x": "proxy"}
    assert [finding.verdict for finding in findings if finding.id.endswith("/x")] == [Verdict.PROVEN_DISPARITY]
    assert ProxyAudit.model_validate_json(audit.model_dump_json()) == audit


@pytest.mark.parametrize("name", ["constant", "constant text", "all missing", "all missing text", "all infinite"])
def test_column_without_any_difference_says_so(name: str) -> None:
    audit, findings = audit_of(BAD[name])

    message = next(finding.message for finding in findings if finding.id.endswith("/odd"))
    assert "same for every row" in (by_feature(audit)["odd"].note or "")
    assert "cannot encode A" in message


def test_perfect_copy_of_the_attribute_is_called_one() -> None:
    rng = np.random.default_rng(1)
    a = rng.integers(0, 2, N).astype(np.int32)

    audit, _ = audited(two_groups({"copy": a * 2.0 - 1, "x": rng.standard_normal(N)}, a), lambda x: x["copy"])

    row = by_feature(audit)["copy"]
    assert (row.role, row.encodes.auc) == ("proxy", 1.0)
    assert "a copy of it" in (row.note or "")
    assert row.contribution.estimate == pytest.approx(1.0, abs=0.1)


def test_duplicate_column_is_one_block_with_the_whole_part() -> None:
    rng = np.random.default_rng(2)
    a = rng.integers(0, 2, N).astype(np.int32)
    values = rng.standard_normal(N) + 1.5 * a

    audit, findings = audited(two_groups({"x": values, "y": values.copy()}, a), lambda x: (x["x"] + x["y"]) / 2 - 0.7)

    rows = by_feature(audit)
    assert rows["x"].block == rows["y"].block == ["x", "y"]
    assert rows["x"].contribution == rows["y"].contribution
    assert len(findings) == 1


def test_group_of_three_rows_is_left_out_and_named() -> None:
    rng = np.random.default_rng(3)
    a = rng.integers(0, 2, N).astype(np.int32)
    a[:3] = 2
    data = ProxyData({"x": rng.standard_normal(N) + (a == 1)}, attributes={"A": (a, ("0", "1", "rare"))})

    audit, _ = audited(data, by_x)

    assert by_feature(audit)["x"].role == "proxy"
    assert any("rare (n = 3)" in note for note in audit.notes)


@pytest.mark.parametrize("rows", [0, 1, 2, 59])
def test_too_few_rows_are_not_assessed_with_the_reason(rows: int) -> None:
    rng = np.random.default_rng(4)

    audit, findings = audited(two_groups({"x": rng.standard_normal(rows)}, np.zeros(rows, np.int32)), by_x)

    assert [finding.estimate for finding in findings] == [None]
    assert "fewer than two groups have 30 rows" in findings[0].message
    assert audit.features == []


def test_columns_of_another_length_are_refused_by_name() -> None:
    with pytest.raises(LengthMismatch, match="'short' has 5 entries where the rows are 9"):
        two_groups({"short": np.zeros(5)}, np.zeros(9, np.int32))


def test_ten_thousand_levels_are_answered_in_bounded_time() -> None:
    """A random id of 10,000 levels does not encode, and neither blocks nor searches grow with levels squared."""
    rng = np.random.default_rng(5)
    n = 20_000
    a = rng.integers(0, 2, n).astype(np.int32)
    columns: Columns = {
        "id": np.array([f"p{i}" for i in rng.integers(0, 10_000, n)], object),
        "other": rng.integers(0, 10_000, n) * 1.0,
        "x": rng.standard_normal(n) + 1.2 * a,
    }

    started = time.process_time()
    audit, _ = audited(two_groups(columns, a, categorical=frozenset({"other"})), by_x)

    assert roles(audit) == {"id": "neutral", "other": "neutral", "x": "proxy"}
    assert time.process_time() - started < 60


@pytest.mark.parametrize("count", [60, pytest.param(500, marks=pytest.mark.slow)])
def test_many_columns_are_answered_in_bounded_time(count: int) -> None:
    rng = np.random.default_rng(6)
    n = 2_000
    a = rng.integers(0, 2, n).astype(np.int32)
    columns: Columns = {f"n{i:03}": rng.standard_normal(n) for i in range(count - 1)} | {
        "x": rng.standard_normal(n) + 2.0 * a
    }

    started = time.process_time()
    audit, _ = audited(two_groups(columns, a), by_x)

    found = roles(audit)
    assert found.pop("x") == "proxy"
    assert set(found.values()) == {"neutral"}
    assert time.process_time() - started < 10 + count / 5
