"""The queries of reviews. There is none that changes or removes one."""

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from evenhand.service.auth.store import Principal
from evenhand.service.errors import ReviewNotFound, UnknownChoice
from evenhand.service.events.store import record
from evenhand.service.ids import new_id
from evenhand.service.paging import DEFAULT_LIMIT, Page, page
from evenhand.service.reports.store import get_report_row
from evenhand.service.reports.tables import FindingRow, ReportRow
from evenhand.service.reviews.documents import ReviewOrder
from evenhand.service.reviews.tables import Review


def add_review(session: Session, report_id: str, order: ReviewOrder, *, principal: Principal) -> Review:
    """Put a decision on record. One on the same report or finding before it is superseded and stays.

    Args:
        session: of `writing()`.
        report_id: the report's id, or its audit's.
        principal: who decides.

    Raises:
        ReportNotFound: there is none.
        UnknownChoice: the report has no such finding.
    """
    report = get_report_row(session, report_id)
    # one at a time, so that each supersedes the one before it
    session.refresh(report, with_for_update=True)
    if order.finding is not None:
        _require_finding(session, report, order.finding)
    review = Review(
        id=new_id("rev"),
        report_id=report.id,
        finding=order.finding,
        decision=order.decision.value,
        justification=order.justification,
        author=principal.name,
        token_id=principal.token_id,
        supersedes=_standing(session, report.id, order.finding),
        successor=None,
    )
    session.add(review)
    record(
        session, "review.add", actor=principal.name, subject=review.id, report=report.id, decision=order.decision.value
    )
    session.flush()
    return review


def get_review(session: Session, report_id: str, review_id: str) -> Review:
    """Raises ReportNotFound, and ReviewNotFound where the report has no such review."""
    review = session.get(Review, review_id)
    if review is None or review.report_id != get_report_row(session, report_id).id:
        raise ReviewNotFound(review_id)
    return review


def list_reviews(
    session: Session, report_id: str, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Page[Review]:
    """One page of a report's reviews, newest first, the superseded ones too. Raises ReportNotFound and BadCursor."""
    query = sa.select(Review).where(Review.report_id == get_report_row(session, report_id).id)
    return page(session, query, made=Review.created_at, key=Review.id, limit=limit, cursor=cursor)


def _standing(session: Session, report_id: str, finding: str | None) -> str | None:
    """Id of the review on a report, or on one of its findings, that nothing supersedes."""
    later = aliased(Review)
    about = (Review.report_id == report_id, Review.finding.is_not_distinct_from(finding))
    return session.scalar(sa.select(Review.id).where(*about, ~sa.exists().where(later.supersedes == Review.id)))


def _require_finding(session: Session, report: ReportRow, finding: str) -> None:
    named = sa.select(FindingRow.position).where(FindingRow.report_id == report.id, FindingRow.finding_id == finding)
    if session.scalar(named.limit(1)) is None:
        raise UnknownChoice("finding", finding, f"the `id` of a finding of report {report.id}, or left out")
