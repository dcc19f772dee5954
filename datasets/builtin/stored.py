"""Where the files of the built-in sets lie, and a stored table with its card."""

from dataclasses import replace
from pathlib import Path

from evenhand.datasets.card import DatasetCard
from evenhand.datasets.readers import read_table
from evenhand.datasets.table import Table

DATA = Path(__file__).parent / "data"


def stored_table(card: DatasetCard) -> Table:
    """The table that the build script stored under the card's name."""
    return replace(read_table(DATA / f"{card.name}.parquet", card.name), card=card)
