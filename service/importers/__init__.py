"""Moving from other tools: what their files and names mean here. `evenhand import` and `evenhand.importers` come here."""

from evenhand.service.importers import aequitas, clarify

__all__ = ["aequitas", "clarify"]
