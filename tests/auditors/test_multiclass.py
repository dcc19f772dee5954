"""Three classes by group: numbers counted by hand, the gap by Miettinen and Nurminen, error over the classes by Holm."""

import numpy as np
import pytest
from numpy.typing import NDArray

from evenhand.auditors.counting.confusion import ConfusionTable
from evenhand.auditors.intervals import difference_interval, tukey_z
from evenhand.auditors.multiclass import audit_multiclass
from evenhand.auditors.report import ClassGap, Multiclass
from evenhand.auditors.verdict import Verdict

CLASSES = ("no", "later", "yes")
# label by prediction; women labelled yes are found in 40 of 100, men in 80 of 100; all else is alike
WOMEN = [[90, 5, 5], [10, 80, 10], [30, 30, 40]]
MEN = [[90, 5, 5], [10, 80, 10], [10, 10, 80]]


def audited(
    *matrices: list[list[int]], values: tuple[str | None, ...] = ("F", "M"), favourable: str | None = "yes"
) -> Multiclass:
    rows: NDArray[np.int64] = np.array(matrices)
    classes = CLASSES if rows.shape[1] == 3 else tuple(map(str, range(rows.shape[1])))
    table = ConfusionTable(("sex",), (values,), classes, rows)
    return audit_multiclass(table, label="y", prediction="yhat", favourable=favourable)


def gap(document: Multiclass, name: str) -> ClassGap:
    return next(each for each in document.gaps if each.name == name)


def test_counts_and_rates_of_a_class_are_counted_by_hand() -> None:
    document = audited(WOMEN, MEN)

    yes = document.by_class[2]
    women, men = yes.attributes[0].groups
    assert (yes.name, yes.favourable, yes.labelled, yes.predicted) == ("yes", True, 200, 150)
    assert (women.counts.tp, women.counts.fp, women.counts.fn, women.counts.tn) == (40, 15, 60, 185)
    assert women.metrics["true_positive_rate"].estimate == 0.4
    assert men.metrics["precision"].estimate == pytest.approx(80 / 95)
    assert women.metrics["accuracy"].estimate == pytest.approx(225 / 300)
    assert [each.accuracy.estimate for each in document.accuracy] == [
        pytest.approx(210 / 300),
        pytest.approx(250 / 300),
    ]
    assert document.confusion == [[180, 10, 10], [20, 160, 20], [40, 40, 120]]


def test_the_class_that_is_found_less_often_in_one_group_is_proven() -> None:
    document = audited(WOMEN, MEN)

    found = gap(document, "yes")
    expected = difference_interval(80, 100, 40, 100, z=tukey_z(2, level=1 - 0.05 / 3))
    assert (found.group, found.reference) == ({"sex": "M"}, {"sex": "F"})
    assert (found.estimate, found.level) == (pytest.approx(0.4), pytest.approx(1 - 0.05 / 3))
    assert (found.low, found.high) == (pytest.approx(expected.low[0]), pytest.approx(expected.high[0]))
    assert found.verdict is Verdict.PROVEN_DISPARITY
    assert "needs a justification" in found.message
    assert [gap(document, name).verdict for name in ("no", "later")] == [Verdict.INCONCLUSIVE] * 2


def test_after_one_proven_class_the_next_is_tested_at_a_wider_level() -> None:
    both = [[40, 30, 30], [10, 80, 10], [30, 30, 40]]

    document = audited(both, MEN)

    levels = sorted(each.level for each in document.gaps)
    assert levels == [pytest.approx(0.95), pytest.approx(0.975), pytest.approx(1 - 0.05 / 3)]
    assert [gap(document, name).verdict for name in CLASSES] == [
        Verdict.PROVEN_DISPARITY,
        Verdict.INCONCLUSIVE,
        Verdict.PROVEN_DISPARITY,
    ]


def test_a_class_without_rows_in_one_group_is_said_not_to_be_comparable() -> None:
    document = audited([[50, 10, 0], [5, 50, 0], [0, 0, 0]], MEN)

    found = gap(document, "yes")
    assert (found.estimate, found.p_value, found.verdict) == (None, 1, Verdict.INCONCLUSIVE)
    assert "nothing can be said" in found.message
    assert document.by_class[2].attributes[0].groups[0].metrics["true_positive_rate"].reason is not None


def test_small_and_unknown_groups_are_listed_and_left_out_of_the_gap() -> None:
    tiny = [[5, 0, 0], [0, 5, 0], [5, 5, 0]]

    document = audited(WOMEN, MEN, tiny, tiny, values=("F", "M", "X", None))

    groups = document.by_class[2].attributes[0].groups
    assert [(each.small, each.unknown) for each in groups[2:]] == [(True, False), (True, True)]
    assert gap(document, "yes").estimate == pytest.approx(0.4)


def test_without_a_declared_class_none_is_favourable() -> None:
    assert not any(each.favourable for each in audited(WOMEN, MEN, favourable=None).by_class)


def test_an_intersection_with_too_many_groups_is_named_and_left_out() -> None:
    rows = np.ones((40, 40, 3, 3), dtype=np.int64)
    values = tuple(map(str, range(40)))
    table = ConfusionTable(("a", "b"), (values, values), CLASSES, rows)

    document = audit_multiclass(table, label="y", prediction="yhat", favourable=None, depth=2)

    assert {each.attribute for each in document.gaps} == {"a", "b"}
    assert document.notes == ["a × b is left out: 4,800 groups by class are too many to list."]


def test_equal_groups_at_the_tolerance_are_rarely_accused() -> None:
    """Four classes, each found .1 less often in one group: a claim on any of them is false."""
    rng = np.random.default_rng(0)
    accused = 0

    for _ in range(200):
        matrices = []
        for rate in (0.6, 0.5):
            right = rng.binomial(80, rate, size=4)
            matrix = np.diag(right)
            matrix[np.arange(4), (np.arange(4) + 1) % 4] = 80 - right
            matrices.append(matrix.tolist())
        document = audited(*matrices)
        accused += any(each.verdict is Verdict.PROVEN_DISPARITY for each in document.gaps)

    assert accused / 200 <= 0.05
