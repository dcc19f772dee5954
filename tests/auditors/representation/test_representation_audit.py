import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from evenhand.auditors.errors import LengthMismatch
from evenhand.auditors.representation import audit_representation

SEX = (np.array([0] * 60 + [1] * 30 + [2] * 10, np.int32), ("Female", "Male", None))


def test_shares_and_label_rates_have_wilson_intervals() -> None:
    """statsmodels' Wilson intervals at Bonferroni's level for the three levels of sex: 60 of 100, and 15 of 60."""
    label = np.zeros(100, np.int8)
    label[:15] = 1

    audit, findings = audit_representation({"sex": SEX}, label=label, missing_by_column={}, level=0.95)

    female = audit.attributes[0].shares[0]
    assert (female.share.estimate, female.label_rate.estimate) == (0.6, 0.25)
    share, rate = (proportion_confint(*counts, alpha=0.05 / 3, method="wilson") for counts in ((60, 100), (15, 60)))
    assert (female.share.low, female.share.high) == pytest.approx(share)
    assert (female.label_rate.low, female.label_rate.high) == pytest.approx(rate)
    assert findings == []


def test_missing_values_are_a_group_of_their_own() -> None:
    audit, _ = audit_representation({"sex": SEX}, label=None, missing_by_column={})

    unknown = audit.attributes[0].shares[2]
    assert unknown.group == {"sex": None}
    assert (unknown.n, audit.attributes[0].missing) == (10, 10)
    assert any("sex is missing in 10 of 100 rows" in note for note in audit.notes)


def test_without_labels_the_label_rate_is_undefined_with_a_reason() -> None:
    audit, _ = audit_representation({"sex": SEX}, label=None, missing_by_column={})

    rate = audit.attributes[0].shares[0].label_rate
    assert (rate.estimate, rate.reason) == (None, "there is no label")


def test_rows_without_a_label_are_left_out_of_the_rate() -> None:
    label = np.full(100, -1, np.int8)
    label[:4] = [1, 0, 0, 0]

    audit, _ = audit_representation({"sex": SEX}, label=label, missing_by_column={})

    assert audit.attributes[0].shares[0].label_rate.estimate == 0.25
    assert audit.attributes[0].shares[1].label_rate.reason == "no row of the group has a label"


def test_groups_under_one_per_cent_are_named() -> None:
    codes = np.zeros(1_000, np.int32)
    codes[:5] = 1

    audit, _ = audit_representation({"sex × race": (codes, ("F × a", "M × b"))}, label=None, missing_by_column={})

    assert audit.attributes[0].shares[1].group == {"sex": "M", "race": "b"}
    assert any("M × b (n = 5)" in note and "trained to see" in note for note in audit.notes)


def test_missing_cells_are_counted_by_column() -> None:
    audit, _ = audit_representation({"sex": SEX}, label=None, missing_by_column={"age": 0, "income": 20})

    assert audit.missing_by_column == {"income": 20}
    assert any("income: 20 of 100 values are missing (20 %)" in note for note in audit.notes)


def test_no_rows_leave_every_share_undefined() -> None:
    audit, _ = audit_representation({"sex": (np.zeros(0, np.int32), ("F", None))}, label=None, missing_by_column={})

    assert audit.attributes[0].shares[0].share.reason == "there are no rows"


def test_labels_of_another_length_are_refused() -> None:
    with pytest.raises(LengthMismatch, match="'label' has 3 entries where the rows are 100"):
        audit_representation({"sex": SEX}, label=np.zeros(3, np.int8), missing_by_column={})
