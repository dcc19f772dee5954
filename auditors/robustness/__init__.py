"""Robustness by group: who is easier to fool. Importing this needs no torch; white-box attacks do."""

from evenhand.auditors.robustness.audit import audit_robustness
from evenhand.auditors.robustness.budget import Budget
from evenhand.auditors.robustness.data import ImageData

__all__ = ["Budget", "ImageData", "audit_robustness"]
