"""Shares of groups, their label rates, what is missing and what is there twice. How groups are treated is not said here."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.errors import LengthMismatch
from evenhand.auditors.intervals import Interval, normal_quantile, wilson
from evenhand.auditors.policy import INTERSECTION_SIGN, SMALL_GROUP_ROWS, Policy
from evenhand.auditors.report import (
    Estimate,
    Finding,
    Group,
    MissingByGroup,
    Representation,
    RepresentationAttribute,
    Share,
)
from evenhand.auditors.representation.duplicates import RowIdentity, duplicate_rows, shared_rows
from evenhand.auditors.representation.missingness import finding_of, missing_by_group
from evenhand.auditors.representation.plan import RepresentationPlan, planned
from evenhand.auditors.representation.population import compare_with_population
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
    policy: Policy | None = None,
    other_checks: int = 0,
    missing: Mapping[str, NDArray[np.bool_]] | None = None,
    identity: RowIdentity | None = None,
) -> tuple[Representation, list[Finding]]:
    """Count every group, without judging: no share is right or wrong unless a population is declared.

    Args:
        attributes: attribute (or intersection) to codes of shape (n,) and the levels' texts, None for missing.
        label: shape (n,), 1 positive and 0 negative; other values are missing. None where there is no label.
        missing_by_column: column to its number of missing cells.
        times: how many rows each entry stands for, shape (n,); None where it is one for each.
        level: of the Wilson intervals of an attribute's shares together (Bonferroni), and of its label rates; in (0, 1).
        policy: the reference population and the checks on it; without one, nothing is gated.
        other_checks: gated checks of other audits, which share the error with those here.
        missing: column to which cells are empty, shape (n,), for the comparison by group.
        identity: which rows are equal, here and in training data.

    Returns:
        The audit, with every level listed, also those without rows; and a finding for each attribute with a population,
        and for each where columns have empty cells. No share gets a verdict without a population.

    Raises:
        LengthMismatch: an attribute or the label has another length.
        PolicyError: a check, or the population, names what is not there.
    """
    plan = planned(policy or Policy(), sensitive=list(attributes), other_checks=other_checks)
    rows = next((len(codes) for codes, _ in attributes.values()), 0 if label is None else len(label))
    lengths = {name: len(codes) for name, (codes, _) in attributes.items()}
    lengths |= {} if label is None else {"label": len(label)}
    for name, length in lengths.items():
        if length != rows:
            raise LengthMismatch(name, length, rows)
    times = np.ones(rows, np.int64) if times is None else times
    rows = int(times.sum())
    results = [
        _attribute(name, codes, levels, label=label, times=times, level=level)
        for name, (codes, levels) in attributes.items()
    ]
    results, findings = _with_population(results, plan)
    notes = [note for result in results for note in _notes(result, rows)]
    notes += [
        f"{column}: {count:,} of {rows:,} values are missing ({100 * count / rows:.0f} %)."
        for column, count in missing_by_column.items()
        if rows and count > MISSING * rows
    ]
    by_group, of_missing = _missing(attributes, missing, plan)
    document = Representation(
        rows=rows,
        attributes=results,
        missing_by_column={k: v for k, v in missing_by_column.items() if v},
        missing_by_group=by_group,
        duplicates=None if identity is None else duplicate_rows(identity),
        shared=None if identity is None else shared_rows(identity, attributes, level=level) or None,
        notes=notes,
    )
    return document, [*findings, *of_missing]


def _with_population(
    results: list[RepresentationAttribute], plan: RepresentationPlan
) -> tuple[list[RepresentationAttribute], list[Finding]]:
    """The attributes with their comparison where a population is declared, and its findings."""
    compared, findings = [], []
    for result in results:
        shares = (plan.policy.data.population or {}).get(result.attribute)
        if shares is not None:
            counts = {
                text: share.n for share in result.shares if (text := share.group.get(result.attribute)) is not None
            }
            comparison, finding = compare_with_population(
                result.attribute, counts, shares, tolerated=plan.tolerated("share", result.attribute)
            )
            result = result.model_copy(update={"population": comparison})
            findings.append(finding)
        compared.append(result)
    return compared, findings


def _missing(
    attributes: Mapping[str, tuple[NDArray[np.int32], Levels]],
    missing: Mapping[str, NDArray[np.bool_]] | None,
    plan: RepresentationPlan,
) -> tuple[list[MissingByGroup] | None, list[Finding]]:
    if not missing:
        return None, []
    tolerated = {attribute: plan.tolerated("missingness", attribute) for attribute in attributes}
    by_group = missing_by_group(attributes, missing, tolerated=tolerated)
    findings = [finding_of(attribute, by_group, tolerated=tolerated[attribute]) for attribute in attributes]
    return by_group or None, [finding for finding in findings if finding is not None]


def _attribute(
    name: str,
    codes: NDArray[np.int32],
    levels: Levels,
    *,
    label: NDArray[np.int8] | None,
    times: NDArray[np.int64],
    level: float,
) -> RepresentationAttribute:
    def rows_of(chosen: NDArray[np.bool_] | slice) -> NDArray[np.int64]:
        # sums of whole numbers, exact below 2^53
        return np.bincount(codes[chosen], times[chosen], len(levels)).astype(np.int64)

    rows, counts = int(times.sum()), rows_of(slice(None))
    z = normal_quantile(1 - (1 - level) / (2 * max(len(levels), 1)))
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
