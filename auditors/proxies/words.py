"""The proxy findings in words."""

from evenhand.auditors.proxies.encoding import Encoding
from evenhand.auditors.proxies.roles import Claim
from evenhand.auditors.report import Role
from evenhand.auditors.words import number, span

NEEDS_JUSTIFICATION = (
    "needs justification: what it measures that the decision is for, and that this cannot be measured another way"
)


def percent(fraction: float) -> str:
    """'31 %', 'under 1 %', '0 %'."""
    if fraction == 0:
        return "0 %"
    return f"{100 * fraction:.0f} %" if fraction >= 0.01 else "under 1 %"


def short(value: float) -> str:
    """'.23'; small values keep a digit more."""
    return number(value, digits=2 if abs(value) >= 0.1 else 3)


def encoding_words(name: str, attribute: str, encoding: Encoding | None, *, groups: int) -> str:
    """'zip encodes race (AUC .81)', or that it is not shown to."""
    if encoding is None:
        return f"{name} is the same for every row and cannot encode {attribute}"
    about = f" for {encoding.group} against the rest" if groups > 2 else ""
    area = f"(AUC {number(encoding.area, digits=2)}{about})"
    if not encoding.encodes:
        return f"{name} is not shown to encode {attribute} {area}"
    return f"{name} {'strongly ' if encoding.strong else ''}encodes {attribute} {area}"


def contribution_message(opening: str, role: Role, claim: Claim, *, gap: float, flip_rate: float) -> str:
    """The whole finding.

    Args:
        opening: what the block encodes.
        gap: of decisions, signed as the contribution is.
        flip_rate: share of decisions that change when it is permuted.
    """
    part = short(claim.part.estimate)
    changes = f"changes {percent(flip_rate)} of decisions"
    interval = f"{part} ({span(claim.low, claim.high)})"
    if role in ("proxy", "joint_proxy") and claim.widens:
        return f"{opening}, {changes} and accounts for {part} of the {short(gap)} gap: {NEEDS_JUSTIFICATION}."
    if role == "masking":
        return (
            f"{opening}, {changes} and narrows the gap by {short(-claim.part.estimate)}: "
            "it hides part of what other features do, and needs justification too."
        )
    if role == "neutral" and claim.within:
        return f"{opening}; its part of the {short(gap)} gap, {interval}, lies within {short(claim.tolerance)}."
    if role == "neutral" and claim.widens:
        return f"{opening}, but {changes} and accounts for {part} of the {short(gap)} gap: look at what it goes with."
    if role == "latent_proxy" and flip_rate == 0:
        return f"{opening}; the model does not use it: no decision changed. A model trained anew might."
    rest = f"its part of the {short(gap)} gap, {interval}, is not shown to"
    if role == "neutral":
        return f"{opening}; {rest} lie within {short(claim.tolerance)}."
    return f"{opening} and {changes}; {rest} exceed {short(claim.tolerance)}."


def without_model_message(opening: str) -> str:
    return f"{opening}; whether decisions use it cannot be told from predictions alone."


def receives(attribute: str, features: list[str]) -> str:
    """Said first: the attribute is itself among the features."""
    return f"the model receives {' and '.join(features)}" + ("" if features == [attribute] else f" (of {attribute})")
