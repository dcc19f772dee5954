"""How REST shows data sets."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class DatasetDocument(BaseModel):
    """A data set as REST shows it."""

    id: str
    name: str
    filename: str
    kind: Literal["table", "images"]
    sha256: str
    size_bytes: int
    rows: int
    columns: list[str]
    created_at: datetime
    created_by: str | None


class DatasetList(BaseModel):
    """One page of uploaded data sets, newest first, and the built-in ones by name."""

    items: list[DatasetDocument]
    next: str | None = Field(description="cursor of the next page; null on the last")
    builtin: list[str] = Field(description="names that `dataset` of an audit or training also takes")
