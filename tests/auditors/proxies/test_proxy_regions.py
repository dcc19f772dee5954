"""A proxy that acts in one region: found there by search, confirmed on other rows, and shown to vanish elsewhere."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from planted_proxies import Columns, audited, by_feature, few_of, known_model, known_score, two_groups

from evenhand.auditors.report import ProxyAudit

N = 8_000


def regional(seed: int, *, tied: bool = True) -> tuple[Columns, NDArray[np.int32]]:
    """w encodes the attribute in the north only; not `tied`: it is spread by a coin of its own there."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 2, N).astype(np.int32)
    region = np.array(["north", "east", "south", "west"], object)[rng.integers(0, 4, N)]
    told = a if tied else rng.integers(0, 2, N)
    columns: Columns = {
        "w": rng.standard_normal(N) + 1.6 * told * (region == "north"),
        "x": rng.standard_normal(N),
        "age": np.floor(rng.uniform(18, 70, N)),
        "region": region,
    }
    return columns, a


def weighing_w_and_x(x: Any) -> NDArray[np.float64]:
    scores: NDArray[np.float64] = x["w"] + x["x"] - 0.4
    return scores


def searched(audit: ProxyAudit) -> set[tuple[str, str | None]]:
    return {(row.feature, row.stratum) for row in audit.features if row.stratum is not None}


def test_regional_proxy_is_found_where_it_acts_and_vanishes_elsewhere() -> None:
    audit, _ = audited(two_groups(*regional(1)), weighing_w_and_x)

    assert searched(audit) == {("w", "region = north"), ("w", "outside region = north")}
    inside = by_feature(audit, stratum="region = north")["w"]
    outside = by_feature(audit, stratum="outside region = north")["w"]
    assert inside.role == "proxy"
    assert inside.encodes.auc == pytest.approx(0.871, abs=0.04)  # Phi(1.6 / sqrt 2)
    assert outside.role == "neutral"
    assert outside.encodes.auc == pytest.approx(0.5, abs=0.04)
    assert (inside.contribution.low or 0) > 0.1
    assert "w encodes A where region = north" in " ".join(audit.notes)


def test_feature_spread_by_region_without_the_attribute_is_not_accused() -> None:
    audit, _ = audited(two_groups(*regional(2, tied=False)), weighing_w_and_x)

    assert searched(audit) == set()


def test_region_of_a_number_is_named_by_its_range() -> None:
    rng = np.random.default_rng(3)
    a = rng.integers(0, 2, N).astype(np.int32)
    age = np.floor(rng.uniform(18, 70, N))
    columns: Columns = {"age": age, "w": rng.standard_normal(N) + 2.0 * a * (age >= 57), "x": rng.standard_normal(N)}

    audit, _ = audited(two_groups(columns, a), weighing_w_and_x)

    strata = [stratum for feature, stratum in searched(audit) if feature == "w" and stratum is not None]
    assert any(stratum.startswith("age 5") and stratum.endswith(" to 69") for stratum in strata)


def test_region_in_one_hot_columns_is_named_by_the_column() -> None:
    rng = np.random.default_rng(4)
    columns, a = regional(4)
    region = columns.pop("region")
    columns |= {f"region_{name}": (region == name).astype(float) for name in ("north", "east", "south", "west")}
    columns["x"] = rng.standard_normal(N)

    audit, _ = audited(two_groups(columns, a), weighing_w_and_x)

    assert ("w", "region_north set") in searched(audit)


def test_exclusive_or_is_a_joint_proxy_and_no_region() -> None:
    """In either half of x6 x5 encodes, so that there is no elsewhere."""
    audit, _ = audited(two_groups(*known_model(N, 5)), known_score)

    assert searched(audit) == set()
    assert [found.features for found in audit.sets] == [["x5", "x6"]]


def test_regions_need_rows_to_be_confirmed_on() -> None:
    columns, a = regional(6)
    few = {name: values[:1_500] for name, values in columns.items()}

    audit, _ = audited(two_groups(few, a[:1_500]), weighing_w_and_x)

    assert searched(audit) == set()


@pytest.mark.parametrize("seed", few_of(range(6), always=(0,)))
def test_no_region_is_claimed_where_nothing_is_planted(seed: int) -> None:
    rng = np.random.default_rng(300 + seed)
    columns: Columns = {f"x{i}": rng.standard_normal(3_000) for i in range(12)}
    columns["c"] = np.array(list("abcdef"), object)[rng.integers(0, 6, 3_000)]

    audit, _ = audited(two_groups(columns, rng.integers(0, 2, 3_000).astype(np.int32)), None)

    assert searched(audit) == set()
