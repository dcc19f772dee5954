"""From numbers to rows of the report and findings: one row a feature, one finding a block or set."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from evenhand.auditors.policy import INTERSECTION_SIGN
from evenhand.auditors.proxies.asking import Answers
from evenhand.auditors.proxies.contribution import Part
from evenhand.auditors.proxies.encoding import CALENDAR, Encoding
from evenhand.auditors.proxies.groups import Groups, group_document
from evenhand.auditors.proxies.prepare import Prepared
from evenhand.auditors.proxies.roles import (
    ROLE_ORDER,
    USED,
    Claim,
    detectable,
    role_of,
    rows_needed,
    tolerance_of,
    verdict_of,
)
from evenhand.auditors.proxies.search import JointSet
from evenhand.auditors.proxies.words import (
    ONE,
    TOGETHER,
    contribution_message,
    encoding_words,
    receives,
    use_note,
    without_model_message,
)
from evenhand.auditors.report import Encodes, Estimate, Finding, ProxyFeature, ProxySet, Role
from evenhand.auditors.verdict import Comparison, Rule, Verdict

NO_MODEL = "no model: predictions alone do not tell what a feature contributes"
FEW_ROWS = "a group has fewer than 30 rows among those the contribution is estimated on"
CONSTANT = "the feature is the same for every row"
UNTOLD = "here the feature is the same for every row, or no two groups have 30 rows"
UNMOVED = "no score changed when it was permuted"


Row = TypeVar("Row", ProxyFeature, ProxySet)


@dataclass(frozen=True)
class Subject:
    """A block or a joint set, for one attribute and place: what it encodes, its role and its claim."""

    name: str
    features: tuple[str, ...]
    blocks: tuple[int, ...]
    encoding: Encoding | None
    role: Role
    claim: Claim | None
    flip_rate: float | None
    note: str | None


@dataclass(frozen=True)
class Question:
    """One attribute, over all rows or within a stratum, with everything that was found out about it.

    `level`: of every deciding interval. `alpha`: error of the audit.
    """

    prepared: Prepared
    groups: Groups
    encodings: Mapping[str, Encoding]
    sets: tuple[JointSet, ...]
    answers: Answers | None
    level: float
    alpha: float
    stratum: str | None = None

    @property
    def place(self) -> tuple[str, str | None]:
        return self.groups.attribute, self.stratum

    @property
    def contributes(self) -> bool:
        return self.answers is not None and self.place in self.answers.contrasts

    def claim(self, blocks: Sequence[int]) -> Claim | None:
        if self.answers is None or not self.contributes:
            return None
        return Claim(
            self.answers.part(self.place, blocks), tolerance_of(self.answers.gap(self.place)), self.level, self.alpha
        )

    def flip_rate(self, blocks: Sequence[int]) -> float | None:
        """Of a set: that of the member that changes most decisions, a lower bound."""
        return None if self.answers is None else max(float(self.answers.use.flip_rate[block]) for block in blocks)

    def of_block(self, block: int) -> Encoding | None:
        """The strongest of the members' encodings."""
        units = self.prepared.units_of(block)
        found = [self.encodings[unit] for unit in sorted(units) if unit in self.encodings]
        return max(found, key=lambda encoding: (encoding.encodes, encoding.strength), default=None)


def set_subject(question: Question, joint: JointSet) -> Subject:
    """A set with the sum of its members' parts; one that is not shown to encode, in some stratum, is neutral there."""
    blocks = joint.blocks
    claim, flips = question.claim(blocks), question.flip_rate(blocks)
    return Subject(
        " & ".join(question.prepared.blocks[block].name for block in blocks),
        tuple(member for block in blocks for member in question.prepared.blocks[block].members),
        blocks,
        joint.encoding,
        role_of(encodes=joint.encoding.encodes, used=(flips or 0) >= USED, claim=claim, joint=True),
        claim,
        flips,
        None,
    )


def block_subject(question: Question, block: int, sets: Sequence[Subject]) -> Subject:
    """A block with its own role, or that of the strongest set it belongs to."""
    encoding, claim, flips = question.of_block(block), question.claim([block]), question.flip_rate([block])
    encodes = encoding is not None and encoding.encodes
    role = role_of(encodes=encodes, used=(flips or 0) >= USED, claim=claim)
    mine = [joint for joint in sets if block in joint.blocks]
    if role == "neutral" and mine:
        role = max((joint.role for joint in mine), key=ROLE_ORDER.index)
    members = question.prepared.blocks[block].members
    return Subject(
        question.prepared.blocks[block].name,
        members,
        (block,),
        encoding,
        role,
        claim,
        flips,
        _note(question, block, role, claim, flips, mine),
    )


def feature_rows(question: Question, subject: Subject) -> Iterator[ProxyFeature]:
    """A row for every member of a block; its own area, and the block's everything else."""
    for member in subject.features:
        own = question.encodings.get(question.prepared.unit_of[member])
        yield ProxyFeature(
            feature=member,
            attribute=question.groups.attribute,
            encodes=own.document() if own else Encodes(auc=0.5 if question.stratum is None else None),
            flip_rate=subject.flip_rate,
            contribution=_estimate(question, subject.claim),
            score_contribution=_score_estimate(question, subject),
            influence=_influence(question, subject),
            influence_interval=_influence_interval(question, subject),
            role=subject.role,
            block=list(subject.features),
            block_name=subject.name,
            stratum=question.stratum,
            note=subject.note,
        )


def set_row(question: Question, subject: Subject, joint: JointSet) -> ProxySet:
    return ProxySet(
        features=list(subject.features),
        attribute=question.groups.attribute,
        role=subject.role,
        encodes=joint.encoding.document(),
        contribution=_estimate(question, subject.claim),
        stratum=question.stratum,
        note=subject.note,
    )


def noted(row: Row, note: str | None, **changed: object) -> Row:
    """The row with this said before its own note, and perhaps other fields changed."""
    said = "; ".join(filter(None, (note, row.note)))
    return row.model_copy(update={"note": said or None, **changed})


def finding(question: Question, subject: Subject, sets: Sequence[Subject] = ()) -> Finding:
    """What may be said about a block or set; `sets` are those a member of which it may be."""
    attribute, claim = question.groups.attribute, subject.claim
    message = _message(question, subject, [joint for joint in sets if subject.blocks[0] in joint.blocks])
    shared = {
        "id": f"proxy/contribution/{attribute}/{subject.name}",
        "audit": "proxy",
        "metric": "contribution",
        "comparison": Comparison.VALUE,
        "attribute": attribute,
        "rule": Rule.INTERVAL,
        "verdict": verdict_of(subject.role, claim),
        "message": message[:1].upper() + message[1:] if message.startswith("the model") else message,
    }
    if claim is None or question.answers is None:
        return Finding.model_validate(shared | {"estimate": None})
    contrast = question.answers.contrasts[question.place]
    equivalence = claim.equivalence
    return Finding.model_validate(
        shared
        | {
            "group": group_document(attribute, contrast.low),
            "reference": group_document(attribute, contrast.high),
            "estimate": claim.part.estimate,
            "low": claim.low,
            "high": claim.high,
            "level": claim.level,
            "equivalence_low": equivalence[0],
            "equivalence_high": equivalence[1],
            "tolerance": claim.tolerance,
            "n": len(contrast.low_rows),
            "reference_n": len(contrast.high_rows),
            "rows_needed": rows_needed(subject.role, claim, question.answers.rows)
            if verdict_of(subject.role, claim) is Verdict.INCONCLUSIVE
            else None,
            "detectable": detectable(claim),
        }
    )


def not_assessed(attribute: str, reason: str) -> Finding:
    """The one finding of an attribute in which nothing can be compared."""
    return Finding(
        id=f"proxy/contribution/{attribute}",
        audit="proxy",
        metric="contribution",
        comparison=Comparison.VALUE,
        attribute=attribute,
        estimate=None,
        verdict=Verdict.INCONCLUSIVE,
        message=f"{attribute} is not assessed: {reason}.",
    )


def received(attribute: str, features: Sequence[str]) -> list[str]:
    """Features that are the attribute itself, or a part of an intersection."""
    return [name for name in (attribute, *attribute.split(INTERSECTION_SIGN)) if name in features][
        : len(attribute.split(INTERSECTION_SIGN))
    ]


def _message(question: Question, subject: Subject, sets: Sequence[Subject]) -> str:
    attribute = question.groups.attribute
    grammar = TOGETHER if len(subject.blocks) > 1 else ONE
    opening = encoding_words(
        subject.name, attribute, subject.encoding, groups=len(question.groups.names), grammar=grammar
    )
    if sets and (subject.encoding is None or not subject.encoding.encodes):
        opening += f" alone, but does together ({', '.join(joint.name for joint in sets)})"
    own = received(attribute, subject.features)
    if own:
        opening = f"{receives(attribute, own)}: {opening}"
    if question.answers is None:
        return without_model_message(opening)
    if subject.claim is None or subject.flip_rate is None:
        return f"{opening}; {FEW_ROWS}."
    return contribution_message(
        opening,
        subject.role,
        subject.claim,
        gap=question.answers.gap(question.place),
        flip_rate=subject.flip_rate,
        grammar=grammar,
    )


def _note(
    question: Question, block: int, role: Role, claim: Claim | None, flips: float | None, sets: Sequence[Subject]
) -> str | None:
    encoding = question.of_block(block)
    notes = []
    own = received(question.groups.attribute, question.prepared.blocks[block].members)
    if own:
        notes.append(receives(question.groups.attribute, own))
    elif encoding is not None and encoding.strength == 1:
        notes.append(f"tells the groups of {question.groups.attribute} apart without error: a copy of it")
    if question.prepared.blocks[block].label:
        notes.append("a block that was declared")
    if question.prepared.blocks[block].one_hot:
        notes.append("read with its one-hot columns as one variable")
    if encoding is None:
        notes.append(CONSTANT if question.stratum is None else UNTOLD)
    elif encoding.encodes and encoding.reading == "missing":
        notes.append("whether it is missing encodes, not its value")
    elif encoding.encodes and encoding.reading in CALENDAR:
        notes.append(f"its {encoding.reading} encodes")
    if sets:
        notes.append(f"encodes together: {', '.join(joint.name for joint in sets)}")
    if claim is not None and question.answers is not None and block not in question.answers.kept:
        notes.append(UNMOVED)
    elif claim is not None and (said := use_note(role, claim, flips or 0)):
        notes.append(said)
    return "; ".join(notes) or None


def _no_claim(question: Question) -> str:
    return NO_MODEL if question.answers is None else FEW_ROWS


def _estimate(question: Question, claim: Claim | None) -> Estimate:
    if claim is None:
        return Estimate(estimate=None, reason=_no_claim(question))
    return Estimate(estimate=claim.part.estimate, low=claim.low, high=claim.high)


def _score_estimate(question: Question, subject: Subject) -> Estimate | None:
    if question.answers is None or subject.claim is None:
        return None
    part = question.answers.part(question.place, subject.blocks, of_scores=True)
    low, high = part.bounds(question.level)
    return Estimate(estimate=part.estimate, low=low, high=high)


def _influence_interval(question: Question, subject: Subject) -> Estimate | None:
    estimate = _influence(question, subject)
    if estimate is None or question.answers is None:
        return None
    part = Part(estimate, float(question.answers.influence_error[question.groups.attribute][subject.blocks[0]]))
    low, high = part.bounds(question.level)
    return Estimate(estimate=estimate, low=low, high=high)


def _influence(question: Question, subject: Subject) -> float | None:
    if question.answers is None or question.stratum is not None:
        return None
    by_block = question.answers.influence.get(question.groups.attribute)
    return None if by_block is None else float(by_block[subject.blocks[0]])
