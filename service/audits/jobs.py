"""The audit job: gathers files, runs the audit in a child process, keeps its report."""

from evenhand.auditors.report import Report
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.representations import AuditSubmission
from evenhand.service.audits.store import get_audit
from evenhand.service.audits.tables import Audit
from evenhand.service.datasets.store import get_dataset
from evenhand.service.errors import ModelNotFound
from evenhand.service.jobs.context import JobContext, persist
from evenhand.service.models.store import get_model
from evenhand.service.reports.store import keep_report

CHILD = "evenhand.service.audits.child"


def run_audit_job(context: JobContext) -> None:
    """Run the audit of this job. Running it twice leaves one report."""
    with context.workplace.database.reading() as session:
        audit = get_audit(session, context.job.id)
    request_path, report_path = context.folder / "request.json", context.folder / "report.json"
    request_path.write_text(_request(context, audit).model_dump_json())
    context.run_child(CHILD, str(request_path), str(report_path))
    report = Report.model_validate_json(report_path.read_bytes())
    sha256 = context.workplace.artefacts.put_bytes(report.to_json().encode())

    def keep() -> None:
        with context.workplace.database.writing() as session:
            keep_report(session, get_audit(session, audit.id), report, sha256=sha256)

    persist(keep)


def _request(context: JobContext, audit: Audit) -> AuditRequest:
    """What was asked, with ids replaced by files in the job's folder."""
    asked = AuditSubmission.model_validate(audit.request)
    source, policy = asked.dataset, asked.policy
    model_path, model_name = None, None
    with context.workplace.database.reading() as session:
        if audit.dataset_id is not None:
            dataset = get_dataset(session, audit.dataset_id)
            source = str(context.fetch(dataset.sha256, dataset.filename, into="data"))
        if asked.model is not None:
            model = get_model(session, asked.model)
            if model.sha256 is None or model.filename is None:
                raise ModelNotFound(asked.model)
            model_path, model_name = str(context.fetch(model.sha256, model.filename, into="model")), model.name
    if asked.title is not None:
        policy = policy.model_copy(update={"report": policy.report.model_copy(update={"title": asked.title})})
    return AuditRequest(
        source=source,
        model_path=model_path,
        model_name=model_name,
        policy=policy,
        only=asked.only,
        device=asked.device,
        thorough=asked.thorough,
        seed=asked.seed,
        allow_inconclusive=asked.allow_inconclusive,
    )
