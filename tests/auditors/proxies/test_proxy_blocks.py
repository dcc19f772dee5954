"""Blocks that are declared, and one-hot columns that are one variable."""

import numpy as np
import pytest
from numpy.typing import NDArray
from planted_proxies import audited, by_feature, known_model, known_score, two_groups

from evenhand.auditors.errors import UnusableBlock
from evenhand.auditors.proxies.blocks import find_blocks
from evenhand.auditors.proxies.columns import code_column

N = 4_000


def blocks_of(**columns: NDArray[np.float64]) -> list[tuple[str, ...]]:
    coded = [code_column(name, values) for name, values in columns.items()]
    return [block.members for block in find_blocks(coded, np.arange(len(coded[0].codes)))]


def test_declared_block_is_one_thing_with_a_name() -> None:
    columns, a = known_model(N, 0)

    audit, findings = audited(two_groups(columns, a, blocks={"pair": ("x5", "x6")}), known_score)

    rows = by_feature(audit)
    assert rows["x5"].block == ["x5", "x6"]
    assert rows["x5"].block_name == "pair"
    assert rows["x5"].role == rows["x6"].role == "proxy"  # together they encode, and together they are one
    assert audit.sets == []
    assert [finding.id for finding in findings if "pair" in finding.id] == ["proxy/contribution/A/pair"]


def test_declared_block_has_the_sum_of_its_members_parts() -> None:
    columns, a = known_model(N, 1)

    audit, _ = audited(two_groups(columns, a, blocks={"all": ("x1", "x7")}), known_score)

    assert by_feature(audit)["x1"].contribution.estimate == pytest.approx(0.294 - 0.109, abs=0.05)


@pytest.mark.parametrize(
    ("blocks", "problem"),
    [
        ({"pair": ("x1", "x9")}, "names 'x9', which is no feature. The features are: x1, x2"),
        ({"x1": ("x1", "x2")}, "is called like a feature"),
        ({"one": ("x1",)}, "has 1 feature"),
        ({"one": ("x1", "x2"), "two": ("x2", "x1")}, "is in block 'one' too"),
    ],
)
def test_block_that_cannot_be_is_refused(blocks: dict[str, tuple[str, ...]], problem: str) -> None:
    columns = {"x1": np.zeros(3), "x2": np.zeros(3)}

    with pytest.raises(UnusableBlock, match=problem):
        two_groups(columns, np.zeros(3, np.int32), blocks=blocks)


def test_one_hot_columns_with_a_dropped_level_are_one_variable() -> None:
    """Two thirds of the rows have none set."""
    level = np.random.default_rng(1).choice(4, N, p=[0.66, 0.14, 0.1, 0.1])

    assert blocks_of(**{f"c_{i}": (level == i).astype(float) for i in (1, 2, 3)}) == [("c_1", "c_2", "c_3")]


def test_shorter_prefix_wins_where_the_levels_have_the_separator_too() -> None:
    level = np.random.default_rng(2).integers(0, 4, N)
    names = ("race_white_a", "race_white_b", "race_black", "race_other")

    columns = {name: (level == i).astype(float) for i, name in enumerate(names)}

    assert blocks_of(**columns) == [tuple(sorted(names))]


def test_two_variables_of_one_family_stay_two() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.integers(0, 3, (2, N))
    columns = {f"p_a_{i}": (one == i).astype(float) for i in range(3)}
    columns |= {f"p_b_{i}": (other == i).astype(float) for i in range(3)}

    assert blocks_of(**columns) == [("p_a_0", "p_a_1", "p_a_2"), ("p_b_0", "p_b_1", "p_b_2")]


def test_flags_that_meet_are_not_one_variable() -> None:
    rng = np.random.default_rng(4)
    columns = {f"had_{name}": (rng.random(N) < 0.2).astype(float) for name in ("flu", "cold")}

    assert blocks_of(**columns) == [("had_cold",), ("had_flu",)]


def test_rare_flags_that_never_met_are_not_one_variable() -> None:
    """Independent ones would have met in less than one row."""
    rows = np.arange(N)

    assert len(blocks_of(had_flu=(rows < 50).astype(float), had_cold=((rows >= 50) & (rows < 100)).astype(float))) == 2
