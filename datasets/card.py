"""What people must know about a data set before they use it; the rows themselves are in Table and ImageSet."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class DatasetCard:
    """Where a data set comes from, what its columns mean, and where it misleads.

    An audit takes its defaults from here: label, positive, favourable, sensitive, prediction or score and threshold,
    unit and pair. Values are text as `Table.groups` shows them ("1", ">50K").
    """

    name: str
    title: str
    description: str
    source: str
    licence: str
    rows: int
    label: str
    """Column with what really happened, or what is really there."""
    label_meaning: str
    positive: str | None
    """Label that rates are about; None for labels of more than two classes."""
    favourable: str | None
    """Label that helps the person; None where no label does."""
    favourable_meaning: str
    sensitive: tuple[str, ...]
    features: tuple[str, ...] | None = None
    """Columns a classifier may learn from; None for pictures."""
    categorical: tuple[str, ...] = ()
    """Features whose values are names, also where they are written as numbers."""
    fixed: tuple[str, ...] = ()
    """Features that nobody can change, or should be asked to: an audit of recourse leaves them as they are."""
    prediction: str | None = None
    score: str | None = None
    threshold: float | None = None
    """Predicted positive where score >= threshold."""
    unit: str | None = None
    """Column that names the independent thing; rows of one unit are not independent."""
    pair: str | None = None
    """Column that names sets of counterparts: rows of one pair differ in the sensitive column only."""
    limits: tuple[str, ...] = ()
    """Sentences to read before drawing conclusions."""
    kind: Literal["table", "image"] = "table"
