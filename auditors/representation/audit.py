"""Shares of groups, their label rates and what is missing. How groups are treated belongs to the other audits."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.errors import LengthMismatch
from evenhand.auditors.intervals import Interval, normal_quantile, wilson
from evenhand.auditors.policy import INTERSECTION_SIGN, SMALL_GROUP_ROWS
from evenhand.auditors.report import Estimate, Finding, Group, Representation, RepresentationAttribute, Share
from evenhand.auditors.words import group_name

RARE = 0.01
MISSING = 0.05
Levels = tuple[str | None, ...]


def audit_representation(
    attributes: Mapping[str, tuple[NDArray[np.int32], Levels]],
    *,
    label: NDArray[np.int8] | None,
    missing_by_column: Mapping[str, int],
    times: NDArray[np.int64] | None = None,
    level: float = 0.95,
) -> tuple[Representation, list[Finding]]:
    """Count every group, without judging: no share is right or wrong unless a population is declared.

    Args:
        attributes: attribute (or intersection) to codes of shape (n,) and the levels' texts, None for missing.
        label: shape (n,), 1 positive and 0 negative; other values are missing. None where there is no label.
        missing_by_column: column to its number of missing cells.
        times: how many rows each entry stands for, shape (n,); None where it is one for each.
        level: of each Wilson interval, a fraction in (0, 1); the intervals are not simultaneous.

    Returns:
        The audit, with every level listed, also those without rows; and no findings, since nothing is compared.

    Raises:
        LengthMismatch: an attribute or the label has another length.
    """
    rows = next((len(codes) for codes, _ in attributes.values()), 0 if label is None else len(label))
    lengths = {name: len(codes) for name, (codes, _) in attributes.items()}
    lengths |= {} if label is None else {"label": len(label)}
    for name, length in lengths.items():
        if length != rows:
            raise LengthMismatch(name, length, rows)
    times = np.ones(rows, np.int64) if times is None else times
    rows = int(times.sum())
    z = normal_quantile((1 + level) / 2)
    results = [
        _attribute(name, codes, levels, label=label, times=times, z=z) for name, (codes, levels) in attributes.items()
    ]
    notes = [note for result in results for note in _notes(result, rows)]
    notes += [
        f"{column}: {count:,} of {rows:,} values are missing ({100 * count / rows:.0f} %)."
        for column, count in missing_by_column.items()
        if rows and count > MISSING * rows
    ]
    return (
        Representation(
            rows=rows,
            attributes=results,
            missing_by_column={k: v for k, v in missing_by_column.items() if v},
            notes=notes,
        ),
        [],
    )


def _attribute(
    name: str,
    codes: NDArray[np.int32],
    levels: Levels,
    *,
    label: NDArray[np.int8] | None,
    times: NDArray[np.int64],
    z: float,
) -> RepresentationAttribute:
    def rows_of(chosen: NDArray[np.bool_] | slice) -> NDArray[np.int64]:
        # sums of whole numbers, exact below 2^53
        return np.bincount(codes[chosen], times[chosen], len(levels)).astype(np.int64)

    rows, counts = int(times.sum()), rows_of(slice(None))
    shares = wilson(counts, np.full(len(levels), rows), z=z)
    if label is None:
        labelled, positives = np.zeros(len(levels), np.int64), np.zeros(len(levels), np.int64)
    else:
        known = (label == 0) | (label == 1)
        labelled, positives = rows_of(known), rows_of(label == 1)
    rates = wilson(positives, labelled, z=z)
    reason = "there is no label" if label is None else "no row of the group has a label"
    return RepresentationAttribute(
        attribute=name,
        shares=[
            Share(
                group=_group(name, text),
                n=int(counts[i]),
                share=_estimate(int(counts[i]), rows, shares, i, "there are no rows"),
                label_rate=_estimate(int(positives[i]), int(labelled[i]), rates, i, reason),
            )
            for i, text in enumerate(levels)
        ],
        missing=int(sum(counts[i] for i, text in enumerate(levels) if text is None)),
    )


def _estimate(successes: int, trials: int, interval: Interval, index: int, reason: str) -> Estimate:
    if trials == 0:
        return Estimate(estimate=None, reason=reason)
    return Estimate(estimate=successes / trials, low=float(interval.low[index]), high=float(interval.high[index]))


def _group(attribute: str, text: str | None) -> Group:
    attributes = attribute.split(INTERSECTION_SIGN)
    values = text.split(INTERSECTION_SIGN) if text is not None else []
    return dict(zip(attributes, values, strict=True)) if len(values) == len(attributes) else {attribute: text}


def _notes(result: RepresentationAttribute, rows: int) -> Iterator[str]:
    rare = [
        f"{group_name(share.group)} (n = {share.n:,})"
        for share in result.shares
        if None not in share.group.values() and share.n < RARE * rows
    ]
    small = [
        f"{group_name(share.group)} (n = {share.n:,})"
        for share in result.shares
        if None not in share.group.values() and share.n < SMALL_GROUP_ROWS
    ]
    if rare:
        yield (
            f"{result.attribute}: under 1 % of the rows are {', '.join(rare)}. A network only sees what it has been "
            "trained to see: what a model does for a rare group rests on few examples."
        )
    if small:
        yield f"{result.attribute}: too few rows to compare (under {SMALL_GROUP_ROWS}): {', '.join(small)}."
    if result.missing:
        yield f"{result.attribute} is missing in {result.missing:,} of {rows:,} rows; they are listed as a group."
