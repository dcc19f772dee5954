"""/api/v1/reports/ID/reviews: what people decided about a report, and why."""

from functools import partial

from apiflask import APIBlueprint
from flask import Response
from sqlalchemy.orm import Session

from evenhand.service.auth.tables import Role
from evenhand.service.current import reading, writing
from evenhand.service.idempotency import idempotent
from evenhand.service.paging import Page
from evenhand.service.reports.store import get_report_row
from evenhand.service.reports.tables import ReportRow
from evenhand.service.rest import (
    API,
    IDEMPOTENCY_KEY,
    Paging,
    answers,
    auth,
    body,
    document,
    json_content,
    page_of,
    principal,
    takes,
)
from evenhand.service.reviews import store
from evenhand.service.reviews.documents import ReviewDocument, ReviewList, ReviewOrder
from evenhand.service.reviews.tables import Decision, Review

api = APIBlueprint("reviews", __name__, url_prefix=f"{API}/reports/<id:report_id>/reviews", tag="Reviews")


@api.post("")
@api.auth_required(auth, roles=[Role.AUDITOR])
@api.doc(
    responses=answers(201, "It is on record", ReviewDocument, Location="where it is"),
    extensions=takes(json_content(ReviewOrder), IDEMPOTENCY_KEY),
)
@idempotent
def add(report_id: str) -> Response:
    """Put a decision about a report, or one of its findings, on record.

    It changes neither the report nor its exit code. An earlier one on the same is superseded and stays.
    """
    order = body(ReviewOrder)
    with writing() as session:
        review = store.add_review(session, report_id, order, principal=principal())
        report = get_report_row(session, report_id)
    return document(shown(review, report), status=201, location=f"{API}/reports/{report.id}/reviews/{review.id}")


@api.get("")
@api.auth_required(auth, roles=[Role.VIEWER])
@api.input(Paging, location="query", arg_name="paging")
@api.doc(responses=answers(200, "One page, newest first, the superseded ones too", ReviewList))
def list_all(report_id: str, paging: Paging) -> Response:
    """List the reviews of a report."""
    with reading() as session:
        report = get_report_row(session, report_id)

    def listed(session: Session, /, *, limit: int, cursor: str | None) -> Page[Review]:
        return store.list_reviews(session, report.id, limit=limit, cursor=cursor)

    return page_of(listed, paging, partial(shown, report=report), ReviewList)


@api.get("/<id:review_id>")
@api.auth_required(auth, roles=[Role.VIEWER])
@api.doc(responses=answers(200, "The review", ReviewDocument))
def show(report_id: str, review_id: str) -> Response:
    """Show a review."""
    with reading() as session:
        review = store.get_review(session, report_id, review_id)
        return document(shown(review, get_report_row(session, report_id)))


def shown(review: Review, report: ReportRow) -> ReviewDocument:
    return ReviewDocument(
        id=review.id,
        report=report.id,
        report_sha256=report.sha256,
        finding=review.finding,
        decision=Decision(review.decision),
        justification=review.justification,
        author=review.author,
        token=review.token_id,
        created_at=review.created_at,
        supersedes=review.supersedes,
        superseded_by=review.superseded_by,
    )
