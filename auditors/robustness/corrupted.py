"""Accuracy by group under natural corruptions, and its largest gap. The corruptions themselves are in `corruptions`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.report import CorruptedGroup, CorruptionGap, CorruptionRow, Estimate, Finding
from evenhand.auditors.robustness.clusters import UnitTable, generator, resampled, unit_table
from evenhand.auditors.robustness.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from evenhand.auditors.robustness.data import ImageData, Level, levels_of, units_of
from evenhand.auditors.robustness.ensemble import Subjects
from evenhand.auditors.robustness.gaps import TEST_LEVEL, Gap, decide, members_of, within_class
from evenhand.auditors.robustness.rates import rate
from evenhand.auditors.robustness.scores import batches, probabilities
from evenhand.auditors.verdict import Comparison, Gate, Rule, Verdict

Correct = NDArray[np.bool_]

ALL = "all"
"""Name of the row that averages over all corruptions."""


@dataclass(frozen=True)
class Corrupted:
    """Which pictures stay correct: `clean` (n,), `correct` by corruption (severities, n)."""

    data: ImageData
    clean: Correct
    correct: dict[str, Correct]
    seed: int
    level: float


def under_corruption(
    data: ImageData, subjects: Subjects, classifier: ImageClassifier, *, seed: int, level: float, batch_size: int
) -> Corrupted:
    """Show the classifier every picture under every corruption and severity."""
    correct: dict[str, Correct] = {}
    for corruption in CORRUPTIONS:
        answers = np.zeros((SEVERITIES, len(subjects)), dtype=bool)
        for severity in range(1, SEVERITIES + 1):
            for rows in batches(len(subjects), batch_size):
                pictures = corrupt(
                    subjects.clean[rows], corruption, severity=severity, seed=seed, ids=subjects.ids[rows]
                )
                read = probabilities(classifier, pictures, batch_size=batch_size).argmax(axis=1)
                answers[severity - 1, rows] = read == subjects.label[rows]
        correct[corruption.name] = answers
    return Corrupted(data, subjects.correct, correct, seed, level)


def corruption_report(
    measured: Corrupted, attributes: Sequence[str], *, tolerance: float
) -> tuple[list[CorruptionRow], list[Finding]]:
    """A row for each corruption and one for all together, by attribute, and the finding on all together, not gated.

    Source: Hendrycks and Dietterich (2019), ICLR; the mean over severities is theirs.
    """
    rows, findings = [], []
    for attribute in attributes:
        together = np.concatenate(list(measured.correct.values()))
        gap, row = _row(measured, attribute, ALL, together, tolerance)
        findings.append(_finding(gap, row, attribute, tolerance))
        rows.append(row)
        rows += [_row(measured, attribute, name, correct, tolerance)[1] for name, correct in measured.correct.items()]
    return rows, findings


def _row(
    measured: Corrupted, attribute: str, name: str, correct: Correct, tolerance: float
) -> tuple[Gap, CorruptionRow]:
    corruption = next((one for one in CORRUPTIONS if one.name == name), None)
    gap, gap_row = _gap(measured, attribute, name, correct, tolerance)
    return gap, CorruptionRow(
        name=name,
        attribute=attribute,
        parameter=corruption.parameter if corruption else None,
        values=corruption.values(measured.data.images.shape[1:]) if corruption else [],
        groups=list(_groups(measured, attribute, correct)),
        gap=gap_row,
    )


def _groups(measured: Corrupted, attribute: str, correct: Correct) -> Iterator[CorruptedGroup]:
    data = measured.data
    codes, _ = data.attributes[attribute]
    unit = units_of(data)
    for label in (None, *range(len(data.classes))):
        for group in levels_of(data, attribute):
            chosen = codes == group.code
            if label is not None:
                chosen = chosen & (data.label == label)
            if not chosen.any():
                continue
            # rows of one severity: every SEVERITIES-th, for `all` has them corruption by corruption
            at = [correct[severity::SEVERITIES, chosen] for severity in range(SEVERITIES)] if label is None else []
            yield CorruptedGroup(
                group={attribute: group.text},
                label=None if label is None else data.classes[label],
                n=int(chosen.sum()),
                units=len(np.unique(unit[chosen])),
                clean_accuracy=rate(measured.clean[chosen], unit[chosen], level=measured.level, seed=measured.seed),
                mean_accuracy=_mean(measured, correct[:, chosen], unit[chosen]),
                accuracy=[_mean(measured, one, unit[chosen]) for one in at],
            )


def _mean(measured: Corrupted, correct: Correct, unit: NDArray[np.int64]) -> Estimate:
    return rate(correct.reshape(-1), np.tile(unit, len(correct)), level=measured.level, seed=measured.seed)


def _table(data: ImageData, attribute: str, levels: Sequence[Level], correct: Correct) -> UnitTable:
    codes, texts = data.attributes[attribute]
    column = np.full(len(texts), -1, dtype=np.int64)
    for index, level in enumerate(levels):
        column[level.code] = index
    times = len(correct)
    return unit_table(
        correct.reshape(-1),
        unit=np.tile(units_of(data), times),
        label=np.tile(data.label.astype(np.int64), times),
        group=np.tile(column[codes], times),
        classes=len(data.classes),
        groups=len(levels),
    )


def _gap(
    measured: Corrupted, attribute: str, name: str, correct: Correct, tolerance: float
) -> tuple[Gap, CorruptionGap]:
    data = measured.data
    levels = [level for level in levels_of(data, attribute) if level.comparable]
    if len(levels) < 2:
        gap = Gap(None, "not_assessed", f"'{attribute}' has fewer than two groups to compare")
        return gap, CorruptionGap(estimate=None, reason=gap.reason)
    table = _table(data, attribute, levels, correct)
    members = members_of(
        table,
        levels,
        within_class(len(data.classes)),
        seed=measured.seed,
        name=f"corruption {name} of {attribute}",
    )
    gap = decide(members, tolerance=tolerance)
    member = gap.member
    if member is None or member.label is None:
        return gap, CorruptionGap(estimate=None, reason=gap.reason)
    clean = [
        measured.clean[(data.attributes[attribute][0] == level.code) & (data.label == member.label)].mean()
        for level in (member.first, member.second)
    ]
    return gap, CorruptionGap(
        estimate=gap.estimate,
        low=gap.interval.low if gap.interval else None,
        high=gap.interval.high if gap.interval else None,
        p_value=member.p_value,
        group={attribute: member.first.text},
        reference={attribute: member.second.text},
        label=data.classes[member.label],
        clean=float(clean[0] - clean[1]),
        expected_by_chance=largest_by_chance(table, levels, seed=measured.seed),
        comparisons=gap.members,
    )


def largest_by_chance(table: UnitTable, levels: Sequence[Level], *, seed: int) -> float | None:
    """Largest gap within a class, of any two groups, that is expected where all groups are equal.

    Mean over bootstrap draws of the largest |gap drawn - gap observed|: the same spread and the same dependence
    between groups of one unit, about zero. Small groups are left out where two others remain. None: nothing to compare.
    """
    kept = [index for index, level in enumerate(levels) if not level.small]
    kept = kept if len(kept) >= 2 else list(range(len(levels)))
    drawn, observed = (
        np.divide(success, total, out=np.full(success.shape, np.nan), where=total > 0)
        for success, total in (resampled(table, generator(seed, "largest by chance")), table.sums())
    )
    centred = drawn - observed
    gaps = [np.abs(centred[:, :, first] - centred[:, :, second]) for first, second in combinations(kept, 2)]
    largest = np.fmax.reduce(np.concatenate(gaps, axis=1), axis=1)
    largest = largest[np.isfinite(largest)]
    return float(largest.mean()) if len(largest) else None


def _finding(gap: Gap, row: CorruptionRow, attribute: str, tolerance: float) -> Finding:
    shown, member = row.gap, gap.member
    equivalence = member.equivalence() if member and gap.interval else None
    return Finding(
        id=f"robustness/corruption_gap/{attribute}",
        audit="robustness",
        metric="corruption_gap",
        comparison=Comparison.DIFFERENCE,
        attribute=attribute,
        group=shown.group,
        reference=shown.reference,
        estimate=shown.estimate,
        low=shown.low,
        high=shown.high,
        level=TEST_LEVEL,
        equivalence_low=equivalence.low if equivalence else None,
        equivalence_high=equivalence.high if equivalence else None,
        rule=Rule.EFFECT_AND_TEST,
        tolerance=tolerance,
        verdict=Verdict(gap.verdict) if gap.verdict.startswith("proven") else Verdict.INCONCLUSIVE,
        n=member.first.n if member else None,
        reference_n=member.second.n if member else None,
        p_value=shown.p_value,
        gate=Gate.OFF,
        message=_message(gap, shown, attribute),
    )


def _message(gap: Gap, shown: CorruptionGap, attribute: str) -> str:
    where = f"largest gap within a class in accuracy by {attribute}, mean over seven corruptions at five severities"
    if shown.estimate is None or gap.member is None:
        return f"{where}: not assessed: {gap.reason}."
    ahead, behind = gap.member.first.text, gap.member.second.text
    if shown.estimate < 0:
        ahead, behind = behind, ahead
    chance = f"; {shown.expected_by_chance:.3f} is expected by chance" if shown.expected_by_chance is not None else ""
    return (
        f"{where}: {shown.estimate:+.3f}{chance}, {shown.clean or 0.0:+.3f} without corruption; "
        f'pictures of class "{shown.label}" with {attribute} "{behind}" are misread more often than those with "{ahead}".'
    )
