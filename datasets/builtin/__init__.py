"""The data sets that come with evenhand, by name; each has a file with its card, and `build` made what is stored."""

from evenhand.datasets.builtin.catalogue import card, load, names

__all__ = ["card", "load", "names"]
