"""Findings in the reader's words. Names of single things belong in `words`."""

from dataclasses import dataclass

from evenhand.auditors.disparity.words import rows_to_settle
from evenhand.auditors.gate import EXIT_MEANING
from evenhand.auditors.metrics import COMPOSITES
from evenhand.auditors.policy import Policy
from evenhand.auditors.report import Attack, Finding, Group, GroupDisparity, Report
from evenhand.auditors.verdict import Comparison, Gate, Verdict
from evenhand.auditors.words import would_have_shown
from evenhand.service.render import checks, numbers, words

ASKED = {
    "selection_rate": ("", "were predicted {positive}"),
    "favourable_rate": ("", "got the favourable outcome ({favourable})"),
    "true_positive_rate": ("Of those whose {label} is {positive}, ", "were predicted {positive}"),
    "false_negative_rate": ("Of those whose {label} is {positive}, ", "were not predicted {positive}"),
    "false_positive_rate": ("Of those whose {label} is {negative}, ", "were predicted {positive}"),
    "true_negative_rate": ("Of those whose {label} is {negative}, ", "were not predicted {positive}"),
    "precision": ("Of those predicted {positive}, ", "were {positive} by their {label}"),
    "false_discovery_rate": ("Of those predicted {positive}, ", "were {negative} by their {label}"),
    "negative_predictive_value": ("Of those not predicted {positive}, ", "were {negative} by their {label}"),
    "false_omission_rate": ("Of those not predicted {positive}, ", "were {positive} by their {label}"),
    "accuracy": ("", "were predicted as labelled"),
    "base_rate": ("", "are {positive} by their {label}"),
}
"""Rates as a person would ask for them: of whom, and what happened to them."""


@dataclass(frozen=True)
class Sentence:
    """One sentence with the number it is about set apart, so that a page can make it stand out."""

    before: str
    key: str = ""
    after: str = ""

    def __str__(self) -> str:
        return self.before + self.key + self.after


def verdict(report: Report) -> Sentence:
    """The report in one sentence: what was proven, on whom, by how much, and where the limit is."""
    check = checks.deciding(report)
    if check is None:
        return Sentence("No check could be made: nothing in this report was compared.")
    if report.verdict is Verdict.PROVEN_DISPARITY:
        return comparison(report, check)
    if report.verdict is Verdict.PROVEN_WITHIN:
        return _within(report)
    return _open(report, check)


def aside(report: Report) -> str:
    """What the first sentence leaves out: 'Two more disparities are proven and one question is open.'"""
    if report.verdict is not Verdict.PROVEN_DISPARITY:
        return ""
    verdicts = [check.finding.verdict for check in checks.gated(report)]
    more = verdicts.count(Verdict.PROVEN_DISPARITY) - 1
    still_open = verdicts.count(Verdict.INCONCLUSIVE)
    parts = []
    if more > 0:
        parts.append(
            "one more disparity is proven" if more == 1 else f"{words.number_word(more)} more disparities are proven"
        )
    if still_open:
        parts.append(
            "one question is open" if still_open == 1 else f"{words.number_word(still_open)} questions are open"
        )
    return words.first_upper(" and ".join(parts)) + "." if parts else ""


def comparison(report: Report, check: checks.Check) -> Sentence:
    """The pair that decides, as people: 'Of those ..., 45 in 100 with sex A and 23 in 100 with sex B ...: a gap of .214, ...'

    Where the check itself has another interval, the pair's is said to be its own.
    """
    people = _people(report, check.deciding, alone=own_interval(check)) if check.deciding else None
    return people or Sentence(words.first_upper(_ended(check.finding.message)))


def pair(finding: Finding) -> str:
    """'African-American against Other', 'Other against the rest'; an empty text where a finding is about no pair."""
    if finding.group is None:
        return ""
    between = "over" if finding.comparison is Comparison.RATIO else "against"
    if finding.reference is None:
        return f"{words.group(finding.group)} {between} the rest" if finding.reference_n else words.group(finding.group)
    return f"{words.group(finding.group)} {between} {words.group(finding.reference)}"


def own_interval(check: checks.Check) -> bool:
    """Whether the pair that decides has other numbers than the check: then a reader must be told which are whose."""
    pair, whole = check.deciding, check.finding
    if pair is None or pair.low is None or pair.high is None or whole.low is None or whole.high is None:
        return False
    of_pair, of_check = ({abs(low), abs(high)} for low, high in ((pair.low, pair.high), (whole.low, whole.high)))
    return of_pair != of_check


def among(check: checks.Check) -> str:
    """What the number of a check is, where it was read from several comparisons."""
    composite = COMPOSITES.get(check.finding.metric)
    if len(check.pairs) < 2 or (composite is not None and composite.average):
        return ""
    return f"the {'smallest' if check.finding.comparison is Comparison.RATIO else 'largest'} of all comparisons"


def reasons(report: Report) -> str:
    """Why the gate answers as it does; what is said of several checks is said once."""
    said: dict[str, list[str]] = {}
    for reason in report.gate.reasons:
        what, _, of = reason.partition(": ")
        said.setdefault(what, []).append(of)
    parts = [f"{what}: {'; '.join(of)}" if any(of) else what for what, of in said.items()]
    return " ".join(f"{words.first_upper(part)}." for part in parts)


def compared(pair: Finding) -> str:
    """The rate that a pair is about: 'favourable rate' behind an impact ratio."""
    return words.metric(checks.components(pair.metric)[0])


def tolerance(finding: Finding) -> str:
    """'tolerated: a gap of .10', 'tolerated: a ratio of .80 or more'."""
    if finding.tolerance is None:
        return ""
    limit = numbers.brief(finding.tolerance)
    return (
        f"at least {limit}" if finding.comparison is Comparison.RATIO and finding.tolerance <= 1 else f"up to {limit}"
    )


def still_needed(finding: Finding) -> str:
    """What an open finding would take: rows, and the smallest gap that these rows could have shown."""
    if finding.verdict is not Verdict.INCONCLUSIVE:
        return ""
    parts = []
    if finding.rows_needed is not None:
        parts.append(rows_to_settle(finding))
    if finding.detectable is not None:
        parts.append(would_have_shown(finding.comparison, finding.detectable))
    return " ".join(parts)


def expected_without_disparity(report: Report, finding: Finding) -> str:
    """How large the largest gap over so many groups would be if all were equal: it is never 0."""
    audit = report.audits.group_disparity
    if audit is None or finding.reference is None or finding.audit != "group_disparity":
        return ""
    of_attribute = next((result for result in audit.attributes if result.attribute == finding.attribute), None)
    expected = of_attribute.expected_largest_gap.get(finding.metric) if of_attribute else None
    return "" if expected is None else f"equal groups would show about {numbers.short(expected)}"


def compares_several(pairs: list[Finding]) -> bool:
    """Whether the pairs are about more than one rate, as those of equalized odds are."""
    return len({compared(pair) for pair in pairs}) > 1


def pairs_listed(report: Report, finding: Finding) -> str:
    """What is left out of a very long list of pairs."""
    audit = report.audits.group_disparity
    results = audit.attributes if audit else []
    pairs = next((result.pairs for result in results if result.attribute == finding.attribute), None)
    if pairs is None or pairs.total == pairs.listed:
        return ""
    return f"Listed: {numbers.rows(pairs.listed)} of {numbers.rows(pairs.total)} pairs on {finding.attribute} ({pairs.rule})."


def outcome(report: Report) -> str:
    """The exit code, in words: the last line on the terminal."""
    gate = report.gate
    text = EXIT_MEANING[gate.exit_code]
    if gate.outcome == "inconclusive" and gate.allow_inconclusive:
        text = f"warning: {EXIT_MEANING[3]}, and inconclusive checks were allowed"
    elif gate.exit_code == 1:
        proven = sum(check.finding.verdict is Verdict.PROVEN_DISPARITY for check in checks.gated(report))
        text = f"a disparity is proven in {words.plural(proven, 'gated check')}" if proven else text
    elif not checks.gated(report):
        text = "nothing was gated, so that nothing could pass"
    elif gate.exit_code == 0 and not any(check.finding.gate is Gate.STRICT for check in checks.gated(report)):
        text = "no disparity is proven in a gated check, and none had to be proven within its tolerance"
    return f"Exit code {gate.exit_code}: {text}."


def limits(report: Report) -> list[str]:
    """What the report does not say."""
    said = [
        "It does not say that anyone acted unlawfully: a legal test is more than a number, and what is found here needs "
        "justification or mitigation.",
        "It says nothing about attributes, groups and metrics that were not checked, nor about people who are not in the data.",
    ]
    if any(finding.verdict is Verdict.INCONCLUSIVE for finding in report.findings):
        said.append("Inconclusive is no acquittal: the data could not settle the question either way.")
    if report.audits.group_disparity and report.audits.group_disparity.label:
        said.append(
            f"Error rates take the label “{report.audits.group_disparity.label}” for the truth. Where labels were given or "
            "observed unequally, or only for people whom an earlier decision selected, so are these rates."
        )
    if report.subject.model is None:
        said.append("No model was given: nothing is said about which features the decisions rest on.")
    data = report.subject.data
    of_model = report.subject.model.warnings if report.subject.model is not None else []
    return [*data.warnings, *of_model, *said, *data.limits, *_small_groups(report)]


def attack(report: Report) -> str:
    """The attack in full, as robustness is nothing without it."""
    robustness = report.audits.robustness
    if robustness is None:
        return ""
    return attack_in_full(robustness.attack)


def attack_in_full(given: Attack) -> str:
    """Attacks, norm, eps, steps, restarts, seed, and what it means to be robust."""
    steps = words.plural(given.steps, "step")
    restarts = words.plural(given.restarts, "restart")
    return (
        f"Attack: {', '.join(given.attacks)}; norm {given.norm}, eps {numbers.fixed(given.eps, 4)}, {steps}, {restarts}, "
        f"seed {given.seed}. "
        "A picture counts as robust when it stays correct under every one of them."
    )


def context(report: Report) -> dict[str, str]:
    """What the policy says for people: intended use, owner, provenance of the sensitive attribute."""
    said = Policy.model_validate(report.subject.policy).report.model_dump(exclude={"title"})
    return {words.first_upper(name.replace("_", " ")): text for name, text in said.items() if text}


def _people(report: Report, pair: Finding, *, alone: bool) -> Sentence | None:
    audit = report.audits.group_disparity
    metric = checks.components(pair.metric)[0]
    one, other = (checks.rate(report, pair, side, metric) for side in ("group", "reference"))
    if (
        audit is None
        or metric not in ASKED
        or one is None
        or other is None
        or one.estimate is None
        or other.estimate is None
    ):
        return None
    of_whom, what = (text.format(**_vocabulary(audit)) for text in ASKED[metric])
    first, second, size = numbers.out_of(one.estimate, other.estimate)
    counted = (
        f"{first} in {size} with {_people_of(pair.group)} and {second} in {size} with {_people_of(pair.reference)}"
    )
    return Sentence(
        f"{of_whom}{counted} {what}: {_kind(pair)} of ", _size(pair), f"{_between(pair, alone=alone)}{_limit(pair)}."
    )


def _people_of(group: Group | None) -> str:
    return words.group_in_full(group or {})


def _vocabulary(audit: GroupDisparity) -> dict[str, str]:
    positive = words.value(audit.positive)
    negative = f"not {positive}" if audit.negative is None else words.value(audit.negative)
    favourable = words.value(audit.favourable)
    return {"label": audit.label or "label", "positive": positive, "negative": negative, "favourable": favourable}


def _kind(finding: Finding) -> str:
    return "a ratio" if finding.comparison is Comparison.RATIO else "a gap"


def _size(finding: Finding) -> str:
    return numbers.short(None if finding.estimate is None else abs(finding.estimate))


def _between(finding: Finding, *, alone: bool) -> str:
    if finding.low is None or finding.high is None:
        return ""
    turned = finding.estimate is not None and finding.estimate < 0
    low, high = (-finding.high, -finding.low) if turned else (finding.low, finding.high)
    of_whom = " for this pair" if alone else ""
    return f", between {numbers.short(low)} and {numbers.short(high)}{of_whom}"


def _limit(finding: Finding) -> str:
    if finding.tolerance is None:
        return ""
    least = "at least " if finding.comparison is Comparison.RATIO else ""
    return f", where {least}{numbers.brief(finding.tolerance)} is tolerated"


def _within(report: Report) -> Sentence:
    checked = checks.gated(report)
    every = "The one gated check is" if len(checked) == 1 else f"All {words.plural(len(checked), 'gated check')} are"
    proven = all(check.finding.verdict is Verdict.PROVEN_WITHIN for check in checked)
    if not proven:
        strict = [check for check in checked if check.finding.gate is Gate.STRICT]
        every = f"{words.first_upper(words.plural(len(strict), 'strict check'))} {'is' if len(strict) == 1 else 'are'}"
    return Sentence(
        f"{every} proven within the tolerance: the remaining gaps are smaller than the policy allows, with the error held."
    )


def _open(report: Report, check: checks.Check) -> Sentence:
    strict = [each.finding.verdict for each in checks.gated(report) if each.finding.gate is Gate.STRICT]
    nothing, beside = _nothing_proven(report)
    if not strict:
        return Sentence(f"{nothing}: no check had to be proven within a tolerance.{beside}")
    before = f"{nothing}: {_unsettled(strict)}.{beside} "
    if not numbers.is_number(check.finding.estimate):
        on = f" on {check.finding.attribute}" if check.finding.attribute else ""
        return Sentence(f"{before}{words.first_upper(words.metric(check.finding.metric))}{on}: {check.finding.message}")
    people = comparison(report, check)
    return Sentence(
        f"{before}{people.before}",
        people.key,
        f"{people.after} {still_needed(check.finding)}".rstrip(),
    )


def _nothing_proven(report: Report) -> tuple[str, str]:
    """What the gate leaves open, and what is proven beside it: the first must not be read as of both."""
    proven = len(checks.proven_beside(report))
    if not proven:
        return "No disparity is proven, and none is excluded", ""
    of_them = "one disparity is" if proven == 1 else f"{words.number_word(proven)} disparities are"
    return (
        "No gated check proves a disparity, and none is excluded",
        f" Beside the gate {of_them} proven.",
    )


def _unsettled(strict: list[Verdict]) -> str:
    """'not one of the four checks that must be proven within their tolerance could be settled'."""
    still_open = strict.count(Verdict.INCONCLUSIVE)
    if len(strict) == 1:
        return "the one check that must be proven within its tolerance could not be settled"
    of_all = f"of the {words.plural(len(strict), 'check')} that must be proven within their tolerance"
    if still_open == len(strict):
        return f"not one {of_all} could be settled"
    return f"{words.number_word(still_open)} {of_all} could not be settled"


def _small_groups(report: Report) -> list[str]:
    audit = report.audits.group_disparity
    groups = [row for result in (audit.attributes if audit else []) for row in result.groups]
    small = [row for row in groups if row.small and len(row.group) == 1]
    return [
        f"{words.group_in_full(row.group)}: {words.plural(row.n, 'row')}. Listed, and too few to conclude anything about."
        for row in small[:5]
    ]


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
