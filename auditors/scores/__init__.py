"""Scores: how well they rank, how well they fit what happened, and how they spread, by group and across groups.

Part of group disparity, where rows have scores. `audit` is imported only then.
"""
