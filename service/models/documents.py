"""What travels about models: what asks for a training, and how REST shows a model."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from evenhand.service.jobs.documents import Progress

TrainingKind = Literal["neuron", "mlp", "convnet4", "logistic_regression", "random_forest", "hist_gradient_boosting"]


class TrainingRequest(BaseModel):
    """A model to train on a data set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: TrainingKind
    dataset: str = Field(description="id of an uploaded data set, or a built-in name")
    label: str | None = Field(default=None, description="absent: as the built-in set's card says")
    features: list[str] | None = Field(
        default=None, description="absent: as the card says, else all but label and sensitive"
    )
    categorical: list[str] = Field(
        default=[], description="features whose values are names though they look like numbers"
    )
    sensitive: list[str] = Field(default=[], description="columns that it must not learn from")
    name: str | None = Field(default=None, min_length=1, max_length=200)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    seed: StrictInt = Field(default=0, ge=0, lt=2**32)


class TrainingOrder(BaseModel):
    """The body of a POST that asks for a training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: TrainingRequest


class ModelDocument(Progress):
    """A model as REST shows it. `status` is `succeeded` once it can be audited."""

    id: str
    name: str
    kind: str | None
    filename: str | None
    sha256: str | None
    size_bytes: int | None
    description: dict[str, Any] = Field(description="what was found in it: features, classes, whether it has gradients")
    training: TrainingRequest | None
    created_at: datetime
    created_by: str | None


class ModelList(BaseModel):
    """One page of models, newest first."""

    items: list[ModelDocument]
    next: str | None = Field(description="cursor of the next page; null on the last")
