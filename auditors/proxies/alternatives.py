"""Whether a what-if is a less discriminatory alternative, with proof, and how that reads.

An alternative is proven where its gap is smaller (the whole interval of the paired change below 0) and its accuracy
not worse by more than a margin (one-sided), the error shared over all alternatives looked at.
"""

from collections.abc import Sequence

import numpy as np

from evenhand.auditors.protocols import Progress, silent
from evenhand.auditors.proxies.paired import Change
from evenhand.auditors.proxies.retraining import Retraining
from evenhand.auditors.proxies.what_if import Case, Changes, Outcome, run_trials
from evenhand.auditors.report import (
    AlternativeVerdict,
    Estimate,
    Finding,
    ProxyAudit,
    WhatIf,
    WhatIfChange,
)
from evenhand.auditors.words import legible, number, span

ACCURACY_MARGIN = 0.01
"""How much less accurate an alternative may be: one decision in a hundred."""

METRICS = {
    "accuracy": "accuracy",
    "demographic_parity": "demographic_parity_difference",
    "equalized_odds": "equalized_odds_difference",
}
NEEDS_ATTRIBUTE = "To neutralise a feature one must know the attribute when deciding: this shows what is possible"


def with_what_ifs(
    audit: ProxyAudit,
    findings: Sequence[Finding],
    case: Case,
    *,
    margin: float = ACCURACY_MARGIN,
    level: float = 0.95,
    rng: np.random.Generator,
    progress: Progress = silent,
) -> tuple[ProxyAudit, list[Finding]]:
    """The audit with what would change if its proxies were permuted, neutralised or left out.

    Args:
        audit, findings: of `audit_proxies`, on the same data.
        case: the classifier, labels, units, and how to train anew.
        margin: how much accuracy an alternative may cost, as a fraction.
        level: 1 - alpha over all alternatives together (Bonferroni).
        rng: same state, same answer.

    Returns:
        The audit with `what_if`, and the findings; those of features for which an alternative is proven say so.

    Source: the less discriminatory alternative of disparate impact law (Griggs 1971; 42 U.S.C. 2000e-2(k)(1)(A)(ii)),
    as a test: equivalence of accuracy (Schuirmann 1987) and superiority of the gap.
    """
    outcomes = run_trials(case, audit, level_of=lambda count: 1 - (1 - level) / count, rng=rng, progress=progress)
    rows = [_document(outcome, case.retraining, margin=margin, level=held) for outcome, held in outcomes]
    proven = {(row.attribute, frozenset(row.features)): row for row in reversed(rows) if row.alternative == "proven"}
    said = []
    for finding in findings:
        row = next((row for row in proven.values() if _id(row) == finding.id), None)
        said.append(finding if row is None else finding.model_copy(update={"message": _with(finding.message, row)}))
    notes = [*audit.notes, *_notes(case, rows, margin)]
    return audit.model_copy(update={"what_if": rows, "accuracy_margin": margin, "notes": notes}), said


def verdict_of(changes: Sequence[Changes], *, margin: float) -> AlternativeVerdict:
    """Proven where against every reference the gap is smaller and the accuracy not worse by more than the margin."""
    if any(each.accuracy is None or each.demographic_parity is None for each in changes):
        return "not_assessed"
    return "proven" if all(_proven(each, margin) for each in changes) else "not_proven"


def _proven(changes: Changes, margin: float) -> bool:
    accuracy, gap = changes.accuracy, changes.demographic_parity
    if accuracy is None or accuracy.worst is None or gap is None:
        return False
    return gap.high < 0 and accuracy.worst > -margin


def _document(outcome: Outcome, retraining: Retraining | None, *, margin: float, level: float) -> WhatIf:
    against = [outcome.of_model, *([outcome.of_retrained] if outcome.of_retrained is not None else [])]
    verdict = "not_assessed" if outcome.action == "permute" else verdict_of(against, margin=margin)
    trained = retraining if outcome.action == "retrain" else None
    losses = [-each.accuracy.worst for each in against if each.accuracy and each.accuracy.worst is not None]
    return WhatIf(
        attribute=outcome.subject.attribute,
        features=list(outcome.subject.features),
        role=outcome.subject.role,
        action=outcome.action,
        classifier=trained.kind if trained else None,
        stand_in=trained.stand_in if trained else False,
        rows=outcome.rows,
        level=level,
        changes=_rows(outcome.of_model, "model")
        + (_rows(outcome.of_retrained, "retrained") if outcome.of_retrained else []),
        accuracy_loss_at_most=max(0.0, *losses) if losses else None,
        groups=list(outcome.groups),
        alternative=verdict,
        message=_message(outcome, trained, verdict, margin=margin),
    )


def _rows(changes: Changes, against: str) -> list[WhatIfChange]:
    found = []
    for name, metric in METRICS.items():
        change: Change | None = getattr(changes, name)
        if change is not None:
            found.append(
                WhatIfChange.model_validate(
                    {
                        "metric": metric,
                        "against": against,
                        "before": change.before,
                        "after": change.after,
                        "change": Estimate(estimate=change.estimate, low=change.low, high=change.high),
                    }
                )
            )
    return found


def _message(outcome: Outcome, trained: Retraining | None, verdict: AlternativeVerdict, *, margin: float) -> str:
    names = " and ".join(map(legible, outcome.subject.features))
    opening = {"permute": f"With {names} shuffled", "neutralise": f"With {names} neutralised"}.get(
        outcome.action, f"Without {names}"
    )
    if trained is not None:
        opening += f" ({trained.kind}{', a stand-in,' if trained.stand_in else ''} trained anew)"
    parts = [_gap_words(outcome.of_model.demographic_parity), _accuracy_words(outcome.of_model.accuracy)]
    sentence = f"{opening} {' and '.join(part for part in parts if part)}"
    if outcome.of_retrained is not None and outcome.of_retrained.demographic_parity is not None:
        change = outcome.of_retrained.demographic_parity
        sentence += (
            f"; against the same training with all features the gap changes by {_short(change.estimate)} "
            f"({_span(change)})"
        )
    return f"{sentence}{_conclusion(outcome, names, verdict, margin)}"


def _conclusion(outcome: Outcome, names: str, verdict: AlternativeVerdict, margin: float) -> str:
    odds = outcome.of_model.equalized_odds
    wider = "; but the equalized odds difference widens" if odds is not None and odds.low > 0 else ""
    if verdict == "proven":
        ending = f": a less discriminatory alternative is proven; the choice of {names} needs justification{wider}."
        return ending + (f" {NEEDS_ATTRIBUTE}." if outcome.action == "neutralise" else "")
    if verdict == "not_proven":
        return (
            f": no less discriminatory alternative is proven (accuracy may fall by {number(margin, digits=2)}){wider}."
        )
    return "."


def _gap_words(change: Change | None) -> str:
    if change is None:
        return "the gap is not known, since fewer than two groups have 30 rows"
    if change.high < 0 or change.low > 0:
        verb = f"{'falls' if change.high < 0 else 'rises'} from {_short(change.before)} to {_short(change.after)}"
    else:
        verb = f"is not shown to change, from {_short(change.before)} to {_short(change.after)}"
    return f"the gap {verb} (change {_short(change.estimate)}, {_span(change)})"


def _accuracy_words(change: Change | None) -> str:
    if change is None or change.worst is None:
        return ""
    moved = f"{'falls' if change.estimate < 0 else 'rises'} by {number(abs(change.estimate))}"
    return f"accuracy {moved} (it falls by at most {number(max(0.0, -change.worst))})"


def _notes(case: Case, rows: Sequence[WhatIf], margin: float) -> list[str]:
    if not rows:
        return []
    notes = [
        f"What if: intervals are of paired changes on the same rows, at level {number(rows[0].level)} each, so that "
        f"what is said of all alternatives holds together; accuracy may fall by {number(margin, digits=2)}."
    ]
    if case.label is None:
        notes.append("Without labels what an alternative costs in accuracy is not known, and none can be proven.")
    elif case.retraining is None:
        notes.append("No classifier was trained anew: there are too few rows, or the training rows are not known.")
    else:
        notes.append(
            _trained(case.retraining, apart=any(each.against == "retrained" for row in rows for each in row.changes))
        )
    return notes


def _trained(retraining: Retraining, *, apart: bool) -> str:
    whose = (
        "the rows that the audited classifier learned from" if retraining.same_rows else "rows that are not compared"
    )
    said = f"Trained anew: {retraining.kind}{', a stand-in,' if retraining.stand_in else ''} on {retraining.rows:,} of {whose}"
    if not apart:
        return f"{said}; with all features it decides as the audited classifier does."
    return f"{said}; what is proven holds against the same training with all features too."


def _id(row: WhatIf) -> str:
    joint = row.role == "joint_proxy" or " & " in row.features
    return f"proxy/contribution/{row.attribute}/{(' & ' if joint else ' + ').join(row.features)}"


def _with(message: str, row: WhatIf) -> str:
    return f"{message.rstrip('.')}. {row.message}"


def _short(value: float) -> str:
    return number(value, digits=2 if abs(value) >= 0.1 else 3)


def _span(change: Change) -> str:
    return span(change.low, change.high)
