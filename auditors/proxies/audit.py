"""The proxy audit, step by step: encode, use, search, leak, contribute, and what follows from it for each feature."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.errors import LengthMismatch
from evenhand.auditors.protocols import Progress, silent
from evenhand.auditors.proxies.asking import Answers, ask, choose_pairs, contrasts_on
from evenhand.auditors.proxies.data import ProxyData
from evenhand.auditors.proxies.encoding import Encoding, decide_encodings, encoding_tests
from evenhand.auditors.proxies.explained import explained_gap, explained_notes
from evenhand.auditors.proxies.groups import Groups
from evenhand.auditors.proxies.interventions import Decide, score_rows
from evenhand.auditors.proxies.leaks import leakages
from evenhand.auditors.proxies.plan import THOROUGH, Budget
from evenhand.auditors.proxies.prepare import Prepared, prepare
from evenhand.auditors.proxies.profile import profiled
from evenhand.auditors.proxies.regional import (
    Place,
    find_places,
    place_notes,
    regional_rows,
    regional_sets,
    strata_of,
)
from evenhand.auditors.proxies.results import (
    Question,
    block_subject,
    feature_rows,
    finding,
    not_assessed,
    received,
    set_row,
    set_subject,
)
from evenhand.auditors.proxies.search import Found, any_encodes, find_sets
from evenhand.auditors.proxies.set_regions import cells_inside
from evenhand.auditors.proxies.strata import within_strata
from evenhand.auditors.proxies.surrogate import (
    FEW_ROWS,
    THRESHOLD,
    Learned,
    learn_surrogate,
    marked,
    marked_set,
    unproven,
)
from evenhand.auditors.proxies.words import receives, sampling_note
from evenhand.auditors.report import ExplainedGap, Finding, ProxyAudit, ProxyFeature, ProxySet, Surrogate

ONE_GROUP = "fewer than two groups have 30 rows, so that nothing can be compared"


@dataclass(frozen=True)
class Context:
    """What every step is told."""

    data: ProxyData
    decide: Decide | None
    scores: NDArray[np.float64] | None
    threshold: float
    level: float
    budget: Budget


def audit_proxies(
    data: ProxyData,
    *,
    decide: Decide | None,
    score_threshold: float = 0.5,
    favourable_is_positive: bool,
    level: float = 0.95,
    rng: np.random.Generator,
    thorough: bool = False,
    progress: Progress = silent,
    scores: NDArray[np.float64] | None = None,
) -> tuple[ProxyAudit, list[Finding]]:
    """Which features stand in for an attribute, whether the model uses them, and what that does to the gap.

    Args:
        data: features, attributes and perhaps a stratum of n rows. At most 200,000 are used (1,000,000 if `thorough`).
        decide: columns of length m to the scores of the positive class, shape (m,); None where only predictions are
            known: then trees that decide alike are asked in its place, if they do so well enough (`surrogate`).
        score_threshold: positive decision where the score is at least this.
        favourable_is_positive: whether a positive decision helps the person; it changes the words only.
        level: 1 - alpha of the whole audit. Encodings share alpha by Holm, contributions by Bonferroni over what
            encodes.
        rng: same state, same answer; the features' order does not matter.
        scores: shape (n,), the predictions where there is no model (0 and 1 will do).

    Returns:
        The audit, and one finding for each block or joint set and attribute: its part of the gap of positive
        decisions between the two groups furthest apart, a fraction; positive where it widens the gap. A part counts
        beyond .01 and a tenth of the gap. Disparity is proven for proxies only; an attribute without two groups of 30
        rows has one finding.

    Raises:
        LengthMismatch: columns, attributes or scores differ in length.
        UndefinedScores: the classifier does not score every row.

    Source: Datta et al. (2017), CCS; Shapley (1953) with permuted blocks; DeLong et al. (1988); Holm (1979).
    """
    if scores is not None and len(scores) != data.rows:
        raise LengthMismatch("scores", len(scores), data.rows)
    budget = THOROUGH if thorough else Budget()
    context = Context(data, decide if data.columns else None, scores, score_threshold, level, budget)
    progress(0.0, "coding features")
    prepared = prepare(data, budget, rng)
    compared = [groups for groups in prepared.groups if groups.comparable]

    progress(0.05, "asking which features encode an attribute")
    encodings = {groups.attribute: _encodings(prepared, groups, level, len(compared)) for groups in compared}
    share = 1 - (1 - level) / max(1, len(compared))
    places = {
        groups.attribute: find_places(prepared, data.columns, groups, encodings[groups.attribute], level=share)
        for groups in compared
    }
    prepared = replace(prepared, regions={attribute: strata_of(some) for attribute, some in places.items()})
    learned = _learned(context, prepared) if compared else None
    asked = _asked(context, learned)
    answers = _answers(asked, prepared, rng, _within(progress, 0.15, 0.70)) if compared else None
    progress(0.70, "searching for joint proxies")
    searched = _searched(prepared, answers, budget)
    found = {
        groups.attribute: find_sets(prepared, groups, encodings[groups.attribute], searched, level=share)
        for groups in compared
    }
    found = {attribute: _with_regional_cells(some, prepared, places[attribute]) for attribute, some in found.items()}
    leaks = leakages(
        prepared,
        compared,
        encodings,
        found,
        scores_at=lambda rows: _scores(context, prepared, rows),
        favoured=lambda scores: (scores >= score_threshold) == favourable_is_positive,
        budget=budget,
        level=level,
        rng=rng,
        progress=_within(progress, 0.75, 0.98),
    )
    claim_level = 1 - (1 - level) / _claims(prepared, encodings, found)
    questions = [
        Question(
            prepared,
            groups,
            encodings[groups.attribute],
            found[groups.attribute].sets,
            answers,
            claim_level,
            1 - level,
        )
        for groups in compared
    ]
    features, sets, findings = _reported(questions)
    features = profiled(features, data.columns, prepared, _decisions(context, prepared))
    in_strata, sets_in_strata = within_strata(questions, searched, level=level)
    features += in_strata
    features += [row for question in questions for row in regional_rows(question, places[question.groups.attribute])]
    sets += sets_in_strata
    sets += [row for question in questions for row in regional_sets(question, places[question.groups.attribute])]
    explained = _explained(context, prepared, rng) if data.legitimate else []
    one_group = [groups.attribute for groups in prepared.groups if not groups.comparable]
    gap, all_permuted = _gaps(context, prepared, answers)
    if answers is not None and learned is not None:
        features, sets = [marked(row) for row in features], [marked_set(row) for row in sets]
        findings = [unproven(each) for each in findings]
    progress(1.0, "proxies done")
    return (
        ProxyAudit(
            rows_used=len(prepared.rows),
            gap=gap,
            gap_all_permuted=all_permuted,
            features=features,
            sets=sets,
            leakage=leaks,
            surrogate=None if learned is None else _with_gap(context, prepared, learned),
            explained=explained,
            notes=[
                *_surrogate_notes(context, learned),
                *_notes(context, prepared, answers, searched, favourable_is_positive=favourable_is_positive),
                *dict.fromkeys(note for some in found.values() for note in some.notes),
                *explained_notes(
                    explained,
                    [groups.attribute for groups in compared] if data.legitimate else [],
                    decided=decide is not None or scores is not None,
                ),
                *(note for groups in compared for note in place_notes(groups, prepared, places[groups.attribute])),
            ],
        ),
        findings + [not_assessed(attribute, ONE_GROUP) for attribute in one_group],
    )


def _encodings(prepared: Prepared, groups: Groups, level: float, families: int) -> dict[str, Encoding]:
    tests = encoding_tests(prepared.units, groups, prepared.folds)
    return decide_encodings(tests, level=1 - (1 - level) / families)


def _learned(context: Context, prepared: Prepared) -> Learned | None:
    if context.decide is not None or context.scores is None:
        return None
    decisions = context.scores[prepared.rows] >= context.threshold
    # the trees' seed is no draw of the audit's, whose other numbers stay as they are with a model
    return learn_surrogate(context.data, prepared, decisions, seed=0, level=context.level)


def _asked(context: Context, learned: Learned | None) -> Context:
    """Who is asked: the model, or the surrogate where it is good enough."""
    if learned is None or not learned.document.sufficient:
        return context
    return replace(context, data=learned.data, decide=learned.decide, threshold=THRESHOLD)


def _with_gap(context: Context, prepared: Prepared, learned: Learned) -> Surrogate:
    return learned.document.model_copy(update={"gap": _gaps(context, prepared, None)[0]})


def _surrogate_notes(context: Context, learned: Learned | None) -> Iterator[str]:
    if learned is not None:
        yield learned.document.message
    elif context.decide is None and context.scores is not None and context.data.columns:
        yield FEW_ROWS


def _answers(context: Context, prepared: Prepared, rng: np.random.Generator, progress: Progress) -> Answers | None:
    if context.decide is None:
        return None
    return ask(
        context.data,
        prepared,
        context.decide,
        threshold=context.threshold,
        budget=context.budget,
        rng=rng,
        progress=progress,
    )


def _searched(prepared: Prepared, answers: Answers | None, budget: Budget) -> list[int]:
    """Blocks that are combined: all, or those that change most decisions where there are too many."""
    blocks = [block for block, found in enumerate(prepared.blocks) if not found.column.constant]
    if answers is not None:
        blocks.sort(key=lambda block: -answers.use.flip_rate[block])
    return sorted(blocks[: budget.joint_features])


def _with_regional_cells(found: Found, prepared: Prepared, places: Sequence[Place]) -> Found:
    """What sets say in their regions goes to the leakage model as well."""
    more = (cells_inside(place.region, prepared) for place in places if len(place.region.blocks) > 1)
    return replace(found, cells=(*found.cells, *more))


def _scores(context: Context, prepared: Prepared, rows: NDArray[np.int64]) -> NDArray[np.float64] | None:
    if context.decide is not None:
        return score_rows(context.decide, context.data.columns, prepared.rows[rows])
    return None if context.scores is None else context.scores[prepared.rows[rows]].astype(np.float64)


def _decisions(context: Context, prepared: Prepared) -> NDArray[np.bool_] | None:
    """Of every sampled row, with the scores at hand where there are some."""
    if context.scores is not None:
        scores: NDArray[np.float64] | None = context.scores[prepared.rows]
    else:
        scores = _scores(context, prepared, np.arange(len(prepared.rows)))
    return None if scores is None else scores >= context.threshold


def _claims(prepared: Prepared, encodings: Mapping[str, Mapping[str, Encoding]], found: Mapping[str, Found]) -> int:
    """How many contributions could be claimed: of blocks that encode, of sets, and of their members."""
    count = 0
    for attribute, by_unit in encodings.items():
        sets = found[attribute].sets
        in_sets = {block for joint in sets for block in joint.blocks}
        alone = [block for block in range(len(prepared.blocks)) if any_encodes(prepared, by_unit, block)]
        count += len(alone) + len(sets) + len(in_sets)
    return max(1, count)


def _reported(questions: Sequence[Question]) -> tuple[list[ProxyFeature], list[ProxySet], list[Finding]]:
    features: list[ProxyFeature] = []
    set_rows: list[ProxySet] = []
    findings: list[Finding] = []
    for question in questions:
        sets = [set_subject(question, joint) for joint in question.sets]
        blocks = [block_subject(question, block, sets) for block in range(len(question.prepared.blocks))]
        # that the model receives the attribute itself is said first
        blocks.sort(key=lambda subject: not received(question.groups.attribute, subject.features))
        features += [row for subject in blocks for row in feature_rows(question, subject)]
        set_rows += [set_row(question, subject, joint) for subject, joint in zip(sets, question.sets, strict=True)]
        findings += [finding(question, subject, sets) for subject in blocks]
        findings += [finding(question, subject) for subject in sets]
    return features, set_rows, findings


def _gaps(
    context: Context, prepared: Prepared, answers: Answers | None
) -> tuple[dict[str, float | None], dict[str, float | None]]:
    unknown: dict[str, float | None] = {groups.attribute: None for groups in prepared.groups}
    if answers is not None:
        places = [place for place in answers.contrasts if place[1] is None]
        return (
            unknown | {place[0]: answers.gap(place) for place in places},
            unknown | {place[0]: answers.gap_all_permuted(place) for place in places},
        )
    rows = prepared.halves.estimate
    scores = _scores(context, prepared, rows)
    if scores is None:
        return unknown, {}
    positive = (scores >= context.threshold).astype(np.float64)
    pairs = choose_pairs(prepared, rows, positive)
    contrasts = contrasts_on(prepared, pairs, rows)
    return unknown | {
        attribute: float(contrast.difference(positive))
        for (attribute, stratum), contrast in contrasts.items()
        if stratum is None
    }, {}


def _explained(context: Context, prepared: Prepared, rng: np.random.Generator) -> list[ExplainedGap]:
    """The gaps of decisions on the estimating half, split by the declared factors; the pairs are chosen on the other."""
    search, estimate = prepared.halves.search, prepared.halves.estimate
    on_search, on_estimate = _scores(context, prepared, search), _scores(context, prepared, estimate)
    if on_search is None or on_estimate is None:
        return []
    pairs = choose_pairs(prepared, search, (on_search >= context.threshold).astype(np.float64))
    return [
        explained_gap(
            context.data.legitimate,
            contrast,
            prepared.rows[estimate],
            on_estimate >= context.threshold,
            level=context.level,
            rng=rng,
        )
        for (_, stratum), contrast in contrasts_on(prepared, pairs, estimate).items()
        if stratum is None
    ]


def _notes(
    context: Context,
    prepared: Prepared,
    answers: Answers | None,
    searched: Sequence[int],
    *,
    favourable_is_positive: bool,
) -> Iterator[str]:
    features = sorted(context.data.columns)
    for groups in prepared.groups:
        own = received(groups.attribute, features)
        if own:
            yield f"{receives(groups.attribute, own)}."
    for groups in prepared.groups:
        if not groups.comparable:
            yield f"{groups.attribute} is not assessed: {ONE_GROUP}."
        if groups.note:
            yield groups.note
    if len(prepared.rows) < context.data.rows:
        yield f"{len(prepared.rows):,} of {context.data.rows:,} rows, drawn at random, were used."
    if not prepared.halves.apart:
        yield "There are fewer than 2,000 rows: candidates were searched for and confirmed on the same rows."
    if len(searched) < sum(not block.column.constant for block in prepared.blocks):
        yield f"Joint proxies were searched for among the {len(searched)} features that change most decisions."
    if not context.data.columns:
        yield "There are no features, so that nothing can be a proxy."
    if answers is None:
        yield "Without a model only encoding and leakage are known; use and contribution need the model."
        return
    helped = "favoured" if favourable_is_positive else "disfavoured"
    for (attribute, stratum), contrast in answers.contrasts.items():
        if stratum is None:
            yield (
                f"{attribute}: the gap is the rate of positive decisions of {contrast.high} ({helped}) less that of "
                f"{contrast.low}, {len(contrast.high_rows):,} and {len(contrast.low_rows):,} rows"
                + ("; the pair was chosen on other rows." if prepared.halves.apart else ".")
            )
    yield (
        f"Use: each feature permuted 10 times on {answers.use_rows:,} rows. "
        f"Contribution: Shapley values on {answers.rows:,} rows and {2 * answers.pairs} orderings; "
        "the parts sum to the gap less the gap with everything permuted."
    )
    for place in answers.contrasts:
        if place[1] is None:
            yield sampling_note(
                place[0],
                answers.sampling_errors(place),
                rows=answers.rows,
                orderings=2 * answers.pairs,
                level=context.level,
            )


def _within(progress: Progress, start: float, end: float) -> Progress:
    return lambda fraction, message: progress(start + (end - start) * fraction, message)
