"""Rows counted where they lie, in memory that does not grow with them; what the counts mean belongs to the audits."""
