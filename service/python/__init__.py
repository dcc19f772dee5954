"""evenhand from Python: `evenhand.audit` and `evenhand.MetricFrame` in fairlearn's words, through the service's one door."""

from evenhand.service.python.auditing import audit
from evenhand.service.python.frame import MetricFrame
from evenhand.service.python.result import AuditResult

__all__ = ["AuditResult", "MetricFrame", "audit"]
