"""Makes count tables from confusion counts, for tests that say what they mean in one line."""

import numpy as np

from evenhand.auditors.counts import Attribute, CountTable, count
from evenhand.auditors.disparity import Meaning, audit_group_disparity
from evenhand.auditors.policy import Policy
from evenhand.auditors.report import Finding, GroupDisparity

Confusion = tuple[int, int, int, int]  # tp, fp, fn, tn


def table_of(groups: dict[str | None, Confusion], *, attribute: str = "group", labels: bool = True) -> CountTable:
    """A table of one attribute; without labels fp and tn alone say who is selected."""
    values = tuple(sorted((g for g in groups if g is not None), key=str)) + ((None,) if None in groups else ())
    codes, label, prediction = [], [], []
    for code, value in enumerate(values):
        tp, fp, fn, tn = groups[value]
        codes += [code] * (tp + fp + fn + tn)
        label += [1] * tp + [0] * fp + [1] * fn + [0] * tn
        prediction += [1] * (tp + fp) + [0] * (fn + tn)
    return count(
        [Attribute(attribute, np.array(codes, dtype=np.int32), values)],
        prediction=np.array(prediction, dtype=np.int8),
        label=np.array(label, dtype=np.int8) if labels else None,
    )


def selected(**groups: tuple[int, int]) -> CountTable:
    """A table without labels: selected of n, by group."""
    return table_of({name: (0, x, 0, n - x) for name, (x, n) in groups.items()}, labels=False)


def audited(
    table: CountTable, *, policy: Policy | None = None, favourable_is_positive: bool = True
) -> tuple[GroupDisparity, list[Finding]]:
    meaning = Meaning(
        positive="1",
        favourable="1" if favourable_is_positive else "0",
        label="y" if table.has_labels else None,
        prediction="yhat",
        favourable_is_positive=favourable_is_positive,
    )
    return audit_group_disparity(table, policy=policy or Policy(), meaning=meaning, rng=np.random.default_rng(0))


def gated(findings: list[Finding], metric: str) -> Finding:
    """The one composite finding of a metric on the first attribute that has it."""
    return next(f for f in findings if f.metric == metric and f.id.count("/") == 3)
