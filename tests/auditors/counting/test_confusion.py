import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, multilabel_confusion_matrix

from evenhand.auditors.counting.confusion import ConfusionTable, count_confusion
from evenhand.auditors.counts import Attribute, count
from evenhand.auditors.errors import LengthMismatch, TooManyCells

CLASSES = ("no", "later", "yes")


def random_rows(seed: int, n: int) -> tuple[Attribute, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return Attribute("sex", rng.integers(0, 2, n), ("F", "M")), rng.integers(0, 3, n), rng.integers(0, 3, n)


def counted(seed: int, n: int, part: slice = slice(None)) -> ConfusionTable:
    sex, label, prediction = random_rows(seed, n)
    sex = Attribute(sex.name, sex.codes[part], sex.values)
    return count_confusion([sex], classes=CLASSES, label=label[part], prediction=prediction[part])


@given(seed=st.integers(0, 1000), n=st.integers(1, 80))
def test_every_groups_matrix_is_scikit_learns(seed: int, n: int) -> None:
    sex, label, prediction = random_rows(seed, n)

    table = counted(seed, n)

    for code in (0, 1):
        inside = sex.codes == code
        if inside.any():
            expected = confusion_matrix(label[inside], prediction[inside], labels=[0, 1, 2])
            np.testing.assert_array_equal(table.rows[code], expected)


@given(seed=st.integers(0, 1000), n=st.integers(1, 80))
def test_one_class_against_the_rest_is_scikit_learns(seed: int, n: int) -> None:
    _, label, prediction = random_rows(seed, n)
    expected = multilabel_confusion_matrix(label, prediction, labels=[0, 1, 2])

    table = counted(seed, n)

    for index in range(3):
        np.testing.assert_array_equal(table.one_vs_rest(index).rows.sum(axis=0), expected[index])


@given(seed=st.integers(0, 1000), n=st.integers(0, 80), cut=st.integers(0, 80))
def test_merged_counts_equal_counts_of_merged_rows(seed: int, n: int, cut: int) -> None:
    whole = counted(seed, n)

    merged = counted(seed, n, slice(cut)) + counted(seed, n, slice(cut, None))

    np.testing.assert_array_equal(merged.rows, whole.rows)


def test_one_vs_rest_of_weighted_rows_is_the_weighted_count_of_that_class() -> None:
    sex, label, prediction = random_rows(0, 500)
    weight = np.random.default_rng(1).integers(1, 5, 500) / 4

    table = count_confusion([sex], classes=CLASSES, label=label, prediction=prediction, weight=weight)

    direct = count([sex], label=label == 2, prediction=prediction == 2, weight=weight)
    for one, other in ((table.one_vs_rest(2).weights, direct.weights), (table.one_vs_rest(2).squares, direct.squares)):
        np.testing.assert_array_equal(one, other)


def test_a_row_that_stands_for_several_counts_as_often() -> None:
    sex, label, prediction = random_rows(0, 60)
    times = np.random.default_rng(1).integers(1, 4, 60)
    weight = np.arange(60) / 4
    repeated = Attribute(sex.name, np.repeat(sex.codes, times), sex.values)
    each = np.repeat(weight / times, times)

    table = count_confusion(
        [sex], classes=CLASSES, label=label, prediction=prediction, times=times, weight=weight, square=weight**2 / times
    )

    label, prediction = np.repeat(label, times), np.repeat(prediction, times)
    rows = count_confusion([repeated], classes=CLASSES, label=label, prediction=prediction, weight=each)
    np.testing.assert_array_equal(table.rows, rows.rows)
    np.testing.assert_allclose(table.weights, rows.weights)
    np.testing.assert_allclose(table.squares, rows.squares)


def test_right_predictions_are_the_diagonal() -> None:
    table = counted(3, 200)

    right = table.right_or_wrong()

    np.testing.assert_array_equal(right.rows[:, 0, 1], [np.trace(matrix) for matrix in table.rows])
    assert right.rows.sum() == 200


def test_tables_of_different_classes_cannot_be_added() -> None:
    other = ConfusionTable(("sex",), (("F", "M"),), ("a", "b", "c"), np.zeros((2, 3, 3), dtype=np.int64))

    with pytest.raises(ValueError, match="cannot be added"):
        counted(0, 5) + other


def test_columns_of_unequal_length_are_refused() -> None:
    sex, label, prediction = random_rows(0, 5)

    with pytest.raises(LengthMismatch, match="'label' has 4 entries"):
        count_confusion([sex], classes=CLASSES, label=label[:4], prediction=prediction)


def test_too_many_classes_are_refused_before_memory_is_taken() -> None:
    sex, label, prediction = random_rows(0, 5)

    with pytest.raises(TooManyCells, match="sex × label × prediction"):
        count_confusion([sex], classes=[str(i) for i in range(5000)], label=label, prediction=prediction)
