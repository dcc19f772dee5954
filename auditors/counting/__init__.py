"""Counting rows: the histogram over integer columns, and the tables that come out of it."""
