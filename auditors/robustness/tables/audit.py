"""The robustness audit of tables: searches the smallest feasible changes and compares groups. Each step has its own file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.errors import UnfitData
from evenhand.auditors.policy import RobustnessSection
from evenhand.auditors.protocols import Progress, silent
from evenhand.auditors.report import (
    Attack,
    ChangeExample,
    ChangeGroup,
    FeasibleChanges,
    Finding,
    Masking,
    Robustness,
    RobustnessGap,
    RobustnessGroup,
)
from evenhand.auditors.robustness.tables.data import Decide, RowData
from evenhand.auditors.robustness.tables.examples import RULE, examples
from evenhand.auditors.robustness.tables.feasible import Feasible, feasible_changes
from evenhand.auditors.robustness.tables.findings import cost_finding, cost_row, share_finding, share_row
from evenhand.auditors.robustness.tables.gaps import COST_OF, cost_pairs, deciding_cost, share_gap
from evenhand.auditors.robustness.tables.groups import accuracy_groups, change_groups
from evenhand.auditors.robustness.tables.sample import QUESTIONS, Question, Sample
from evenhand.auditors.robustness.tables.search import RESTARTS, search
from evenhand.auditors.robustness.tables.states import OWN
from evenhand.auditors.robustness.tables.words import COST, unsearched
from evenhand.auditors.verdict import Gate

NORM = "L1 of quantiles"
STAGES = ["single changes", "pairs", "walks with random restarts", "shrinking by bisection"]
ROWS_PER_GROUP, ROWS_THOROUGH = 200, 2000
TOLERANCE = 0.10


@dataclass(frozen=True, eq=False)
class Searched:
    """What was found of all n rows: cost is NaN where a row was not searched, states by question of shape (n, blocks)."""

    sample: Sample
    cost: NDArray[np.float64]
    states: Mapping[Question, NDArray[np.int32]]
    feasible: Mapping[Question, Feasible]
    queries: NDArray[np.int64]


def audit_changes(
    data: RowData,
    decide: Decide,
    *,
    favourable: str,
    settings: RobustnessSection | None = None,
    rows_per_group: int | None = None,
    sensitive: Sequence[str] = (),
    thorough: bool = False,
    seed: int,
    gate: Gate = Gate.PROOF,
    tolerances: Mapping[str, float] | None = None,
    level: float = 0.95,
    progress: Progress = silent,
) -> tuple[Robustness, list[Finding]]:
    """Ask whose decisions are easily lost (fragility), and who can win theirs by a feasible change (recourse).

    Args:
        data: all rows.
        decide: the classifier, asked for decisions alone.
        favourable: the favourable outcome, as people call it.
        settings: `[robustness]` of the policy.
        rows_per_group: rows searched of each group and decision where the settings name no number; None: 200, thorough
            2,000.
        sensitive: columns that never change, beside the attributes.
        seed: of samples, restarts, bootstraps and permutations.
        gate: of the recourse gap of each attribute, which decides; the others have none.
        tolerances: by name of gap (recourse, recourse_cost, fragility, fragility_cost); absent: .10.
        level: of the intervals of groups, a fraction; gaps are decided, and shown, at .99.
        progress: called with the fraction done.

    Returns:
        The part of the report, and four findings an attribute.

    Raises:
        UnfitData: no attribute is named. UndefinedScores: the classifier answers with what is not finite.
        PolicyError: see `feasible.feasible_changes`.

    Source: METHODS section 5; Ustun, Spangher and Liu (2019), Actionable recourse in linear classification, FAT*; Gupta et
        al. (2019), Equalizing recourse across groups.
    """
    if not data.attributes:
        raise UnfitData("no attribute is named, so no groups can be compared. Name one: ", ("sensitive", None), ".")
    settings = settings or RobustnessSection()
    most = settings.rows_per_group or rows_per_group or (ROWS_THOROUGH if thorough else ROWS_PER_GROUP)
    progress(0.0, "listing feasible changes")
    feasible = feasible_changes(data, rules=settings.features, sensitive=sensitive)
    searched = _search_all(data, decide, feasible, settings, most, seed, progress)
    progress(0.8, "comparing groups")
    compared = [
        _compared(searched, attribute, settings, seed, gate, tolerances or {}, level) for attribute in data.attributes
    ]
    shown = [
        example
        for attribute in data.attributes
        for example in examples(
            searched.sample,
            attribute,
            cost=searched.cost,
            states=searched.states,
            feasible=searched.feasible,
            rules=settings.features,
            favourable=favourable,
        )
    ]
    progress(1.0, "robustness done")
    report = _document(searched, compared, shown, settings, favourable, seed)
    return report, [finding for each in compared for finding in each.findings]


def _search_all(
    data: RowData,
    decide: Decide,
    feasible: Feasible,
    settings: RobustnessSection,
    most: int,
    seed: int,
    progress: Progress,
) -> Searched:
    sample = Sample(data, decide(data.columns).favourable, most, seed)
    rows = sample.searched()
    cost, queries = np.full(len(data), np.nan), np.zeros(len(data), dtype=np.int64)
    by_question: dict[Question, Feasible] = {"recourse": feasible.actionable(), "fragility": feasible}
    states: dict[Question, NDArray[np.int32]] = {}
    for number, question in enumerate(QUESTIONS):
        progress(0.1 + 0.35 * number, f"searching for {question}")
        here = rows[sample.favourable[rows] == (question == "fragility")]
        found = search(
            {name: values[here] for name, values in data.columns.items()},
            data.ids[here],
            by_question[question].blocks,
            wanted=~sample.favourable[here],
            decide=decide,
            budget=settings.budget,
            seed=seed,
        )
        cost[here], queries[here] = found.cost, found.queries
        states[question] = np.full((len(data), found.states.shape[1]), OWN, dtype=np.int32)
        states[question][here] = found.states
    return Searched(sample, cost, states, by_question, queries)


@dataclass(frozen=True)
class _Compared:
    """One attribute's part of the report."""

    groups: list[RobustnessGroup]
    changes: list[ChangeGroup]
    gaps: list[RobustnessGap]
    findings: list[Finding]


def _compared(
    searched: Searched,
    attribute: str,
    settings: RobustnessSection,
    seed: int,
    gate: Gate,
    tolerances: Mapping[str, float],
    level: float,
) -> _Compared:
    sample, cost, fragile = searched.sample, searched.cost, settings.fragility_budget
    gaps, findings = [], []
    for question in QUESTIONS:
        within = settings.budget if question == "recourse" else fragile
        tolerance = tolerances.get(question, TOLERANCE)
        share = share_gap(sample, attribute, question, cost, fragility_budget=fragile, tolerance=tolerance, seed=seed)
        gaps.append(share_row(share, question, attribute, within))
        findings.append(
            share_finding(
                share,
                question,
                attribute,
                sample=sample,
                cost=cost,
                budget=within,
                fragility_budget=fragile,
                gate=gate,
                tolerance=tolerance,
            )
        )
        tolerance = tolerances.get(COST_OF[question], TOLERANCE)
        pairs = cost_pairs(sample, attribute, question, cost, budget=settings.budget, seed=seed)
        pair = deciding_cost(pairs, tolerance=tolerance)
        gaps.append(cost_row(pair, question, attribute, settings.budget, tolerance=tolerance))
        findings.append(cost_finding(pair, question, attribute, tolerance=tolerance))
    return _Compared(
        groups=accuracy_groups(sample, attribute, cost, fragility_budget=fragile, level=level, seed=seed),
        changes=change_groups(sample, attribute, cost, fragility_budget=fragile, level=level, seed=seed),
        gaps=gaps,
        findings=findings,
    )


def _document(
    searched: Searched,
    compared: Sequence[_Compared],
    shown: list[ChangeExample],
    settings: RobustnessSection,
    favourable: str,
    seed: int,
) -> Robustness:
    data, most = searched.sample.data, int(searched.queries.max(initial=0))
    return Robustness(
        attribute_columns=list(data.attributes),
        units=_units_in_words(data),
        attack=Attack(
            norm=NORM,
            eps=settings.fragility_budget,
            attacks=STAGES,
            steps=most,
            restarts=RESTARTS,
            seed=seed,
        ),
        groups=[row for each in compared for row in each.groups],
        gaps=[gap for each in compared for gap in each.gaps],
        masking=Masking(suspected=False, checks=[]),
        changes=FeasibleChanges(
            favourable=favourable,
            budget=settings.budget,
            fragility_budget=settings.fragility_budget,
            cost=COST,
            features=list(searched.feasible["fragility"].features),
            groups=[row for each in compared for row in each.changes],
            examples=shown,
            rows_per_group=searched.sample.most,
            queries=int(searched.queries.sum()) + len(data),
            most_queries=most,
        ),
        notes=_notes(searched, settings),
    )


def _units_in_words(data: RowData) -> str:
    if data.unit is None:
        return f"each of the {len(data):,} rows is its own unit: no unit column was given"
    return f"{len(np.unique(data.unit)):,} units; intervals and tests run over units"


def _notes(searched: Searched, settings: RobustnessSection) -> list[str]:
    sample, asked = searched.sample, searched.queries[searched.queries > 0]
    mean = float(asked.mean()) if len(asked) else 0.0
    notes = [
        "Costs are those of the smallest changes that were found, upper bounds: a longer search may find smaller ones, and "
        "recourse where none was found.",
        f"Searched are at most {sample.most:,} rows of each group and decision, {len(asked):,} in all, drawn from the seed and "
        f"the row ids; the classifier was asked {mean:.0f} times a row on average and {int(searched.queries.max(initial=0)):,} "
        "times at most.",
        "A change says what this classifier would decide, and nothing about whether a person can make it, or what else it "
        "would change. A missing value stays missing.",
        RULE,
    ]
    if any(not block.actionable for block in searched.feasible["fragility"].blocks):
        notes.append("Robust accuracy counts changes that lose a favourable decision, and actionable ones that win it.")
    if not searched.feasible["recourse"].blocks:
        notes.append(
            "No feature can be acted on, so that nobody has recourse: see [robustness.features] of the policy."
        )
    for attribute in sample.data.attributes:
        for question in QUESTIONS:
            if small := unsearched(sample.levels(attribute, question)):
                notes.append(f"Groups of {attribute} under 30 rows in {question} prove nothing: {small}.")
    return notes
