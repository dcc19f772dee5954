"""Robustness by group: who is easier to fool. Importing this needs no torch; white-box attacks do."""

from evenhand.auditors.robustness.audit import audit_robustness
from evenhand.auditors.robustness.data import ImageData

__all__ = ["ImageData", "audit_robustness"]
