"""The part of a gap that declared factors explain."""

import numpy as np
import pytest
from numpy.typing import NDArray
from planted_proxies import Columns, audited, two_groups

from evenhand.auditors.errors import LengthMismatch
from evenhand.auditors.proxies import ProxyData
from evenhand.auditors.proxies.explained import split_gap

N = 8_000


def hiring(seed: int, *, penalty: float) -> tuple[Columns, NDArray[np.int32], NDArray[np.float64]]:
    """Group 1 has more years of experience by 2 of 10; decisions follow the years, and `penalty` the group itself."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 2, N).astype(np.int32)
    years = rng.binomial(10, 0.4 + 0.2 * a).astype(float)
    return {"years": years}, a, years + rng.standard_normal(N) + penalty * a - 5


def test_gap_is_split_as_a_hand_count_says() -> None:
    """High: 60 of 80 and 5 of 20; low: 30 of 40 and 15 of 60. Rates are alike in each cell, so all is explained."""
    counts = np.array([[[[20, 60], [10, 30]], [[15, 5], [45, 15]]]], dtype=float)

    split = split_gap(counts)

    assert split.explained[0] == pytest.approx(0.65 - 0.45)
    assert split.unexplained[0] == pytest.approx(0)


def test_parts_sum_to_the_gap_where_cells_have_one_group_only() -> None:
    counts = np.array([[[[20, 60], [10, 30]], [[15, 5], [0, 0]], [[0, 0], [45, 15]]]], dtype=float)

    split = split_gap(counts)

    assert split.outside[0] == pytest.approx(5 / 100 - 15 / 100)
    assert (split.explained + split.unexplained + split.outside)[0] == pytest.approx(65 / 100 - 45 / 100)


def test_gap_by_experience_alone_is_explained() -> None:
    columns, a, scores = hiring(1, penalty=0.0)

    audit, _ = audited(two_groups(columns, a, legitimate=columns), None, scores=scores)

    found = audit.explained[0]
    assert found.gap == pytest.approx(audit.gap["A"])
    assert (found.unexplained.low or 0) < 0 < (found.unexplained.high or 0)
    assert (found.explained.low or 0) > 0.05


def test_gap_that_experience_does_not_explain_is_told() -> None:
    columns, a, scores = hiring(2, penalty=1.5)

    audit, _ = audited(two_groups(columns, a, legitimate=columns), None, scores=scores)

    found = audit.explained[0]
    assert (found.unexplained.low or 0) > 0.05
    parts = (found.explained, found.unexplained, found.outside_common_support)
    assert sum(part.estimate or 0 for part in parts) == pytest.approx(found.gap)
    assert found.common_support > 0.95  # few have none or all of the years
    assert any("declared legitimate" in note for note in audit.notes)


def test_factor_of_another_length_is_refused() -> None:
    with pytest.raises(LengthMismatch, match="legitimate factor years"):
        two_groups({"x": np.zeros(3)}, np.zeros(3, np.int32), legitimate={"years": np.zeros(2)})


def small_group() -> ProxyData:
    """40 of 2,400 rows: enough to compare, too few once the rows are halved."""
    rng = np.random.default_rng(4)
    a = (np.arange(2_400) < 40).astype(np.int32)
    return two_groups({"x": rng.standard_normal(2_400)}, a, legitimate={"years": rng.integers(0, 5, 2_400)})


def test_attribute_whose_gap_is_not_split_is_named_with_the_reason() -> None:
    audit, _ = audited(small_group(), lambda x: x["x"])

    assert audit.explained == []
    assert (
        "A: the gap is not split by declared factors: fewer than 30 rows a group on one half of the data."
        in audit.notes
    )


def test_without_decisions_no_gap_is_split_and_a_note_says_so() -> None:
    audit, _ = audited(small_group(), None)

    assert "A: the gap is not split by declared factors: no decisions are known." in audit.notes


@pytest.mark.slow
def test_interval_of_the_unexplained_part_covers_none_where_there_is_none() -> None:
    """At .95, 46 or fewer of 60 have a chance under 1e-6."""
    covered = 0
    for seed in range(60):
        columns, a, scores = hiring(100 + seed, penalty=0.0)
        audit, _ = audited(two_groups(columns, a, legitimate=columns), None, scores=scores)
        part = audit.explained[0].unexplained
        covered += (part.low or 0) <= 0 <= (part.high or 0)

    assert covered > 50
