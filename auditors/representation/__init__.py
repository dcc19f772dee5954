"""The representation audit: who is in the data, and how often with which label."""

from evenhand.auditors.representation.audit import audit_representation
from evenhand.auditors.representation.duplicates import RowIdentity, Training
from evenhand.auditors.representation.plan import gated_checks

__all__ = ["RowIdentity", "Training", "audit_representation", "gated_checks"]
