"""Robustness of classifiers of tables: feasible changes of a row that turn its decision, by group."""

from evenhand.auditors.robustness.tables.audit import audit_changes
from evenhand.auditors.robustness.tables.data import Decide, Decisions, RowData

__all__ = ["Decide", "Decisions", "RowData", "audit_changes"]
