"""Which stored files are still needed. Uploads of the same bytes share one file: it goes with its last owner."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from evenhand.service.datasets.tables import Dataset
from evenhand.service.models.tables import Model
from evenhand.service.reports.tables import ReportRow


def is_needed(session: Session, sha256: str) -> bool:
    """Whether a data set, model or report still has this file."""
    owners = [sa.select(owner.id).where(owner.sha256 == sha256) for owner in (Dataset, Model, ReportRow)]
    return any(session.scalar(owner.limit(1)) is not None for owner in owners)
