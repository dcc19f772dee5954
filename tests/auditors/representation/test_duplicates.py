"""Rows that are there twice, counted by hand."""

import numpy as np

from evenhand.auditors.representation import RowIdentity, Training, audit_representation
from evenhand.auditors.representation.duplicates import duplicate_rows, shared_rows

SEX = (np.array([0, 0, 0, 1, 1, 1], np.int32), ("F", "M"))


def test_rows_that_repeat_an_earlier_one_are_counted() -> None:
    """a a b a c b: a twice more, b once more."""
    found = duplicate_rows(RowIdentity(("x",), np.array([0, 0, 1, 0, 2, 1])))

    assert (found.repeated, found.distinct, found.largest) == (3, 3, 3)


def test_rows_of_another_file_are_looked_for_in_all_and_by_group() -> None:
    codes = np.array([0, 0, 1, 0, 2, 1])
    training = Training("train.csv", np.array([0, 0, 7]), ("x",), codes)
    identity = RowIdentity(("x", "score"), np.arange(6), (training,))

    (found,) = shared_rows(identity, {"sex": SEX}, level=0.95)

    assert (found.train, found.train_rows, found.test_rows, found.shared) == ("train.csv", 3, 6, 3)
    assert [(row.group, row.shared, row.n) for row in found.by_group] == [({"sex": "F"}, 2, 3), ({"sex": "M"}, 1, 3)]


def test_only_the_part_that_is_not_training_is_looked_for() -> None:
    codes = np.array([0, 0, 1, 0, 2, 1])
    test = np.array([False, False, False, True, True, True])
    identity = RowIdentity(("x",), codes, (Training("train", codes[:3], ("x",), codes, test, "test"),))

    (found,) = shared_rows(identity, {}, level=0.95)

    assert (found.test, found.test_rows, found.shared) == ("test", 3, 2)


def test_audit_without_row_identity_says_nothing_of_duplicates() -> None:
    audit, _ = audit_representation({"sex": SEX}, label=None, missing_by_column={})

    assert (audit.duplicates, audit.shared) == (None, None)


def test_no_rows_have_no_duplicates() -> None:
    assert duplicate_rows(RowIdentity(("x",), np.zeros(0, np.int64))).largest == 0
