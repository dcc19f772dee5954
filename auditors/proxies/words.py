"""The proxy findings in words."""

from dataclasses import dataclass
from statistics import NormalDist

from evenhand.auditors.proxies.encoding import Encoding
from evenhand.auditors.proxies.roles import USED, Claim
from evenhand.auditors.report import Role
from evenhand.auditors.words import number, span


@dataclass(frozen=True)
class Grammar:
    """How a sentence goes on after its subject: one feature or block, or a set of several."""

    several: bool = False

    def verb(self, stem: str) -> str:
        """'encodes', or of a set 'encode'."""
        return stem if self.several else f"{stem}s"

    @property
    def subject(self) -> str:
        return "they" if self.several else "it"

    @property
    def them(self) -> str:
        return "them" if self.several else "it"

    @property
    def their(self) -> str:
        return "their" if self.several else "its"

    @property
    def need_justification(self) -> str:
        return (
            f"{self.verb('need')} justification. What would count: that {self.subject} {self.verb('measure')} something "
            "the decision is for, in every group alike, and that nothing which encodes less would measure it as well"
        )


ONE, TOGETHER = Grammar(), Grammar(several=True)


def percent(fraction: float) -> str:
    """'31 %', 'under 1 %', '0 %'."""
    if fraction == 0:
        return "0 %"
    return f"{100 * fraction:.0f} %" if fraction >= 0.01 else "under 1 %"


def short(value: float) -> str:
    """'.23'; small values keep a digit more."""
    return number(value, digits=2 if abs(value) >= 0.1 else 3)


def encoding_words(name: str, attribute: str, encoding: Encoding | None, *, groups: int, grammar: Grammar = ONE) -> str:
    """'zip encodes race (AUC .81)', 'a & b together encode race (AUC .95)', or that it is not shown to."""
    if encoding is None:
        return f"{name} is the same for every row and cannot encode {attribute}"
    about = f" for {encoding.group} against the rest" if groups > 2 else ""
    area = f"(AUC {number(encoding.area, digits=2)}{about})"
    together = f"{name} together" if grammar.several else name
    if not encoding.encodes:
        return f"{together} {'are' if grammar.several else 'is'} not shown to encode {attribute} {area}"
    return f"{together} {'strongly ' if encoding.strong else ''}{grammar.verb('encode')} {attribute} {area}"


def contribution_message(
    opening: str, role: Role, claim: Claim, *, gap: float, flip_rate: float, grammar: Grammar = ONE
) -> str:
    """The whole finding.

    Args:
        opening: what the block encodes.
        gap: of decisions, signed as the contribution is.
        flip_rate: share of decisions that change when it is permuted.
        grammar: of the opening's subject.
    """
    changes = f"{grammar.verb('change')} {percent(flip_rate)} of decisions"
    accounts = f"{grammar.verb('account')} for {_share(claim.part.estimate, gap)}"
    part = part_words(claim, gap=gap, grammar=grammar)
    if role in ("proxy", "joint_proxy") and claim.widens:
        return f"{opening}, {changes} and {accounts}: {grammar.need_justification}."
    if role == "masking":
        return (
            f"{opening}, {changes} and {grammar.verb('narrow')} the gap by {short(-claim.part.estimate)}, so that the "
            f"{short(gap)} gap hides part of what other features do: {grammar.subject} {grammar.need_justification}."
        )
    if role == "neutral" and claim.widens:
        goes = "they go" if grammar.several else "it goes"
        return f"{opening}, but {changes} and {accounts}: look at what {goes} with."
    if role == "neutral":
        return f"{opening}; {part}."
    if flip_rate == 0:
        return f"{opening}; the model does not use {grammar.them}: no decision changed. A model trained anew might."
    if flip_rate < USED:
        counts = f"{grammar.subject} {grammar.verb('count')}"
        hardly = f"{changes}, fewer than the {percent(USED)} from which {counts} as used"
        return f"{opening} and {hardly}; {part}. A model trained anew might use {grammar.them}."
    return f"{opening} and {changes}: the model uses {grammar.them}; {part}."


def _share(part: float, gap: float) -> str:
    """'.13 of the .17 gap'; of a part that is larger than the gap, why it can be."""
    said = f"{short(part)} of the {short(gap)} gap"
    if part <= gap or short(part) == short(gap):
        return said
    return f"{said} (more than the whole: other features {'narrow' if gap > 0 else 'reverse'} it)"


def part_words(claim: Claim, *, gap: float, grammar: Grammar = ONE) -> str:
    """What is known of a part that is not beyond its tolerance: within it, of one sign, or neither."""
    part = f"{grammar.their} part of the {short(gap)} gap, {short(claim.part.estimate)} ({span(claim.low, claim.high)})"
    limit = short(claim.tolerance)
    if claim.within:
        return f"{part}, lies within {limit}"
    if claim.low > 0 or claim.high < 0:
        direction = "widens" if claim.low > 0 else "narrows"
        return f"{part}, {direction} it, but is not shown to by more than {limit}"
    return f"{part}, is not shown to differ from 0, nor to lie within {limit}"


def use_note(role: Role, claim: Claim, flip_rate: float) -> str | None:
    """What a row of the table says of a feature that encodes without being a proxy, or the other way round."""
    if role == "neutral":
        return "widens the gap though it is not shown to encode the attribute" if claim.widens else None
    if role != "latent_proxy":
        return None
    if flip_rate < USED:
        return f"used for fewer than {percent(USED)} of decisions"
    if claim.within:
        return f"used; its part of the gap lies within {short(claim.tolerance)}"
    if claim.low > 0 or claim.high < 0:
        direction = "widens" if claim.low > 0 else "narrows"
        return f"used; {direction} the gap, not shown to by more than {short(claim.tolerance)}"
    return "used, without being shown to move the gap"


def sampling_note(attribute: str, errors: tuple[float, float], *, rows: int, orderings: int, level: float) -> str:
    """How exact the parts of a gap are, for which only some rows, orderings and permutations were drawn.

    Args:
        attribute: whose gap it is.
        errors: standard errors of the least certain part, of everything and of orderings and permutations alone.
        rows, orderings: how many were drawn.
        level: of the interval of one part, as a fraction.
    """
    everything, draws = (number(NormalDist().inv_cdf((1 + level) / 2) * error, digits=4) for error in errors)
    return (
        f"{attribute}: each part of the gap by itself is known to within {everything} ({percent(level)}), from {rows:,} rows and "
        f"{orderings} orderings; other orderings and shuffles of the same rows move it by up to {draws}."
    )


def without_model_message(opening: str) -> str:
    return f"{opening}; whether decisions use it cannot be told from predictions alone."


def receives(attribute: str, features: list[str]) -> str:
    """Said first: the attribute is itself among the features."""
    return f"the model receives {' and '.join(features)}" + ("" if features == [attribute] else f" (of {attribute})")
