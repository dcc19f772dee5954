"""How REST takes and shows reviews, which the dashboard's form fills in too."""

from datetime import datetime
from functools import partial
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from evenhand.service.reviews.tables import Decision
from evenhand.service.texts import typed

MOST_CHARACTERS = 10_000


class ReviewOrder(BaseModel):
    """The body of POST /reports/ID/reviews."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    finding: Annotated[str, BeforeValidator(typed)] | None = Field(
        default=None, description="`id` of a finding of the report; absent: the whole report"
    )
    decision: Decision
    justification: Annotated[str, Field(max_length=MOST_CHARACTERS), BeforeValidator(partial(typed, lines=True))] = (
        Field(description="why, in words that a later reader understands")
    )


class ReviewDocument(BaseModel):
    """A decision about a report or one of its findings. It is never changed; a later one on the same supersedes it."""

    id: str
    report: str
    report_sha256: str = Field(description="of the report's JSON as it is kept")
    finding: str | None = Field(description="null: the whole report")
    decision: Decision
    justification: str
    author: str = Field(description="name of the token that it was sent with")
    token: str = Field(description="id of that token")
    created_at: datetime
    supersedes: str | None = Field(description="id of the review before it on the same")
    superseded_by: str | None = Field(description="id of the one after it; null where it stands")


class ReviewList(BaseModel):
    """One page of reviews, newest first."""

    items: list[ReviewDocument]
    next: str | None = Field(description="cursor of the next page; null on the last")
