"""What two reports were held to, side by side: a change of policy that lets more pass is told from one that lets less pass."""

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from evenhand.auditors.policy import Check, Policy, SmallGroups
from evenhand.auditors.report import Finding, Report
from evenhand.auditors.verdict import Comparison, Gate, Rule
from evenhand.auditors.words import number, printable, spoken
from evenhand.service.audits.errors import BadReport
from evenhand.service.audits.policy_file import problems
from evenhand.service.reports.diff import SAME_RELATIVE, by_question, is_pair


class Effect(StrEnum):
    """What a change of policy does to a gate."""

    LOOSER = "looser"
    TIGHTER = "tighter"
    ANOTHER = "another question"
    SHARED = "as more or fewer gated checks share alpha"
    DROPS = "by which checks are dropped, above"
    NONE = "no gate turns on it"


@dataclass(frozen=True)
class PolicyChange:
    """One thing that the later report was held to otherwise.

    Attributes:
        drops: whether a check that was gated is no longer asked for.
        lets_pass: whether something may pass by it that did not before.
    """

    what: str
    before: str
    after: str
    effect: Effect
    drops: bool = False

    @property
    def lets_pass(self) -> bool:
        return self.effect in (Effect.LOOSER, Effect.ANOTHER)


GATES = (Gate.OFF, Gate.PROOF, Gate.STRICT)
"""From the loosest to the tightest."""

NOT_GATING = frozenset(
    {
        *("data.source", "data.train_source", "data.features", "data.categorical", "data.reference", "data.membership"),
        *("data.sensitive", "data.intersections", "only", "seed"),
        *("model.batch", "model.timeout_seconds", "model.retries", "model.per_second", "model.queries"),
    }
)
"""Keys that let no gate pass: what is only shown, what the model reads and how fast it is asked, and what takes checks
away or adds them, which is told of each check."""

BY_NAMING = frozenset({"data.sensitive", "data.intersections", "only"})
"""Keys that take whole attributes or audits away, with their checks."""

NOT_GATING_SECTIONS = frozenset({"search", "practice"})

OF_AN_AUDIT = frozenset({"proxy", "robustness", "perception"})
"""Sections about one audit: where none of its findings is gated, no gate turns on them."""

BY_COLUMNS = frozenset({"group_disparity", "representation"})
"""Audits whose attributes are sensitive columns, or their intersections."""

TOLD_APART = frozenset({"check", "alpha", "small_groups", "thorough"})
"""Keys that are compared by what they do."""


def policy_changes(before: Report, after: Report) -> list[PolicyChange]:
    """What the later report was held to otherwise, those changes first that may let something pass.

    Raises:
        BadReport: one holds a policy of another version.
    """
    old, new = policy_of(before), policy_of(after)
    questions = _gated_in_either(before, after)
    dropped = _dropped(before, after, new)
    named = any(_is_about(check, finding) for finding in dropped for check in new.check)
    changes = [
        *_by_check(questions, "tolerance", _tolerance, _effect_of_tolerance),
        *_by_check(questions, "gate", lambda finding: finding.gate.value, _effect_of_gate),
        *_of_small_groups(questions, old, new),
        *map(_of_dropped, dropped),
        *_of_alpha(old, new, [finding for pair in questions for finding in pair]),
        *_of_shares(before, after, same=old.alpha == new.alpha),
        *_of_thoroughness(old, new),
        *_of_keys(
            _without_only(old, before, after),
            _without_only(new, before, after),
            gated=frozenset(finding.audit for pair in questions for finding in pair),
            dropping=BY_NAMING if named else frozenset(),
        ),
    ]
    return sorted(changes, key=lambda change: not change.lets_pass)


def _without_only(policy: Policy, before: Report, after: Report) -> Policy:
    """The policy without `only` where both reports hold the same audits: whether they were named changes nothing."""
    ran = [{name for name, audit in report.audits if audit is not None} for report in (before, after)]
    return policy.model_copy(update={"only": None}) if ran[0] == ran[1] else policy


def policy_of(report: Report) -> Policy:
    """The policy that was applied.

    Raises:
        BadReport: it is of another version.
    """
    try:
        return Policy.model_validate(report.subject.policy)
    except ValidationError as error:
        raise BadReport(f"report {report.id}", problems(error)[:5]) from None


def asks_for(policy: Policy, finding: Finding) -> bool:
    """Whether a policy asks for what this finding answers: where not, its absence is the policy's and not the data's."""
    if policy.only is not None and finding.audit not in policy.only:
        return False
    columns = _columns(finding.attribute)
    deep = len(columns) > policy.data.intersections
    if finding.audit in BY_COLUMNS and columns and (deep or not columns <= set(policy.data.sensitive or columns)):
        return False
    return any(_is_about(check, finding) for check in policy.check)


def _is_about(check: Check, finding: Finding) -> bool:
    if (check.audit, check.metric) != (finding.audit, finding.metric):
        return False
    return check.attributes is None or _columns(finding.attribute) in [_columns(name) for name in check.attributes]


def _gated_in_either(before: Report, after: Report) -> list[tuple[Finding, Finding]]:
    """Questions that both reports answer and one of them gates, without the pairs behind a check."""
    old, new = by_question(before), by_question(after)
    return [
        (old[question], finding)
        for question, finding in new.items()
        if question in old
        and not is_pair(finding)
        and (old[question].gate is not Gate.OFF or finding.gate is not Gate.OFF)
    ]


def _by_check(
    questions: list[tuple[Finding, Finding]],
    what: str,
    told: Callable[[Finding], str | None],
    effect: Callable[[Finding, Finding], Effect],
) -> Iterator[PolicyChange]:
    """One change for all attributes on which a metric's check changed in the same way."""
    attributes: dict[tuple[str, str, str, Effect], list[str]] = {}
    for old, new in questions:
        one, other = told(old), told(new)
        if one is not None and other is not None and one != other:
            same = (new.metric, one, other, effect(old, new))
            attributes.setdefault(same, []).append(printable(new.attribute or ""))
    for (metric, one, other, does), names in attributes.items():
        yield PolicyChange(f"{what} of {spoken(metric)} ({', '.join(names)})", one, other, does)


def _tolerance(finding: Finding) -> str | None:
    """As it is shown; to the last digit, for one that is looser by a thousandth is looser. None where none was gated."""
    if finding.tolerance is None or finding.gate is Gate.OFF:
        return None
    shown = number(finding.tolerance)
    return shown if float(shown) == finding.tolerance else repr(finding.tolerance)


def _effect_of_tolerance(old: Finding, new: Finding) -> Effect:
    assert old.tolerance is not None
    assert new.tolerance is not None
    rose = new.tolerance > old.tolerance
    return Effect.LOOSER if rose is (new.comparison is not Comparison.RATIO) else Effect.TIGHTER


def tightened_alone(old: Finding, new: Finding) -> bool:
    """Whether the later check is held to a tighter tolerance and its numbers are no worse, so that it turned by that alone.

    No worse are an estimate and bounds at which the former tolerance could not have turned the verdict.
    """
    if (
        old.tolerance is None
        or new.tolerance is None
        or old.tolerance == new.tolerance
        or Gate.OFF in (old.gate, new.gate)
    ):
        return False
    if (old.comparison, old.rule) != (new.comparison, new.rule) or _effect_of_tolerance(old, new) is not Effect.TIGHTER:
        return False
    return all(
        one is other if one is None or other is None else other <= one + SAME_RELATIVE
        for one, other in zip(_badness(old), _badness(new), strict=True)
    )


def _badness(finding: Finding) -> list[float | None]:
    """The numbers that a verdict rests on beside the tolerance, each turned so that more is worse."""
    if finding.comparison is Comparison.RATIO:
        numbers = (finding.estimate, finding.low, finding.high, finding.equivalence_low)
        return [None if number is None else -number for number in numbers]
    test = -finding.p_value if finding.rule is Rule.EFFECT_AND_TEST and finding.p_value is not None else None
    return [
        None if finding.estimate is None else abs(finding.estimate),
        *_from_zero(finding.low, finding.high),
        *_from_zero(finding.equivalence_low, finding.equivalence_high),
        test,
    ]


def _from_zero(low: float | None, high: float | None) -> tuple[float | None, float | None]:
    """The least and the largest distance from zero in an interval."""
    if low is None or high is None:
        return low and abs(low), high and abs(high)
    return max(low, -high, 0.0), max(abs(low), abs(high))


def _effect_of_gate(old: Finding, new: Finding) -> Effect:
    return Effect.TIGHTER if GATES.index(new.gate) > GATES.index(old.gate) else Effect.LOOSER


def _of_small_groups(questions: list[tuple[Finding, Finding]], before: Policy, after: Policy) -> Iterator[PolicyChange]:
    rules = {id(finding): _small_groups(before, finding) for finding, _ in questions}
    rules |= {id(finding): _small_groups(after, finding) for _, finding in questions}

    def told(finding: Finding) -> str:
        return rules[id(finding)]

    yield from _by_check(
        [(old, new) for old, new in questions if old.audit == "group_disparity"],
        "small groups",
        told,
        lambda _, new: Effect.LOOSER if told(new) == "list" else Effect.TIGHTER,
    )


def _small_groups(policy: Policy, finding: Finding) -> SmallGroups:
    named = (check.small_groups for check in policy.check if _is_about(check, finding))
    return next(named, None) or policy.small_groups


def _dropped(before: Report, after: Report, policy: Policy) -> list[Finding]:
    """Gated findings of the former report that the later policy no longer asks for."""
    kept = by_question(after)
    return [
        finding
        for question, finding in by_question(before).items()
        if finding.gate is not Gate.OFF and question not in kept and not asks_for(policy, finding)
    ]


def _of_dropped(finding: Finding) -> PolicyChange:
    what = f"check of {spoken(finding.metric)} ({printable(finding.attribute or 'everyone')})"
    return PolicyChange(what, finding.gate.value, "not asked for", Effect.LOOSER, drops=True)


def _of_alpha(before: Policy, after: Policy, findings: list[Finding]) -> Iterator[PolicyChange]:
    """More error makes it easier to be proven within, which strict gates ask for; less makes it harder to be proven
    against, which is all that proof gates fail on."""
    if before.alpha == after.alpha:
        return
    loosened = Gate.STRICT if after.alpha > before.alpha else Gate.PROOF
    looser = any(finding.gate is loosened for finding in findings)
    of_whom = f"alpha, for checks gated as {loosened.value}" if looser else "alpha"
    yield PolicyChange(of_whom, f"{before.alpha:g}", f"{after.alpha:g}", Effect.LOOSER if looser else Effect.TIGHTER)


def _of_shares(before: Report, after: Report, *, same: bool) -> Iterator[PolicyChange]:
    old, new = before.audits.group_disparity, after.audits.group_disparity
    if same and old is not None and new is not None and old.family_level != new.family_level:
        yield PolicyChange("level of each check", f"{old.family_level:.2%}", f"{new.family_level:.2%}", Effect.SHARED)


def _of_thoroughness(before: Policy, after: Policy) -> Iterator[PolicyChange]:
    if before.thorough != after.thorough:
        effect = Effect.LOOSER if before.thorough else Effect.TIGHTER
        yield PolicyChange("thorough", _said(before.thorough), _said(after.thorough), effect)


def _of_keys(
    before: Policy, after: Policy, *, gated: Set[str], dropping: Set[str] = frozenset()
) -> Iterator[PolicyChange]:
    """Keys of which it cannot be said whether they let more or less pass: what is measured is another thing.

    Args:
        gated: audits with a gated finding.
        dropping: keys by which checks were dropped, as is told of each.
    """
    old, new = _flat(before), _flat(after)
    for key in sorted(old.keys() | new.keys()):
        one, other = old.get(key), new.get(key)
        if one == other or key.split(".")[0] in {*TOLD_APART, "report"}:
            continue
        section = key.split(".")[0]
        shown = key in NOT_GATING or section in NOT_GATING_SECTIONS or section in OF_AN_AUDIT - gated
        effect = Effect.DROPS if key in dropping else Effect.NONE if shown else Effect.ANOTHER
        yield PolicyChange(key, _said(one), _said(other), effect)


def _flat(policy: Policy) -> dict[str, Any]:
    """Keys as 'data.where', one level deep."""
    flat: dict[str, Any] = {}
    for name, value in policy.model_dump(mode="json", exclude_none=True).items():
        flat |= {f"{name}.{key}": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def _said(value: Any) -> str:
    return "absent" if value is None else printable(str(value))


def _columns(attribute: str | None) -> set[str]:
    """The columns of an attribute as a finding or a policy names it: 'sex × race', 'sex x race', 'sex * race'."""
    signs = (attribute or "").replace(" x ", "×").replace("*", "×")
    return {part.strip() for part in signs.split("×")} - {""}
