"""The group disparity audit: from the count table and the policy to results by group and findings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evenhand.auditors.bounds import bounds_of
from evenhand.auditors.clusters import UnitRows
from evenhand.auditors.counts import CountTable
from evenhand.auditors.disparity.answer import Answer, answer
from evenhand.auditors.disparity.conditional import Strata, Within, strata_finding, strata_result, within_strata
from evenhand.auditors.disparity.entropy import entropy_finding
from evenhand.auditors.disparity.evidence import Evidence
from evenhand.auditors.disparity.groups import expected_largest_gap, group_results
from evenhand.auditors.disparity.pairs import Z_SINGLE
from evenhand.auditors.disparity.pairwise import MOST_GROUPS, MOST_PAIRS_LISTED
from evenhand.auditors.disparity.plan import PlannedCheck, attribute_sets, planned
from evenhand.auditors.disparity.versus import Reference, reference_of
from evenhand.auditors.errors import NothingToCompare, TooManyGroups
from evenhand.auditors.metrics import COUNT_METRICS, Metric, favourable_rate
from evenhand.auditors.policy import SMALL_GROUP_ROWS, Policy
from evenhand.auditors.report import AttributeResult, Finding, GroupDisparity, PairsListed, Repeats, UnknownBounds
from evenhand.auditors.verdict import Gate
from evenhand.auditors.words import number


@dataclass(frozen=True)
class Meaning:
    """What the columns mean, for people.

    Attributes:
        positive, favourable: the values, as text.
        negative: the label's value that is not positive, where there is one only.
        label, prediction: how the columns are called; label None where there is none.
        favourable_is_positive: whether being predicted positive helps the person.
    """

    positive: str
    favourable: str
    label: str | None
    prediction: str
    favourable_is_positive: bool
    negative: str | None = None


def audit_group_disparity(
    table: CountTable,
    *,
    policy: Policy,
    meaning: Meaning,
    rng: np.random.Generator,
    strata: CountTable | None = None,
    units: UnitRows | None = None,
) -> tuple[GroupDisparity, list[Finding]]:
    """Compare groups of every attribute and intersection on every metric of the policy.

    Args:
        table: counts over all sensitive attributes.
        policy: checks, tolerances, alpha; an empty one asks for the defaults.
        rng: for the null expectation of the largest gap.
        strata: the same rows counted with a stratum as last attribute, to compare people of the same stratum.
        units: the same rows with the person behind each, where rows repeat persons.

    Raises:
        NothingToCompare: every attribute has fewer than two known groups.
        TooManyGroups: an attribute has more groups than can be compared pair by pair.
        PolicyError: a check names what is not there.
        UnknownGroup: the declared reference is no group.
    """
    _refuse_one_group(table)
    _refuse_many_groups(table)
    repeated = units if units is not None and units.repeated else None
    sampled = None if strata is None else Strata(strata, repeated)
    checks = planned(
        policy,
        sensitive=table.attributes,
        with_labels=table.has_labels,
        favourable_is_positive=meaning.favourable_is_positive,
        stratum=None if sampled is None else sampled.column,
    )
    metrics = _metrics(table, meaning)
    attributes: list[AttributeResult] = []
    composites: list[Finding] = []
    pairs: list[Finding] = []
    evidences: list[Evidence] = []
    stratified: list[Within] = []
    for chosen in attribute_sets(table.attributes, depth=policy.data.intersections):
        counts = table.of(*chosen)
        evidence = Evidence(counts, repeated.design(counts) if repeated is not None else None)
        wanted = [check for check in checks if check.attributes == chosen]
        within = None
        if sampled is not None and any(check.whole and check.whole.needs_stratum for check in wanted):
            within = within_strata(sampled, chosen, metrics[0])
            stratified.append(within)
        reference = reference_of(policy.data.reference, counts, favourable=metrics[0])
        answers = [_answer(check, evidence, within, reference) for check in wanted]
        composites += [answer.composite for answer in answers]
        pairs += [finding for answer in answers for finding in answer.pairs]
        attributes.append(_attribute_result(evidence, table, repeated, metrics, answers, rng))
        evidences.append(evidence)
    repeats = None if units is None else _repeats(units, evidences, metrics)
    document = GroupDisparity(
        positive=meaning.positive,
        favourable=meaning.favourable,
        negative=meaning.negative,
        label=meaning.label,
        prediction=meaning.prediction,
        family_level=min((check.budget.level for check in checks), default=1 - policy.alpha),
        weighted=table.weights is not None,
        attributes=attributes,
        bounds=_bounds(table, [check for check in checks if check.whole is None]),
        strata=[strata_result(within) for within in stratified] if sampled is not None else None,
        repeats=repeats,
        notes=_notes(table) + ([] if repeats is None else _repeat_notes(repeats)),
    )
    return document, [*sorted(composites, key=lambda finding: finding.gate is Gate.OFF), *pairs]


def _answer(check: PlannedCheck, evidence: Evidence, within: Within | None, reference: Reference | None) -> Answer:
    if check.whole is None:
        return answer(check, evidence, reference=reference)
    if check.whole.needs_stratum:
        assert within is not None
        return Answer(check, strata_finding(check, evidence, within), [], 0)
    return Answer(check, entropy_finding(check, evidence), [], 0)


def _refuse_one_group(table: CountTable) -> None:
    known = {}
    for name in table.attributes:
        counts = table.of(name)
        known[name] = [str(g[name]) for g, unknown in zip(counts.groups, counts.unknown, strict=True) if not unknown]
    if all(len(values) < 2 for values in known.values()):
        raise NothingToCompare(known)


def _refuse_many_groups(table: CountTable) -> None:
    for name in table.attributes:
        counts = table.of(name)
        known = int((~counts.unknown).sum())
        if known > MOST_GROUPS:
            raise TooManyGroups(name, known, int(counts.rows.sum()), MOST_GROUPS)


def _metrics(table: CountTable, meaning: Meaning) -> list[Metric]:
    favourable = favourable_rate(favourable_is_positive=meaning.favourable_is_positive)
    return [favourable, *(m for m in COUNT_METRICS.values() if table.has_labels or not m.needs_labels)]


def _notes(table: CountTable) -> list[str]:
    notes = []
    for name in table.attributes:
        counts = table.of(name)
        missing = int(counts.rows[counts.unknown].sum())
        if missing:
            notes.append(
                f"{name} is missing in {missing:,} of {int(counts.rows.sum()):,} rows: they are listed as unknown and left "
                "out of comparisons."
            )
    if table.weights is not None:
        notes.append("Rates are weighted; intervals use the effective sample size of each group (Kish 1965).")
    return notes


def _bounds(table: CountTable, checks: Sequence[PlannedCheck]) -> list[UnknownBounds] | None:
    """What the rows without an attribute could hide, for every check that they touch."""
    if not any(None in values for values in table.values):
        return None
    found = [
        bounds_of(
            table.of(*check.attributes),
            name=check.name,
            components=check.components,
            comparison=check.comparison,
            tolerance=check.tolerance,
            average=check.average,
        )
        for check in checks
    ]
    return [bound for bound in found if bound is not None] or None


def _attribute_result(
    evidence: Evidence,
    table: CountTable,
    units: UnitRows | None,
    metrics: Sequence[Metric],
    answers: Sequence[Answer],
    rng: np.random.Generator,
) -> AttributeResult:
    counts, compared = evidence.counts, ~evidence.counts.unknown
    expected = {
        answer.check.name: expected_largest_gap(
            counts,
            answer.check.components,
            answer.check.comparison,
            rng=rng,
            average=answer.check.average,
            design=evidence.design,
            compared=compared,
        )
        for answer in answers
        if answer.check.whole is None
    }
    labelled = table.has_labels
    everyone = table.overall()
    return AttributeResult(
        attribute=counts.name,
        groups=group_results(counts, metrics, small_rows=SMALL_GROUP_ROWS, has_labels=labelled, design=evidence.design),
        overall=group_results(
            everyone,
            metrics,
            small_rows=SMALL_GROUP_ROWS,
            has_labels=labelled,
            design=units.design(everyone) if units is not None else None,
        )[0],
        pairs=PairsListed(
            total=sum(answer.pairs_total for answer in answers),
            listed=sum(answer.pairs_listed for answer in answers),
            rule=f"all pairs of gated checks, or the {MOST_PAIRS_LISTED} largest gaps where there are more",
        ),
        expected_largest_gap=expected,
    )


def _repeats(units: UnitRows, evidence: Sequence[Evidence], metrics: Sequence[Metric]) -> Repeats:
    """How far the units shrink what the rows are worth, over all groups and rates that are compared."""
    effects, crossing = [], np.zeros(0, dtype=np.int64)
    for each in evidence:
        if each.design is None:
            continue
        crossing = np.union1d(crossing, each.design.unit[each.design.crossed])
        for metric in metrics:
            if metric.is_rate:
                _, n = metric.fraction(each.counts.effective)
                fraction = each.design.fraction(metric, z=Z_SINGLE)
                effects.append(1 / fraction[(n > 0) & ~each.counts.unknown & ~each.small])
    found = np.concatenate(effects) if effects else np.zeros(0)
    return Repeats(
        rows=len(units.unit),
        units=units.units,
        design_effect_lowest=float(found.min()) if len(found) else None,
        design_effect_highest=float(found.max()) if len(found) else None,
        crossing=len(crossing),
    )


def _repeat_notes(repeats: Repeats) -> list[str]:
    if repeats.units == repeats.rows:
        return ["Every unit is one row, so that rows count as they are."]
    effect = ""
    if repeats.design_effect_lowest is not None and repeats.design_effect_highest is not None:
        effect = (
            f" Over groups and rates {number(repeats.design_effect_lowest, digits=2)} to "
            f"{number(repeats.design_effect_highest, digits=2)} rows are worth one independent row."
        )
    notes = [
        f"{repeats.rows:,} rows are of {repeats.units:,} units: intervals and verdicts count what the units show, not "
        f"the rows.{effect}"
    ]
    if repeats.crossing:
        notes.append(
            f"{repeats.crossing:,} units have rows in several groups; intervals between their groups may be wider than "
            "they need to be."
        )
    return notes
