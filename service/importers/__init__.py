"""Moving from other tools: what their files and names mean here."""

from evenhand.service.importers import aequitas

__all__ = ["aequitas"]
