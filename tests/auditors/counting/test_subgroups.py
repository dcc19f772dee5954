from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.auditors.counting import subgroups
from evenhand.auditors.counting.subgroups import SubgroupCounts, subgroup_counts
from evenhand.auditors.counts import Attribute
from evenhand.auditors.errors import LengthMismatch, TooManyCells


def random_attributes(rng: np.random.Generator, n: int, sizes: tuple[int, ...]) -> list[Attribute]:
    return [
        Attribute(f"a{i}", rng.integers(0, size, n).astype(np.int32), tuple(map(str, range(size))))
        for i, size in enumerate(sizes)
    ]


def by_group(counts: SubgroupCounts) -> dict[tuple[tuple[str, str | None], ...], tuple[int, ...]]:
    rows = zip(counts.n, counts.tp, counts.fp, counts.fn, counts.tn, strict=True)
    return {tuple(counts.group(at).items()): tuple(map(int, row)) for at, row in enumerate(rows)}


def counted_row_by_row(
    attributes: list[Attribute], label: np.ndarray, prediction: np.ndarray, depth: int
) -> dict[tuple[tuple[str, str | None], ...], tuple[int, ...]]:
    """The definition, slowly: one mask a subgroup."""
    found = {}
    for size in range(1, depth + 1):
        for chosen in combinations(attributes, size):
            for combination in sorted({tuple(int(a.codes[i]) for a in chosen) for i in range(len(label))}):
                inside = np.ones(len(label), dtype=bool)
                for attribute, code in zip(chosen, combination, strict=True):
                    inside &= attribute.codes == code
                key = tuple((a.name, a.values[code]) for a, code in zip(chosen, combination, strict=True))
                y, p = label[inside], prediction[inside]
                cells = ((y & p), (~y & p), (y & ~p), (~y & ~p))
                found[key] = (int(inside.sum()), *(int(cell.sum()) for cell in cells))
    return found


@pytest.mark.parametrize("cells_a_pass", [8, 64, 2**19])
@given(seed=st.integers(0, 1000), n=st.integers(1, 80), depth=st.integers(1, 4))
def test_every_subgroup_is_counted_as_row_by_row(cells_a_pass: int, seed: int, n: int, depth: int) -> None:
    rng = np.random.default_rng(seed)
    attributes = random_attributes(rng, n, (2, 3, 4, 2))
    label, prediction = rng.random(n) < 0.5, rng.random(n) < 0.5

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(subgroups, "CELLS_A_PASS", cells_a_pass)
        counts = subgroup_counts(attributes, prediction=prediction, label=label, depth=depth)

    expected = counted_row_by_row(attributes, label, prediction, depth)
    assert by_group(counts) == expected
    assert list(by_group(counts)) == list(expected)


def test_without_labels_the_selected_are_counted() -> None:
    sex = Attribute("sex", np.array([0, 0, 1]), ("F", "M"))

    counts = subgroup_counts([sex], prediction=np.array([1, 0, 1]), depth=3)

    assert not counts.has_labels
    assert (counts.n.tolist(), counts.fp.tolist(), counts.tp.tolist()) == ([2, 1], [1, 1], [0, 0])


def test_a_subgroup_with_a_missing_value_is_unknown() -> None:
    sex = Attribute("sex", np.array([0, 1]), ("F", None))
    race = Attribute("race", np.array([0, 1]), ("a", "b"))

    counts = subgroup_counts([sex, race], prediction=np.array([1, 0]), depth=2)

    unknown = [counts.group(at) for at in np.flatnonzero(counts.unknown)]
    assert unknown == [{"sex": None}, {"sex": None, "race": "b"}]


def test_eight_attributes_to_depth_three_hold_every_triple() -> None:
    rng = np.random.default_rng(0)
    attributes = random_attributes(rng, 50_000, (2, 2, 3, 3, 4, 4, 5, 5))
    sizes = [len(a.values) for a in attributes]

    counts = subgroup_counts(attributes, prediction=np.ones(50_000, dtype=np.int8), depth=3)

    expected = [sum(int(np.prod(c)) for c in combinations(sizes, size)) for size in (1, 2, 3)]
    assert np.bincount(counts.depth, minlength=4).tolist() == [0, *expected]
    assert [int(counts.n[counts.depth == d].sum()) for d in (1, 2, 3)] == [8 * 50_000, 28 * 50_000, 56 * 50_000]


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(LengthMismatch, match="'sex' has 3 entries"):
        subgroup_counts([Attribute("sex", np.zeros(3, dtype=int), ("F",))], prediction=np.zeros(2, dtype=int))


def test_too_many_combinations_are_refused() -> None:
    wide = [Attribute(f"c{i}", np.zeros(1, dtype=int), tuple(map(str, range(400)))) for i in range(3)]

    with pytest.raises(TooManyCells, match="c0 × c1 × c2"):
        subgroup_counts(wide, prediction=np.zeros(1, dtype=int), depth=3)
