"""How a feature is read: dates by number and calendar, numbers as codes, and identifiers without flattery."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from planted_proxies import audited, by_feature, two_groups

from evenhand.auditors.proxies.columns import code_date

N = 4_000


def zeros(x: Any) -> NDArray[np.float64]:
    return np.zeros(len(next(iter(x.values()))))


def test_parts_of_a_date_are_those_of_the_calendar() -> None:
    """1969-12-31 was a Wednesday, 2000-02-29 a Tuesday; a time of day changes neither."""
    days = np.array([-0.5, 11_016.75, np.nan])

    year, month, weekday = code_date("day", days).calendar

    assert (year.codes.tolist(), month.codes.tolist(), weekday.codes.tolist()) == ([0, 1, 2], [1, 0, 2], [1, 0, 2])


def test_weekday_can_encode_where_the_date_does_not() -> None:
    rng = np.random.default_rng(1)
    a = rng.integers(0, 2, N).astype(np.int32)
    weekday = np.where(rng.random(N) < 0.2, rng.integers(0, 7, N), np.where(a == 1, 5, rng.integers(0, 5, N)))
    applied = 7.0 * rng.integers(1_000, 2_600, N) + weekday

    audit, _ = audited(two_groups({"applied": applied}, a, dates=frozenset({"applied"})), zeros)

    row = by_feature(audit)["applied"]
    assert row.role == "latent_proxy"
    assert (row.encodes.auc or 0) > 0.85
    assert "its weekday encodes" in (row.note or "")
    assert (audit.leakage[0].features.auc or 0) > 0.85


def test_date_of_birth_encodes_by_its_order() -> None:
    rng = np.random.default_rng(2)
    a = rng.integers(0, 2, N).astype(np.int32)
    born = np.floor(rng.normal(3_000, 2_000, N) + 3_000 * a)

    audit, _ = audited(two_groups({"born": born}, a, dates=frozenset({"born"})), zeros)

    assert by_feature(audit)["born"].encodes.auc == pytest.approx(0.856, abs=0.03)  # Phi(1.5 / sqrt 2)
    assert "encodes" not in (by_feature(audit)["born"].note or "")


def test_dates_without_the_attribute_are_neutral() -> None:
    rng = np.random.default_rng(3)
    columns = {"applied": np.floor(rng.uniform(10_000, 18_000, N))}

    audit, _ = audited(two_groups(columns, rng.integers(0, 2, N).astype(np.int32), dates=frozenset(columns)), zeros)

    assert by_feature(audit)["applied"].role == "neutral"


@pytest.mark.parametrize("as_text", [True, False])
def test_random_id_with_eight_thousand_levels_tells_nothing(as_text: bool) -> None:
    """Five rows a level: rates of the levels themselves would show .76."""
    rng = np.random.default_rng(4)
    numbers = rng.integers(0, 8_000, 40_000)
    ids = np.array([f"p{i}" for i in numbers], object) if as_text else numbers.astype(float)

    audit, _ = audited(two_groups({"id": ids}, rng.integers(0, 2, 40_000).astype(np.int32)), None)

    assert by_feature(audit)["id"].encodes.auc == pytest.approx(0.5, abs=0.01)
    assert by_feature(audit)["id"].role == "neutral"


def test_whole_numbers_are_read_as_codes_too() -> None:
    """Odd numbers are one group: their order says nothing."""
    rng = np.random.default_rng(5)
    a = rng.integers(0, 2, N).astype(np.int32)

    audit, _ = audited(two_groups({"code": 2.0 * rng.integers(0, 40, N) + a}, a), zeros)

    assert (by_feature(audit)["code"].encodes.auc or 0) > 0.99


def test_missing_as_often_in_both_groups_is_no_signal() -> None:
    rng = np.random.default_rng(6)
    income = rng.standard_normal(N)
    income[rng.random(N) < 0.3] = np.nan

    audit, _ = audited(two_groups({"income": income}, rng.integers(0, 2, N).astype(np.int32)), zeros)

    assert by_feature(audit)["income"].role == "neutral"
