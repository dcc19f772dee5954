"""The queries of reports. The document is in the artefact store; rows are written with it and never changed."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from evenhand.auditors.report import Report
from evenhand.service.artefacts import Artefacts
from evenhand.service.audits.search import EVERYTHING, Search, attributes_of, reports_found, searchable
from evenhand.service.audits.tables import Audit
from evenhand.service.db import now
from evenhand.service.errors import ReportNotFound
from evenhand.service.jobs import store as jobs
from evenhand.service.paging import DEFAULT_LIMIT, Page, page
from evenhand.service.reports.tables import FindingRow, ReportRow


def keep_report(session: Session, audit: Audit, report: Report, *, sha256: str) -> bool:
    """End an audit with its report, exactly once however often its job ran.

    Args:
        session: of `writing()`.
        audit: what the report answers.
        report: the document; `sha256` is that of its JSON in the artefact store.

    Returns:
        False where the audit was over or cancelled: then nothing is kept.
    """
    if not jobs.succeed(session, audit.job_id):
        return False
    row = {
        "id": report.id,
        "project_id": audit.project_id,
        "audit_id": audit.id,
        "title": audit.title,
        "verdict": report.verdict.value,
        "outcome": report.gate.outcome,
        "exit_code": report.gate.exit_code,
        "sha256": sha256,
        "created_at": now(),
    }
    if not _insert_once(session, row):
        return False
    findings = [_finding_row(report.id, position, finding) for position, finding in enumerate(report.findings)]
    if findings:
        session.execute(sa.insert(FindingRow), findings)
    audit.searched = searchable(audit, attributes_of(report), report.id)
    return True


def get_report_row(session: Session, report_id: str) -> ReportRow:
    """The row of a report, by its own id or its audit's. Raises ReportNotFound."""
    named = sa.or_(ReportRow.id == report_id, ReportRow.audit_id == report_id)
    row = session.scalar(sa.select(ReportRow).where(named))
    if row is None:
        raise ReportNotFound(report_id)
    return row


def read_json(session: Session, artefacts: Artefacts, report_id: str) -> bytes:
    """The document's JSON to the byte, by the report's own id or its audit's: what its SHA-256 is of.

    Raises:
        ReportNotFound: there is none.
        ArtefactMissing, ArtefactDamaged: its file is gone or changed.
    """
    return artefacts.read(get_report_row(session, report_id).sha256)


def read_report(session: Session, artefacts: Artefacts, report_id: str) -> Report:
    """The document. Raises what read_json does."""
    return Report.model_validate_json(read_json(session, artefacts, report_id))


def list_reports(
    session: Session, *, asked: Search = EVERYTHING, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Page[ReportRow]:
    """One page of what a search finds, newest first. Raises BadCursor and UnknownProject."""
    found = reports_found(session, asked)
    return page(session, found, made=ReportRow.created_at, key=ReportRow.id, limit=limit, cursor=cursor)


def _insert_once(session: Session, row: dict[str, Any]) -> bool:
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = insert(ReportRow).values(**row).on_conflict_do_nothing(index_elements=["audit_id"])
    return session.execute(statement.returning(ReportRow.id)).scalar() is not None


def _finding_row(report_id: str, position: int, finding: Any) -> dict[str, Any]:
    return {
        "report_id": report_id,
        "position": position,
        "finding_id": finding.id,
        "audit": finding.audit,
        "metric": finding.metric,
        "comparison": finding.comparison.value,
        "attribute": finding.attribute,
        "group": finding.group,
        "reference": finding.reference,
        "estimate": finding.estimate,
        "low": finding.low,
        "high": finding.high,
        "tolerance": finding.tolerance,
        "verdict": finding.verdict.value,
        "gate": finding.gate.value,
        "message": finding.message,
    }
