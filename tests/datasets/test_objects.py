import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.datasets import objects
from evenhand.datasets.groups import encode
from evenhand.datasets.objects import column_of_objects
from evenhand.datasets.place import Place

PLACE = Place("rows", "sex")


def distinct(text: str) -> str:
    """An equal text that is another object."""
    return "".join(list(text))


@given(
    levels=st.lists(st.one_of(st.none(), st.just(float("nan")), st.text(max_size=3)), min_size=1, max_size=6),
    n=st.integers(0, 60),
    seed=st.integers(0, 1000),
)
def test_shared_objects_are_read_as_every_row_would_be(levels: list[object], n: int, seed: int) -> None:
    values = np.array([*levels, None], dtype=object)[np.random.default_rng(seed).integers(0, len(levels), n)]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(objects, "SAMPLE_ROWS", 1)
        patched.setattr(objects, "MOST_DISTINCT_OF_SAMPLE", 100)
        column = column_of_objects(values)

    assert column.to_pylist() == pa.array(values, from_pandas=True).to_pylist()


def test_many_rows_of_few_objects_are_a_dictionary() -> None:
    values = np.array(["Female", "Male"], dtype=object)[np.arange(30_000) % 2]

    column = column_of_objects(values[::3])

    assert pa.types.is_dictionary(column.type)
    assert column.to_pylist() == values[::3].tolist()


def test_rows_with_an_object_each_are_read_one_by_one() -> None:
    values = np.array([distinct("Female") for _ in range(10_000)], dtype=object)

    column = column_of_objects(values)

    assert column.type == pa.string()
    assert column.to_pylist() == values.tolist()


def test_equal_texts_in_different_objects_are_one_group() -> None:
    values = np.array(["Female", distinct("Female"), "Male", None], dtype=object)[np.arange(10_000) % 4]

    groups = encode(pa.chunked_array([column_of_objects(values)]), PLACE)

    assert groups.values == ("Female", "Male", None)
    assert groups.codes[:4].tolist() == [0, 0, 1, 2]


def test_values_of_several_types_are_refused_as_arrow_refuses_them() -> None:
    values = np.array(["a", 1], dtype=object)[np.arange(10_000) % 2]

    with pytest.raises((pa.ArrowInvalid, pa.ArrowTypeError)):
        column_of_objects(values)
