"""Every table in one place, for migrations. A new folder with tables adds a line here."""

from evenhand.service.audits.tables import Audit
from evenhand.service.auth.tables import FailedSignIn, Token
from evenhand.service.datasets.tables import Dataset
from evenhand.service.db import Base
from evenhand.service.events.tables import Event, IdempotentReply
from evenhand.service.jobs.tables import Job, Worker
from evenhand.service.models.tables import Model
from evenhand.service.projects.tables import Project
from evenhand.service.reports.tables import FindingRow, ReportRow
from evenhand.service.reviews.tables import Review

METADATA = Base.metadata

__all__ = [
    "METADATA",
    "Audit",
    "Dataset",
    "Event",
    "FailedSignIn",
    "FindingRow",
    "IdempotentReply",
    "Job",
    "Model",
    "Project",
    "ReportRow",
    "Review",
    "Token",
    "Worker",
]
