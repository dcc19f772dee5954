"""Runs one audit: opens data and model, hands plain arrays to each audit, and gathers the report.

Jobs, the command line and Python all come through here, so that they cannot disagree.
"""

import zlib
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from evenhand import __version__
from evenhand.auditors import checks
from evenhand.auditors.clusters import UnitRows
from evenhand.auditors.counts import Attribute, CountTable
from evenhand.auditors.disparity import Meaning, audit_group_disparity
from evenhand.auditors.gate import decide, overall_verdict
from evenhand.auditors.policy import ModelSection, default_checks
from evenhand.auditors.practice.tables import practice_tables
from evenhand.auditors.protocols import Progress, silent
from evenhand.auditors.report import (
    AUDIT_NAMES,
    AuditName,
    Audits,
    Finding,
    Report,
    Subject,
    SubjectData,
    SubjectModel,
)
from evenhand.service.audits.beyond_groups import subgroups, with_membership
from evenhand.service.audits.classes import multiclass
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.environment import environment
from evenhand.service.audits.errors import NotAuditable
from evenhand.service.audits.scoring import with_scores
from evenhand.service.audits.subject import AuditSubject, open_subject
from evenhand.service.devices import fixed_threads, resolve


def run_audit(request: AuditRequest, progress: Progress = silent) -> Report:
    """Audit what the request names.

    Args:
        request: data, model, policy; paths on this machine.
        progress: called with the fraction done, in [0, 1], and what is being done.

    Raises:
        DatasetError, ClassifierError, AuditorError, RequestProblem: the input is at fault; nothing was written.
    """
    progress(0.0, "reading data")
    request = on_its_device(request)
    with open_subject(request) as subject:
        return audit_subject(subject, request, progress)


def on_its_device(request: AuditRequest) -> AuditRequest:
    """The request with `auto` made into the device that a model will run on."""
    if request.model_path is None:
        return request
    return request.model_copy(update={"device": resolve(request.device)})


def audit_subject(subject: AuditSubject, request: AuditRequest, progress: Progress = silent) -> Report:
    """Audit what is open already; as `run_audit`, for callers that keep the subject."""
    checks.refuse_unknown(request.policy.check)
    with fixed_threads() if subject.images is not None else nullcontext():
        chosen = _chosen_audits(request, subject)
        progress(0.1, "scoring" if subject.model is not None else "counting")
        audits: dict[str, Any] = {}
        findings: list[Finding] = []
        for index, name in enumerate(chosen):
            begin, share = 0.15 + 0.8 * index / len(chosen), 0.8 / len(chosen)
            progress(begin, name.replace("_", " "))

            def part(fraction: float, message: str, begin: float = begin, share: float = share) -> None:
                progress(begin + share * fraction, message)

            audits[name], found = _AUDITS[name](subject, request, part)
            findings += checks.gated(found, request.policy.check, audit=name)
        findings += checks.unanswered(request.policy.check, findings=findings, why_not=_why_not_run(subject, chosen))
        progress(0.97, "writing the report")
        return _report(request, subject, Audits(**audits), findings)


def _chosen_audits(request: AuditRequest, subject: AuditSubject) -> list[AuditName]:
    """The audits to run, in the order of the report.

    Raises:
        NotAuditable: one was asked for by name that this subject does not allow.
    """
    wanted = request.only or request.policy.only
    reasons = {name: subject.why_not(name) for name in AUDIT_NAMES}
    if wanted:
        for name in wanted:
            if (reason := reasons[name]) is not None:
                raise NotAuditable(name, reason)
        return [name for name in AUDIT_NAMES if name in wanted]
    usual = [name for name in AUDIT_NAMES if reasons[name] is None]
    # Without a model the proxy audit answers half its question: it runs when its columns are named.
    if subject.model is None and not request.policy.data.features and "proxy" in usual:
        usual.remove("proxy")
    return usual


def rng_of(seed: int, purpose: str) -> np.random.Generator:
    """A stream of its own for every purpose, so that adding an audit changes no other's numbers."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


def _group_disparity(subject: AuditSubject, request: AuditRequest, progress: Progress) -> tuple[Any, list[Finding]]:
    table = subject.count_table()
    meaning = Meaning(
        positive=subject.outcomes.positive,
        favourable=subject.outcomes.favourable,
        label=subject.columns.label,
        prediction=subject.outcomes.predicted_by,
        favourable_is_positive=subject.outcomes.favourable_is_positive,
        negative=subject.outcomes.negative,
    )
    document, findings = audit_group_disparity(
        table,
        policy=request.policy,
        meaning=meaning,
        rng=rng_of(request.seed, "group_disparity"),
        strata=_by_stratum(subject),
        units=_units(subject),
    )
    searched = subgroups(subject, request, rng=rng_of(request.seed, "subgroups"))
    document, of_scores = with_scores(document, subject, request, rng=rng_of(request.seed, "scores"))
    beyond = {"subgroups": searched, "multiclass": multiclass(subject, request)}
    document, of_members = with_membership(document.model_copy(update=beyond), subject, request)
    document = document.model_copy(update={"practice": practice_tables(document, policy=request.policy)})
    return document, [*findings, *of_scores, *of_members]


def _by_stratum(subject: AuditSubject) -> CountTable | None:
    """The count table with the stratum as its last axis; None where none is named."""
    if subject.stratum is None or subject.columns.stratum is None:
        return None
    attributes = [
        Attribute(name, *found) for name, found in subject.attributes.items() if name != subject.columns.stratum
    ]
    return subject.counts([*attributes, Attribute(subject.columns.stratum, *subject.stratum)])


def _units(subject: AuditSubject) -> UnitRows | None:
    """The person behind each row; None where no unit column is named. A row without one is a person of its own."""
    codes = _unit_codes(subject)
    if codes is None:
        return None
    attributes = [Attribute(name, *columns) for name, columns in subject.attributes.items()]
    if subject.stratum is not None and subject.columns.stratum not in (None, *subject.attributes):
        attributes.append(Attribute(str(subject.columns.stratum), *subject.stratum))
    return UnitRows.of(
        attributes,
        unit=codes,
        prediction=subject.outcomes.prediction,
        label=subject.outcomes.label,
        weight=subject.weight,
    )


def _unit_codes(subject: AuditSubject) -> NDArray[np.int64] | None:
    """The person behind each row, shape (n,); -1 where it is not known."""
    if subject.columns.unit is None:
        return None
    found = subject.table.groups(subject.columns.unit)
    codes = found.codes.astype(np.int64)
    if None in found.values:
        codes[codes == found.values.index(None)] = -1
    return codes


def _proxy(subject: AuditSubject, request: AuditRequest, progress: Progress) -> tuple[Any, list[Finding]]:
    from evenhand.auditors.proxies import Case, ProxyData, audit_proxies, with_intersections, with_what_ifs
    from evenhand.service.audits.retraining import retraining_of

    subject.table.require("proxy.legitimate", *(request.policy.proxy.legitimate or ()))
    data = ProxyData(
        columns=subject.table.features(subject.feature_names),
        categorical=frozenset(subject.columns.categorical),
        attributes=with_intersections(
            subject.attributes, depth=request.policy.data.intersections if request.thorough else 1
        ),
        strata=subject.stratum,
        dates=frozenset(name for name in subject.feature_names if subject.table.is_date(name)),
        blocks={name: tuple(members) for name, members in request.policy.proxy.blocks.items()},
        legitimate=subject.table.features(request.policy.proxy.legitimate or ()),
    )
    document, findings = audit_proxies(
        data,
        decide=subject.positive_score,
        score_threshold=subject.score_threshold,
        scores=subject.scores_of_positive,
        favourable_is_positive=subject.outcomes.favourable_is_positive,
        rng=rng_of(request.seed, "proxy"),
        thorough=request.thorough,
        progress=lambda fraction, message: progress(0.8 * fraction, message),
    )
    return with_what_ifs(
        document,
        findings,
        Case(
            data,
            decide=subject.positive_score,
            scores=subject.scores_of_positive,
            threshold=subject.score_threshold,
            label=subject.outcomes.label,
            units=_unit_codes(subject),
            retraining=retraining_of(subject, request),
        ),
        rng=rng_of(request.seed, "what_if"),
        progress=lambda fraction, message: progress(0.8 + 0.2 * fraction, message),
    )


def _robustness(subject: AuditSubject, request: AuditRequest, progress: Progress) -> tuple[Any, list[Finding]]:
    if subject.images is None:
        from evenhand.service.audits.changes import changes

        names = ("recourse", "recourse_cost", "fragility", "fragility_cost")
        return changes(subject, request, progress, _tolerances(request, "robustness", **{name: name for name in names}))
    from evenhand.auditors.policy import RobustnessSection
    from evenhand.auditors.robustness import Budget, audit_robustness

    settings = request.policy.robustness or RobustnessSection()
    assert subject.model is not None
    return audit_robustness(
        subject.image_data(),
        subject.image_classifier(),
        attributes=list(subject.attributes),
        norms=settings.norms,
        eps=settings.eps,
        eps_l2=settings.eps_l2,
        thorough=request.thorough,
        device=request.device,
        seed=request.seed,
        progress=progress,
        budget=Budget.of(
            endpoint=subject.model.card.format == "endpoint",
            pictures_per_group=settings.pictures_per_group,
            queries=settings.queries_per_picture,
        ),
        **_tolerances(
            request, "robustness", aligned="tolerance", within_class="tolerance", corruption_gap="corruption_tolerance"
        ),
    )


def _perception(subject: AuditSubject, request: AuditRequest, progress: Progress) -> tuple[Any, list[Finding]]:
    from evenhand.auditors.perception import audit_perception, limit_of

    assert subject.model is not None
    data = subject.image_data()
    return audit_perception(
        data,
        subject.image_classifier(),
        attributes=list(subject.attributes),
        device=request.device,
        seed=request.seed,
        progress=progress,
        tolerances=_tolerances(request, "perception", **{name: name for name in checks.METRICS["perception"]}),
        edits=request.policy.perception.edits,
        learning=subject.learning_record(),
        queries=limit_of(
            endpoint=subject.model.card.format == "endpoint",
            queries=request.policy.perception.queries,
            pictures=len(data),
        ),
    )


def _representation(subject: AuditSubject, request: AuditRequest, progress: Progress) -> tuple[Any, list[Finding]]:
    from evenhand.auditors.disparity.plan import gated_checks
    from evenhand.auditors.representation import audit_representation
    from evenhand.service.audits.presence import empty_cells, identity

    return audit_representation(
        subject.attributes,
        label=subject.outcomes.label,
        missing_by_column=subject.missing_by_column(),
        times=subject.table.times,
        level=0.95,
        policy=request.policy,
        other_checks=gated_checks(
            request.policy,
            sensitive=tuple(subject.attributes),
            with_labels=subject.outcomes.label is not None,
            stratum=subject.columns.stratum,
        ),
        missing=empty_cells(subject),
        identity=identity(subject, request),
    )


def _tolerances(request: AuditRequest, audit: AuditName, **arguments: str) -> dict[str, float]:
    """The policy's tolerances as the arguments that an audit takes them by; what is not named keeps its default."""
    return {
        arguments[check.metric]: check.within
        for check in request.policy.check
        if check.audit == audit and check.metric in arguments
    }


def _why_not_run(subject: AuditSubject, chosen: list[AuditName]) -> dict[AuditName, str | None]:
    """For each audit that did not run, the reason."""
    return {name: subject.why_not(name) or "it was left out" for name in AUDIT_NAMES if name not in chosen}


_AUDITS: dict[AuditName, Callable[[AuditSubject, AuditRequest, Progress], tuple[Any, list[Finding]]]] = {
    "group_disparity": _group_disparity,
    "proxy": _proxy,
    "robustness": _robustness,
    "perception": _perception,
    "representation": _representation,
}


def _report(request: AuditRequest, subject: AuditSubject, audits: Audits, findings: list[Finding]) -> Report:
    gate = decide(findings, allow_inconclusive=request.allow_inconclusive)
    card = subject.table.card
    return Report(
        id=str(uuid4()),
        created=datetime.now(UTC),
        tool={"name": "evenhand", "version": __version__},
        seed=request.seed,
        subject=Subject(
            title=request.policy.report.title or _title(request, subject),
            data=SubjectData(
                name=subject.name,
                sha256=subject.sha256,
                rows=subject.rows,
                columns=list(subject.source_columns),
                source=card.source if card else None,
                licence=card.licence if card else None,
                limits=[*subject.notes, *(card.limits if card else ())],
                warnings=list(subject.lookalikes),
            ),
            model=subject.model_document(request.model_name),
            policy=_policy_applied(request, subject, audits, findings),
        ),
        verdict=overall_verdict(findings, gate),
        gate=gate,
        audits=audits,
        findings=findings,
        environment=environment(
            with_model=subject.model is not None,
            device=request.device if subject.model is not None else "cpu",
            confined=subject.model.card.confined if subject.model is not None else None,
        ),
    )


def _policy_applied(
    request: AuditRequest, subject: AuditSubject, audits: Audits, findings: list[Finding]
) -> dict[str, Any]:
    """The policy with every gap filled by what was applied, so that the audit can be repeated from the report alone."""
    columns = subject.columns
    roles = {
        "label": columns.label,
        "prediction": columns.prediction,
        "score": columns.score,
        "threshold": columns.threshold if columns.score else None,
        "positive": subject.outcomes.positive,
        "favourable": subject.outcomes.favourable,
        "sensitive": list(columns.sensitive),
        "features": list(columns.features) if columns.features and subject.model is not None else None,
        "categorical": list(columns.categorical) if columns.categorical and subject.model is not None else None,
        "unit": columns.unit,
        "pair": columns.pair,
    }
    policy = request.policy
    data = policy.data.model_copy(update={"source": None, **{k: v for k, v in roles.items() if v is not None}})
    # where a model lies, and where its secrets are kept, is of this machine
    model = policy.model.model_dump(exclude={"path", "url", "headers"}, exclude_none=True) if policy.model else {}
    default = default_checks(with_labels=columns.label is not None) if audits.group_disparity is not None else []
    applied = policy.check or [*default, *checks.checks_behind(findings)]
    document = policy.model_copy(
        update={"data": data, "check": applied, "model": ModelSection(**model) if model else None}
    )
    return document.model_dump(mode="json", exclude_none=True) | {"seed": request.seed, "thorough": request.thorough}


def _title(request: AuditRequest, subject: AuditSubject) -> str:
    card = subject.table.card
    what = card.title if card else subject.name
    by = ", ".join(subject.columns.sensitive)
    model: SubjectModel | None = subject.model_document(request.model_name)
    return f"{what}: {model.name if model else subject.outcomes.predicted_by}, by {by}"
