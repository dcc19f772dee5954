"""What the network sees: checks that decide, and panels that only show. Importing this needs no torch."""

from evenhand.auditors.perception.audit import audit_perception
from evenhand.auditors.perception.budget import limit_of
from evenhand.auditors.robustness.data import ImageData

__all__ = ["ImageData", "audit_perception", "limit_of"]
