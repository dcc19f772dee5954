import numpy as np
import pyarrow as pa

from evenhand.datasets.identity import picture_codes, row_codes
from evenhand.datasets.table import Table


def table(**columns: object) -> Table:
    return Table("t", pa.table(columns), None, "0" * 64)


def test_equal_rows_share_a_code_and_others_do_not() -> None:
    (codes,) = row_codes([table(a=[1, 1, 2, 1, None, None], b=["x", "x", "x", "y", None, None])], ["a", "b"])

    assert codes[0] == codes[1]
    assert codes[4] == codes[5]
    assert len(set(codes.tolist())) == 4


def test_codes_hold_over_tables_also_where_types_differ() -> None:
    """A number in one file may be text in another."""
    one, other = row_codes([table(a=[1, 2], b=["x", "y"]), table(a=["2", "3"], b=["y", "y"])], ["a", "b"])

    assert one[1] == other[0]
    assert len({*one.tolist(), *other.tolist()}) == 3


def test_very_many_levels_do_not_run_over() -> None:
    """Five columns of 10,000 levels have 10^20 combinations, more than 64 bits tell apart."""
    values = np.arange(10_000)
    rows = np.concatenate([values, values])

    (codes,) = row_codes([table(**dict.fromkeys("abcde", rows))], list("abcde"))

    assert np.array_equal(codes[:10_000], codes[10_000:])
    assert len(set(codes.tolist())) == 10_000


def test_equal_pictures_share_a_code() -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (4, 8, 8, 3)).astype(np.uint8)

    one, other = picture_codes([pictures, pictures[[2]]])

    assert len(set(one.tolist())) == 4
    assert other[0] == one[2]


def test_empty_table_has_no_codes() -> None:
    (codes,) = row_codes([table(a=pa.array([], pa.int64()))], ["a"])

    assert len(codes) == 0
