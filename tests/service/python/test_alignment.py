"""Columns handed in side by side: paired by position, and refused where their indexes say otherwise."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import evenhand
from evenhand.auditors.errors import LengthMismatch
from evenhand.service.audits.errors import BadArgument

ROWS = 400
PEOPLE = pd.DataFrame(
    {
        "y": [1, 0] * (ROWS // 2),
        "p": [1] * (ROWS // 2) + [0] * (ROWS // 2),
        "g": ["a"] * (ROWS // 2) + ["b"] * (ROWS // 2),
        "w": [1.0] * ROWS,
    }
)
TURNED = PEOPLE.iloc[::-1]


def audited(**columns: Any) -> Any:
    return evenhand.audit(**columns, only="group_disparity").by_group["selection_rate"]


def framed(**columns: Any) -> Any:
    return evenhand.MetricFrame(metrics=["selection_rate"], **columns).by_group["selection_rate"]


BOTH = pytest.mark.parametrize("rates", [audited, framed])


def handed_in(**others: Any) -> dict[str, Any]:
    return {"y_true": PEOPLE.y, "y_pred": PEOPLE.p, "sensitive_features": PEOPLE.g, **others}


@BOTH
@pytest.mark.parametrize(
    ("others", "named"),
    [
        ({"y_pred": TURNED.p}, "y_pred"),
        ({"sensitive_features": TURNED.g}, "sensitive_features"),
        ({"sensitive_features": TURNED[["g"]]}, "sensitive_features"),
        ({"sensitive_features": {"g": TURNED.g}}, "sensitive_features 'g'"),
        ({"sample_weight": TURNED.w}, "sample_weight"),
        ({"control_features": TURNED.w}, "control_features"),
    ],
)
def test_other_indexes_are_refused_with_both_names_and_the_row(
    rates: Callable[..., Any], others: dict[str, Any], named: str
) -> None:
    with pytest.raises(BadArgument) as refused:
        rates(**handed_in(**others))

    assert str(refused.value) == (
        f"{named}: its index is not that of y_true: row 1 is 399 here and 0 there. Use .reset_index(drop=True) or .to_numpy() "
        "on both if the order is right, else bring them into one order."
    )


def test_weights_of_single_metrics_are_looked_at_too() -> None:
    with pytest.raises(
        BadArgument, match="sample_params 'selection_rate' 'sample_weight': its index is not that of y_true"
    ):
        framed(**handed_in(sample_params={"selection_rate": {"sample_weight": TURNED.w}}))


def test_a_column_beside_data_must_have_its_index() -> None:
    with pytest.raises(BadArgument, match="y_pred: its index is not that of data"):
        audited(data=PEOPLE, y_true="y", y_pred=TURNED.p, sensitive_features="g")


@BOTH
@pytest.mark.parametrize(
    "others",
    [
        {"y_pred": PEOPLE.p.set_axis(range(ROWS))},
        {"y_pred": TURNED.p[::-1]},
        {"y_pred": PEOPLE.p.to_numpy(), "sensitive_features": PEOPLE.g.tolist()},
        {"y_pred": pa.array(PEOPLE.p)},
        {
            "y_true": PEOPLE.y.to_numpy(),
            "y_pred": np.array(PEOPLE.p),
            "sensitive_features": PEOPLE.g.set_axis(range(9, ROWS + 9)),
        },
    ],
)
def test_equal_indexes_and_columns_without_one_are_paired_by_position(
    rates: Callable[..., Any], others: dict[str, Any]
) -> None:
    assert rates(**handed_in(**others)).to_dict() == {"a": 1.0, "b": 0.0}


@BOTH
def test_another_length_is_said_to_be_one(rates: Callable[..., Any]) -> None:
    with pytest.raises(LengthMismatch):
        rates(**handed_in(y_pred=PEOPLE.p.iloc[1:]))
