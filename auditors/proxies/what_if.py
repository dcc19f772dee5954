"""What if a proxy were permuted, neutralised or left out: decisions before and after, on the same rows.

What follows from it belongs to `alternatives`; the intervals to `paired`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.errors import LengthMismatch
from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.protocols import Progress, silent
from evenhand.auditors.proxies.columns import code_column
from evenhand.auditors.proxies.data import ProxyData
from evenhand.auditors.proxies.groups import Groups, compared_groups, group_document
from evenhand.auditors.proxies.interventions import Decide, score_rows
from evenhand.auditors.proxies.paired import Change, accuracy_change, cells_of, gap_change
from evenhand.auditors.proxies.repair import donors
from evenhand.auditors.proxies.retraining import Retraining
from evenhand.auditors.report import ProxyAudit, Role, WhatIfAction, WhatIfGroup

ROWS = 50_000
DRAWS = 10
"""Permutations or repairs, both by chance, whose decisions are averaged."""

MOST_SUBJECTS = 6
"""Blocks and sets of an attribute that are looked at, those with the largest part of the gap first."""

CHOSEN_SHARE = 0.25
"""Share of the rows on which the widest pair is chosen where more than two groups are compared."""

Decisions = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """The classifier and the rows it is asked about.

    Args:
        data: features and attributes of n rows.
        decide: columns to scores; None where only predictions are known: then nothing but training anew is possible.
        scores: shape (n,), of the rows as they are.
        threshold: positive decision where the score is at least this.
        label: shape (n,), 1 where a positive decision is right; None where that is not known.
        units: shape (n,), whose row it is, -1 for a row on its own; None: every row is.
        retraining: how to train anew; None where there are no labels or too few rows.

    Raises:
        LengthMismatch: an array has another length than the data.
    """

    data: ProxyData
    decide: Decide | None
    scores: NDArray[np.float64]
    threshold: float = 0.5
    label: NDArray[np.int8] | None = None
    units: NDArray[np.int64] | None = None
    retraining: Retraining | None = None

    def __post_init__(self) -> None:
        unseen = None if self.retraining is None else self.retraining.unseen
        arrays = {"scores": self.scores, "label": self.label, "units": self.units, "unseen": unseen}
        for name, values in arrays.items():
            if values is not None and len(values) != self.data.rows:
                raise LengthMismatch(name, len(values), self.data.rows)


@dataclass(frozen=True)
class Subject:
    """A block or a joint set that something is done to, or all proxies of an attribute together.

    One proxy left out, a classifier trained anew leans on the next; so all are left out as well.
    """

    attribute: str
    features: tuple[str, ...]
    role: Role
    joint: bool = False
    together: bool = False


@dataclass(frozen=True)
class Changes:
    """Decisions after against decisions before: `accuracy` and `equalized_odds` are None without labels."""

    accuracy: Change | None
    demographic_parity: Change | None
    equalized_odds: Change | None


@dataclass(frozen=True)
class Outcome:
    """What one action on one subject does.

    `of_model`: against the audited classifier. `of_retrained`: against one trained in the same way with all features;
    None where that decides as the audited one does, or nothing is trained.
    """

    subject: Subject
    action: WhatIfAction
    rows: int
    of_model: Changes
    of_retrained: Changes | None
    groups: tuple[WhatIfGroup, ...]


def subjects_of(audit: ProxyAudit) -> list[Subject]:
    """What was found to move a gap: proxies, masking features and joint sets, those with the largest part first."""
    found: dict[Subject, float] = {}
    for row in audit.features:
        if row.role in ("proxy", "masking") and row.stratum is None:
            found[Subject(row.attribute, tuple(row.block), row.role)] = abs(row.contribution.estimate or 0.0)
    for joint in audit.sets:
        if joint.role in ("joint_proxy", "masking") and joint.stratum is None:
            subject = Subject(joint.attribute, tuple(joint.features), joint.role, joint=True)
            found[subject] = abs(joint.contribution.estimate or 0.0)
    by_attribute: dict[str, list[Subject]] = {}
    for subject in sorted(found, key=lambda subject: (-found[subject], subject.features)):
        by_attribute.setdefault(subject.attribute, []).append(subject)
    return [
        subject
        for attribute, subjects in by_attribute.items()
        for subject in (*subjects[:MOST_SUBJECTS], *_together(attribute, subjects))
    ]


def _together(attribute: str, subjects: Sequence[Subject]) -> list[Subject]:
    widening = [subject for subject in subjects if subject.role != "masking"]
    if len(widening) < 2:
        return []
    features = sorted({name for subject in widening for name in subject.features})
    return [Subject(attribute, tuple(features), "proxy", joint=True, together=True)]


def actions_of(case: Case, subject: Subject) -> tuple[WhatIfAction, ...]:
    """What can be done to a subject with what is known."""
    asks = case.decide is not None and not subject.together
    asked: tuple[WhatIfAction, ...] = ("permute", "neutralise") if asks else ()
    trains = case.retraining is not None and set(subject.features) < set(case.data.columns)
    return (*asked, "retrain") if trains else asked


@dataclass
class Trials:
    """Runs actions, and trains each classifier once."""

    case: Case
    rng: np.random.Generator
    _trained: dict[frozenset[str], Decide] = field(default_factory=dict)
    _parts: dict[bool, "Rows"] = field(default_factory=dict)

    def run(self, subject: Subject, action: WhatIfAction, *, level: float) -> Outcome:
        """Do it, and compare. `level`: of the intervals."""
        rows = self._rows(unseen=action == "retrain")
        groups = compared_groups(subject.attribute, *_attribute(self.case.data, subject.attribute, rows.rows))
        after = self._decisions(subject, action, rows, groups)
        reference = None
        if action == "retrain":
            again = self._retrained((), rows)
            reference = None if np.array_equal(again, rows.before) else again
        return Outcome(
            subject,
            action,
            len(rows.rows),
            changes(rows, groups, rows.before, after, level=level),
            None if reference is None else changes(rows, groups, reference, after, level=level),
            affected(groups, rows.before, after),
        )

    def _decisions(self, subject: Subject, action: WhatIfAction, rows: "Rows", groups: Groups) -> Decisions:
        if action == "retrain":
            return self._retrained(subject.features, rows)
        if action == "neutralise":
            columns = [
                code_column(name, rows.columns[name], categorical=name in self.case.data.categorical)
                for name in subject.features
            ]
            if not subject.joint and columns[0].known_levels > 2:
                columns = columns[:1]  # near-duplicates follow the first
            drawn = [self._moved(subject, rows, donors(columns, groups.codes, self.rng)) for _ in range(DRAWS)]
            return np.asarray(np.mean(drawn, axis=0), dtype=np.float64)
        drawn = [self._moved(subject, rows, self.rng.permutation(len(rows.rows))) for _ in range(DRAWS)]
        return np.asarray(np.mean(drawn, axis=0), dtype=np.float64)

    def _moved(self, subject: Subject, rows: "Rows", taken: NDArray[np.int64]) -> Decisions:
        assert self.case.decide is not None
        moved = {name: rows.columns[name][taken] for name in subject.features}
        return self._decided(self.case.decide, {**rows.columns, **moved})

    def _retrained(self, left_out: Sequence[str], rows: "Rows") -> Decisions:
        assert self.case.retraining is not None
        key = frozenset(left_out)
        if key not in self._trained:
            kept = [name for name in self.case.data.columns if name not in key]
            self._trained[key] = self.case.retraining.retrain(kept)
        kept_columns = {name: values for name, values in rows.columns.items() if name not in key}
        return self._decided(self._trained[key], kept_columns)

    def _decided(self, decide: Decide, columns: Mapping[str, NDArray[Any]]) -> Decisions:
        every = np.arange(len(next(iter(columns.values()))))
        return (score_rows(decide, columns, every) >= self._threshold(decide)).astype(np.float64)

    def _threshold(self, decide: Decide) -> float:
        """A classifier trained here gives probabilities; the audited one has the threshold it is used with."""
        return self.case.threshold if decide is self.case.decide else 0.5

    def _rows(self, *, unseen: bool) -> "Rows":
        retraining = self.case.retraining
        if not unseen or retraining is None or retraining.unseen.all():
            possible = np.ones(self.case.data.rows, bool)
        else:
            possible = retraining.unseen
        whole = bool(possible.all())
        if whole not in self._parts:
            rows = np.flatnonzero(possible)
            if len(rows) > ROWS:
                rows = np.sort(self.rng.choice(rows, ROWS, replace=False))
            self._parts[whole] = Rows.of(self.case, rows, chosen_on=self.rng.random(len(rows)) < CHOSEN_SHARE)
        return self._parts[whole]


@dataclass(frozen=True)
class Rows:
    """The rows that are compared: positions in the data, and everything known of them."""

    rows: NDArray[np.int64]
    columns: Mapping[str, NDArray[Any]]
    before: Decisions
    label: NDArray[np.int8] | None
    units: NDArray[np.int64] | None
    chosen_on: NDArray[np.bool_]

    @classmethod
    def of(cls, case: Case, rows: NDArray[np.int64], *, chosen_on: NDArray[np.bool_]) -> "Rows":
        units = None
        if case.units is not None:
            alone = case.units[rows] < 0
            units = np.where(alone, case.units.max() + 1 + np.arange(len(rows)), case.units[rows])
        return cls(
            rows,
            {name: values[rows] for name, values in case.data.columns.items()},
            (case.scores[rows] >= case.threshold).astype(np.float64),
            None if case.label is None else case.label[rows],
            units,
            chosen_on,
        )


def changes(rows: Rows, groups: Groups, before: Decisions, after: Decisions, *, level: float) -> Changes:
    """Accuracy over all rows and the largest gaps between groups, before and after.

    Groups, or groups within a label, of fewer than 30 rows are left out.
    """
    return Changes(
        None if rows.label is None else accuracy_change(before, after, rows.label, units=rows.units, level=level),
        _gap(rows, groups, before, after, label=None, level=level),
        None if rows.label is None else _gap(rows, groups, before, after, label=rows.label, level=level),
    )


def _gap(
    rows: Rows, groups: Groups, before: Decisions, after: Decisions, *, label: NDArray[np.int8] | None, level: float
) -> Change | None:
    cells = cells_of(groups.codes, len(groups.names), label, smallest=SMALL_GROUP_ROWS)
    one_pair = len(cells.higher) <= 2
    return gap_change(
        before, after, cells, chosen_on=None if one_pair else rows.chosen_on, units=rows.units, level=level
    )


def affected(groups: Groups, before: Decisions, after: Decisions) -> tuple[WhatIfGroup, ...]:
    """Whose decisions change: shares of each group's rows."""
    found = []
    for code, name in enumerate(groups.names):
        members = groups.codes == code
        up, down = (np.maximum(sign * (after - before)[members], 0) for sign in (1, -1))
        found.append(
            WhatIfGroup(
                group=group_document(groups.attribute, name),
                n=int(members.sum()),
                to_positive=float(up.mean()),
                to_negative=float(down.mean()),
            )
        )
    return tuple(found)


def run_trials(
    case: Case,
    audit: ProxyAudit,
    *,
    level_of: Callable[[int], float],
    rng: np.random.Generator,
    progress: Progress = silent,
) -> list[tuple[Outcome, float]]:
    """Every action on every subject, with the level it was held at.

    Args:
        level_of: number of alternatives (all but permuting) to the level of each interval.
    """
    subjects = subjects_of(audit)
    todo = [(subject, action) for subject in subjects for action in actions_of(case, subject)]
    level = level_of(max(1, sum(action != "permute" for _, action in todo)))
    trials, outcomes = Trials(case, rng), []
    for index, (subject, action) in enumerate(todo):
        progress(index / len(todo), f"what if: {action} {', '.join(subject.features)}")
        outcomes.append((trials.run(subject, action, level=level), level))
    return outcomes


def _attribute(
    data: ProxyData, attribute: str, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int32], tuple[str | None, ...]]:
    codes, levels = data.attributes[attribute]
    return codes[rows], levels
