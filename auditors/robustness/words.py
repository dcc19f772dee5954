"""Plain words for gaps and findings of the robustness audit."""

from evenhand.auditors.policy import Norm
from evenhand.auditors.report import Group
from evenhand.auditors.robustness.ball import NORM_WORDS
from evenhand.auditors.robustness.gaps import Gap, Member
from evenhand.auditors.robustness.planning import Plan


def size_in_words(eps: float, norm: Norm) -> str:
    """'eps .0314 (8 of 255)'; in L2 'eps .5'."""
    return f"eps {eps:.4g}" + (f" ({eps * 255:.3g} of 255)" if norm == "linf" else "")


def easier_to_fool(member: Member, attribute: str, classes: tuple[str, ...], *, aligned: bool) -> str:
    """Which pictures are easier to fool, from the sign of a gap.

    An aligned gap says in which class a group is worse off than in the other, not that it is worse off in either.
    """
    estimate = member.estimate or 0.0
    if estimate == 0:
        return "no group is easier to fool"
    harder, easier = (member.first, member.second) if estimate > 0 else (member.second, member.first)
    if aligned:
        return (
            f'beside {attribute} "{harder.text}", "{easier.text}" is easier to fool in class "{classes[1]}" than in class '
            f'"{classes[0]}"'
        )
    whose = f' of class "{classes[member.label]}"' if member.label is not None else ""
    return f'pictures{whose} with {attribute} "{easier.text}" are easier to fool than those with "{harder.text}"'


def group_of(attribute: str, text: str | None) -> Group:
    return {attribute: text}


def gap_message(
    gap: Gap,
    *,
    name: str,
    attribute: str,
    direction: str,
    norm: Norm,
    eps: float,
    tolerance: float,
    plan: Plan,
) -> str:
    """One finding in words: what was measured, what came out, what it means."""
    where = (
        f"{name.replace('_', ' ')} gap in robust accuracy by {attribute} under {NORM_WORDS[norm]} attacks of "
        f"{size_in_words(eps, norm)}"
    )
    if gap.estimate is None or gap.member is None:
        return f"{where}: not assessed: {gap.reason}."
    interval = f" [{gap.interval.low:+.3f}, {gap.interval.high:+.3f}] at 99 %" if gap.interval else ""
    numbers = f"{where}: {gap.estimate:+.3f}{interval}, p = {gap.member.p_value:.2g}; {direction}"
    if gap.verdict == "proven_disparity":
        return (
            f"{numbers}. Reaches the tolerance of {tolerance:g}, and is proven to differ from 0: needs justification."
        )
    if gap.verdict == "proven_within":
        return f"{numbers}. Shown to be within the tolerance of {tolerance:g}."
    if gap.verdict == "not_informative":
        return f"{numbers}. Not informative: {gap.reason}."
    return f"{numbers}. Inconclusive{f' ({gap.reason})' if gap.reason else ''}{_plan_in_words(plan)}."


def _plan_in_words(plan: Plan) -> str:
    needed = f"; about {plan.rows_needed:,} pictures a group tell in four of five samples" if plan.rows_needed else ""
    seen = f"; a gap of {plan.detectable:.2f} would have been proven" if plan.detectable else ""
    return needed + seen
