"""The representation audit: who is in the data, and how often with which label."""

from evenhand.auditors.representation.audit import audit_representation

__all__ = ["audit_representation"]
