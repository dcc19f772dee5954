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


@dataclass(frozen=True)
class Holdout:
    """Rows to learn from and rows kept for the audit.

    Attributes:
        train: shape (n,), True where a model may learn from the row.
        rule: how they were told apart; the same rule on the same data gives the same rows.
        words: the same for people.
    """

    train: NDArray[np.bool_]
    rule: str
    words: str


def holdout(table: Table, *, seed: int) -> Holdout:
    """Rows with split = train where the data have such a column; else 70 % of the units, or rows, by the seed."""
    if SPLIT_COLUMN in table.columns:
        groups = table.groups(SPLIT_COLUMN)
        if {TRAIN, TEST} <= set(groups.names):
            return by_rule(table, f"{SPLIT_COLUMN} column")
    return by_rule(table, f"seed {seed}")


def by_rule(table: Table, rule: str) -> Holdout:
    """The rows that a rule of a training record means."""
    if rule == f"{SPLIT_COLUMN} column":
        groups = table.groups(SPLIT_COLUMN)
        train = groups.codes != groups.values.index(TEST)
        return Holdout(train, rule, f"the rows with {SPLIT_COLUMN} = {TEST}")
    seed = int(rule.removeprefix("seed "))
    unit = table.card.unit if table.card else None
    codes = table.groups(unit).codes if unit else np.arange(table.rows)
    units = int(codes.max()) + 1 if len(codes) else 0
    rng = np.random.default_rng([seed, zlib.crc32(b"holdout")])
    kept = np.zeros(units, dtype=bool)
    kept[rng.permutation(units)[: round(KEPT_SHARE * units)]] = True
    whose = f" ({unit} as a whole)" if unit else ""
    return Holdout(~kept[codes], rule, f"{100 * KEPT_SHARE:.0f} % of the rows{whose}, drawn with seed {seed}")


def settings(sha256: str, chosen: Holdout) -> dict[str, str]:
    """What the training record keeps."""
    return {DIGEST_KEY: sha256, RULE_KEY: chosen.rule}


def kept_rows(table: Table, sha256: str, recorded: Mapping[str, object]) -> Holdout | None:
    """The rows that a model was not trained on, where its record names these very data; else None."""
    if recorded.get(DIGEST_KEY) != sha256 or RULE_KEY not in recorded:
        return None
    return by_rule(table, str(recorded[RULE_KEY]))
