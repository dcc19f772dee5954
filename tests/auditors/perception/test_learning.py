"""Learning curves: the lag of the worst cell by hand, planted and fair records, and what a record may lack."""

import numpy as np
import pytest

from evenhand.auditors.perception.learning import LEARNING_TOLERANCE, answer_of, lags_of
from evenhand.auditors.perception.records import LearnedCell, LearningRecord
from evenhand.auditors.verdict import Rule

Counts = dict[tuple[str | None, str], tuple[int, int]]
"""(group, class) to rows held out, and how many of them are right at the epoch kept."""


def recorded(counts: Counts, *, attribute: str = "tone") -> LearningRecord:
    """Two epochs: nothing is right after the first, `counts` after the second, which is kept."""
    cells = [
        LearnedCell(
            part="valid",
            label=label,
            attribute=attribute,
            group=group,
            n=n,
            right=(0, right),
            loss=(1.0, 1 - right / n),
        )
        for (group, label), (n, right) in counts.items()
    ]
    return LearningRecord(
        epochs=(1, 2),
        best=1,
        rows=sum(n for n, _ in counts.values()),
        right=sum(right for _, right in counts.values()),
        split="0.15 of the rows held out",
        cells=tuple(cells),
    )


def answered(counts: Counts, attribute: str = "tone"):  # type: ignore[no-untyped-def]
    return answer_of(recorded(counts), attribute, tolerance=LEARNING_TOLERANCE)


BEHIND: Counts = {
    ("dark", "man"): (100, 95),
    ("dark", "woman"): (100, 39),
    ("light", "man"): (100, 95),
    ("light", "woman"): (100, 95),
}
FAIR: Counts = dict.fromkeys(BEHIND, (300, 273))


def test_lag_is_the_accuracy_of_all_less_that_of_the_cell() -> None:
    """All: (95 + 39 + 95 + 95) / 400 = .81; dark women .39: behind by .42."""
    answer = answered(BEHIND)

    assert answer.estimate == pytest.approx(0.81 - 0.39)
    assert answer.detail["accuracy_of_cell"] == pytest.approx(0.39)
    assert answer.direction == "dark, woman is learned worst"


def test_cell_left_behind_is_proven() -> None:
    answer = answered(BEHIND)

    assert answer.verdict == "proven_disparity"
    assert answer.rule is Rule.INTERVAL
    assert answer.interval is not None
    assert answer.interval.low > LEARNING_TOLERANCE


def test_cells_learned_alike_on_many_rows_are_within() -> None:
    assert answered(FAIR).verdict == "proven_within"


def test_same_accuracies_on_few_rows_prove_nothing_and_are_watched() -> None:
    """A tenth of the rows: .50 of 8 against .95 of others lies beyond the tolerance, and its interval does not."""
    few: Counts = dict.fromkeys(BEHIND, (8, 8)) | {("dark", "woman"): (8, 5)}

    answer = answered(few)

    assert answer.verdict == "inconclusive"
    assert answer.reason is not None
    assert "watch" in answer.reason
    assert "8 rows" in answer.reason


def test_interval_contains_the_estimate_and_widens_with_fewer_rows() -> None:
    record = recorded(BEHIND)
    small = recorded({cell: (n // 10, round(right / 10)) for cell, (n, right) in BEHIND.items()})

    wide, narrow = (lags_of(one, one.held_out("tone"))[1].interval for one in (small, record))

    assert narrow.low < 0.42 < narrow.high
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_lag_of_a_cell_is_the_difference_to_the_others_times_their_share() -> None:
    """100 of 400 rows: 3/4 of (285/300 - 39/100) = .42, as counted over all rows."""
    lag = lags_of(recorded(BEHIND), recorded(BEHIND).held_out("tone"))[1]

    assert lag.estimate == pytest.approx(0.75 * (285 / 300 - 0.39))


def test_rows_without_a_group_count_among_all_and_are_no_cell() -> None:
    answer = answered(FAIR | {(None, "man"): (100, 0)})

    assert answer.detail["cells"] == 4
    assert answer.detail["rows_held_out"] == 1300


def test_without_a_record_it_is_not_assessed_and_says_how_to_get_one() -> None:
    answer = answer_of(None, "tone", tolerance=LEARNING_TOLERANCE)

    assert answer.verdict == "not_assessed"
    assert "`sensitive`" in (answer.reason or "")


def test_attribute_that_training_did_not_watch_is_not_assessed() -> None:
    answer = answered(FAIR, attribute="age")

    assert answer.verdict == "not_assessed"
    assert "train with `sensitive` naming it" in (answer.reason or "")


def test_training_that_held_nothing_out_is_not_assessed() -> None:
    empty = LearningRecord(epochs=(1,), best=0, rows=0, right=0, split="none", cells=())

    answer = answer_of(empty, "tone", tolerance=LEARNING_TOLERANCE)

    assert answer.verdict == "not_assessed"
    assert "held out" in (answer.reason or "")


def test_chart_draws_every_epoch_and_its_table_has_the_counts() -> None:
    (panel,) = answered(BEHIND).panels

    assert [curve.y for curve in panel.curves] == [[0, 0.95], [0, 0.39], [0, 0.95], [0, 0.95]]
    assert panel.table[1] == {
        "class and group": "dark, woman",
        "rows held out": 100,
        "classified rightly": 39,
        "accuracy": 0.39,
        "mean log loss": 0.61,
    }


@pytest.mark.parametrize("rows", [12, 40])
def test_fair_training_is_rarely_accused(rows: int) -> None:
    """Every cell right with .85: over 200 records at most 1 in 100 is flagged, though the worst cell is always shown."""
    rng = np.random.default_rng(rows)
    flagged = 0
    for _ in range(200):
        right = rng.binomial(rows, 0.85, size=4)
        flagged += (
            answered(dict(zip(BEHIND, [(rows, int(one)) for one in right], strict=True))).verdict == "proven_disparity"
        )

    assert flagged <= 2
