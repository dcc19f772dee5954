"""Which rows a model may learn from, and which are kept for its audit. Training and auditing both ask here.

A network's answers on rows it was trained on say little about people it has not seen; so the split is written into the
model's training record, and an audit of the same data takes the rows that were kept.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.datasets.table import Table

SPLIT_COLUMN = "split"
TRAIN, TEST = "train", "test"
KEPT_SHARE = 0.3

DIGEST_KEY, RULE_KEY = "data_sha256", "kept_for_audit"
LABEL_KEY, UNIT_KEY = "kept_by_label", "kept_by_unit"


@dataclass(frozen=True)
class Holdout:
    """Rows to learn from and rows kept for the audit.

    Attributes:
        train: shape (n,), True where a model may learn from the row.
        rule: how they were told apart; the same rule, label and unit on the same data give the same rows.
        words: the same for people.
        label: the column by whose classes rows were drawn; None: by none, as models of older versions were.
        unit: the column whose rows stay together; None: rows are on their own.
    """

    train: NDArray[np.bool_]
    rule: str
    words: str
    label: str | None = None
    unit: str | None = None


def holdout(table: Table, *, seed: int, label: str | None = None, unit: str | None = None) -> Holdout:
    """Rows with split = train where the data have such a column; else 70 % of the units, or rows, by the seed.

    Args:
        label: column whose classes each keep their share.
        unit: column whose rows stay together; None: the one that the card names.
    """
    if SPLIT_COLUMN in table.columns:
        groups = table.groups(SPLIT_COLUMN)
        if {TRAIN, TEST} <= set(groups.names):
            return by_rule(table, f"{SPLIT_COLUMN} column")
    return by_rule(table, f"seed {seed}", label=label, unit=unit)


def by_rule(table: Table, rule: str, *, label: str | None = None, unit: str | None = None) -> Holdout:
    """The rows that a rule of a training record means.

    Raises:
        MissingColumn: label or unit is none of the columns.
    """
    if rule == f"{SPLIT_COLUMN} column":
        groups = table.groups(SPLIT_COLUMN)
        train = groups.codes != groups.values.index(TEST)
        return Holdout(train, rule, f"the rows with {SPLIT_COLUMN} = {TEST}")
    seed = int(rule.removeprefix("seed "))
    unit = unit or (table.card.unit if table.card else None)
    codes = table.groups(unit).codes if unit else np.arange(table.rows)
    rng = np.random.default_rng([seed, zlib.crc32(b"holdout")])
    kept = np.zeros(int(codes.max(initial=-1)) + 1, dtype=bool)
    for members in _strata(table, codes, label):
        kept[rng.permutation(members)[: round(KEPT_SHARE * len(members))]] = True
    whose = f" ({unit} as a whole)" if unit else ""
    of_each = f", of each {label} alike" if label else ""
    words = f"{100 * KEPT_SHARE:.0f} % of the rows{whose}{of_each}, drawn with seed {seed}"
    return Holdout(~kept[codes], rule, words, label, unit)


def _strata(table: Table, codes: NDArray[np.int64], label: str | None) -> list[NDArray[np.int64]]:
    """The units of each class, a unit's being the most frequent of its rows; all together without a label."""
    units = int(codes.max(initial=-1)) + 1
    if label is None or not units:
        return [np.arange(units)]
    classes = table.groups(label)
    counts = np.bincount(codes * len(classes.values) + classes.codes, minlength=units * len(classes.values))
    class_of_unit = counts.reshape(units, -1).argmax(axis=1)
    return [np.flatnonzero(class_of_unit == code) for code in np.unique(class_of_unit)]


def settings(sha256: str, chosen: Holdout) -> dict[str, str]:
    """What the training record keeps."""
    by = {LABEL_KEY: chosen.label, UNIT_KEY: chosen.unit}
    return {DIGEST_KEY: sha256, RULE_KEY: chosen.rule} | {name: column for name, column in by.items() if column}


def kept_rows(table: Table, sha256: str, recorded: Mapping[str, object]) -> Holdout | None:
    """The rows that a model was not trained on, where its record names these very data; else None."""
    if recorded.get(DIGEST_KEY) != sha256 or RULE_KEY not in recorded:
        return None
    label, unit = (str(recorded[key]) if recorded.get(key) else None for key in (LABEL_KEY, UNIT_KEY))
    return by_rule(table, str(recorded[RULE_KEY]), label=label, unit=unit)
