"""Audits: choosing what to audit, asking for it, and following it."""

from contextlib import suppress
from typing import Any

from flask import Response, redirect, request, url_for
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from evenhand.auditors.report import AUDIT_NAMES
from evenhand.service.audits.representations import AuditSubmission
from evenhand.service.audits.store import cancel_audit, get_audit, submit_audit
from evenhand.service.audits.tables import Audit
from evenhand.service.auth.session import needs, signed_in
from evenhand.service.auth.tables import Role
from evenhand.service.current import reading, service, writing
from evenhand.service.datasets.pages import Shown, builtin_cards, shown_dataset
from evenhand.service.datasets.store import list_datasets
from evenhand.service.errors import AlreadyOver, ServiceError
from evenhand.service.jobs.tables import JobStatus
from evenhand.service.models.store import list_models
from evenhand.service.pages import FieldErrors, blueprint, field_errors, given, refusal, show

pages = blueprint("audits", __name__)

MOST_CHOICES = 200
ROLES = (
    *("label", "prediction", "score", "threshold", "positive", "favourable"),
    *("weight", "stratum", "unit", "pair"),
)
"""Fields of the form that are keys of [data] by the same name."""


@pages.get("/audits/new")
@needs(Role.AUDITOR)
def new() -> Response:
    """First what to audit, then how."""
    named = request.args.get("dataset")
    if not named:
        with reading() as session:
            uploaded = list_datasets(session, limit=MOST_CHOICES)
        return show(
            "audits/choose.html", cards=builtin_cards(), uploaded=uploaded.items, model=request.args.get("model")
        )
    return _form(named, filled=_filled_by_card(shown_dataset(named), model=request.args.get("model")), errors={})


@pages.get("/audits")
@needs()
def list_all() -> AnyResponse:
    """Home lists the audits."""
    return redirect(url_for("home_pages.home"))


@pages.post("/audits")
@needs(Role.AUDITOR)
def submit() -> AnyResponse:
    form = request.form
    errors = _missing(form)
    if not errors:
        try:
            submission = AuditSubmission.model_validate(_submission(form))
            with writing() as session:
                audit = submit_audit(session, submission, queue=service().queue, actor=signed_in().name)
            return redirect(url_for(".audit", audit_id=audit.id))
        except ValidationError as error:
            errors = field_errors(error)
        except ServiceError as error:
            errors = refusal(error)
    return _form(form.get("dataset", ""), filled=form, errors=errors, status=422)


@pages.get("/audits/<id:audit_id>")
@needs()
def audit(audit_id: str) -> AnyResponse:
    with reading() as session:
        found = get_audit(session, audit_id)
    return show("audits/audit.html", audit=found, is_over=_is_over(found))


@pages.get("/audits/<id:audit_id>/progress")
@needs()
def progress(audit_id: str) -> Response:
    """The part of the page that polls; once the report is there it sends the reader on."""
    with reading() as session:
        found = get_audit(session, audit_id)
    response = show("audits/progress.html", audit=found, is_over=_is_over(found))
    if found.report is not None:
        response.headers["HX-Redirect"] = url_for("reports_pages.report", report_id=found.report.id)
    return response


@pages.post("/audits/<id:audit_id>/cancel")
@needs(Role.AUDITOR)
def cancel(audit_id: str) -> AnyResponse:
    # where it came to its end before the button was pressed, its page says so
    with suppress(AlreadyOver), writing() as session:
        cancel_audit(session, audit_id, actor=signed_in().name)
    return redirect(url_for(".audit", audit_id=audit_id))


def _is_over(audit: Audit) -> bool:
    return JobStatus(audit.job.status).is_final


def _form(named: str, *, filled: MultiDict[str, str], errors: FieldErrors, status: int = 200) -> Response:
    with reading() as session:
        models = [model for model in list_models(session, limit=MOST_CHOICES).items if model.is_ready]
    return show(
        "audits/new.html",
        status=status,
        dataset=shown_dataset(named),
        models=models,
        audit_names=AUDIT_NAMES,
        filled=filled,
        errors=errors,
    )


def _filled_by_card(dataset: Shown, *, model: str | None) -> MultiDict[str, str]:
    """The form as the card of a built-in set fills it; an uploaded set has none."""
    filled: MultiDict[str, str] = MultiDict({"seed": "0", "model": model or ""})
    card = dataset.card
    if card is None:
        return filled
    for name in ("label", "positive", "favourable", "unit", "pair"):
        filled[name] = getattr(card, name) or ""
    if not model:
        filled["prediction"], filled["score"] = card.prediction or "", card.score or ""
        filled["threshold"] = "" if card.threshold is None else f"{card.threshold:g}"
    filled.setlist("sensitive", list(card.sensitive))
    return filled


def _submission(form: MultiDict[str, str]) -> dict[str, Any]:
    """The form as the document that REST takes too."""
    data: dict[str, Any] = given(form, *ROLES)
    data["sensitive"] = form.getlist("sensitive")
    if features := [name.strip() for name in form.get("features", "").split(",") if name.strip()]:
        data["features"] = features
    seed = form.get("seed", "").strip() or "0"
    return {
        **given(form, "dataset", "model", "title"),
        "policy": {"data": data},
        "only": form.getlist("only") or None,
        "seed": int(seed) if seed.isdecimal() else seed,
        "thorough": "thorough" in form,
        "allow_inconclusive": "allow_inconclusive" in form,
    }


def _missing(form: MultiDict[str, str]) -> FieldErrors:
    """What the document allows to leave out and the audit would ask for: better said now than by a failed job."""
    errors: FieldErrors = {}
    if not form.getlist("sensitive"):
        errors["sensitive"] = "Choose at least one column: groups are formed by its values."
    if not any(form.get(name, "").strip() for name in ("model", "prediction", "score")):
        errors["prediction"] = "Choose a model, or a column with predictions, or a column with scores."
    if form.get("score", "").strip() and not form.get("threshold", "").strip():
        errors["threshold"] = (
            "A score becomes a prediction by its threshold: positive where the score is at least this."
        )
    return errors
