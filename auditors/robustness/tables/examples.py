"""One row of each group and question, with the change that was found, in words: the row whose cost is the group's median."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.policy import FeatureRule
from evenhand.auditors.report import ChangeExample
from evenhand.auditors.robustness.tables.feasible import Feasible
from evenhand.auditors.robustness.tables.sample import QUESTIONS, Question, Sample
from evenhand.auditors.robustness.tables.words import change_in_words, example_in_words

RULE = (
    "An example is the row whose cost is the lower median of its group's changes that were found, the first of several; "
    "of rows without a change there is none."
)


def examples(
    sample: Sample,
    attribute: str,
    *,
    cost: NDArray[np.float64],
    states: Mapping[Question, NDArray[np.int32]],
    feasible: Mapping[Question, Feasible],
    rules: Mapping[str, FeatureRule],
    favourable: str,
) -> list[ChangeExample]:
    """At most one a group and question.

    Args:
        cost: shape (n,).
        states, feasible: by question; states of shape (n, blocks).
        rules: for the units of numbers.
        favourable: the outcome, as people call it.
    """
    found = []
    for code, text in enumerate(sample.data.attributes[attribute][1]):
        for question in QUESTIONS:
            row = _median_row(sample.drawn(attribute, code, question), cost)
            if row is None:
                continue
            change = change_in_words(sample.data.columns, row, feasible[question].blocks, states[question][row], rules)
            found.append(
                ChangeExample(
                    group={attribute: text},
                    question=question,
                    row=row + 1,
                    cost=float(cost[row]),
                    text=example_in_words(question, favourable, change, float(cost[row])),
                )
            )
    return found


def _median_row(rows: NDArray[np.intp], cost: NDArray[np.float64]) -> int | None:
    rows = rows[np.isfinite(cost[rows])]
    if len(rows) == 0:
        return None
    ranked = rows[np.argsort(cost[rows], kind="stable")]
    median = cost[ranked[(len(ranked) - 1) // 2]]
    return int(rows[np.isclose(cost[rows], median, atol=1e-12)][0])
