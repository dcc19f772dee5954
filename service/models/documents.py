"""What travels about models: what asks for a training, and how REST shows a model."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator

from evenhand.auditors.policy import Side
from evenhand.service.jobs.documents import Progress

TrainingKind = Literal[
    "neuron", "mlp", "convnet4", "resnet_small", "logistic_regression", "random_forest", "hist_gradient_boosting"
]


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
    sensitive: list[str] = Field(
        default=[],
        description="columns that it must not learn from; its learning curves are recorded by their groups. "
        "Absent: as the card says",
    )
    unit: str | None = Field(default=None, description="column whose rows stay on one side of every split")
    class_weight: Literal["balanced"] | None = Field(default=None, description="balanced: classes weigh the same")
    group_weight: Literal["balanced"] | None = Field(
        default=None, description="balanced: rows are weighed until groups and classes are independent"
    )
    patience: StrictInt = Field(
        default=10, ge=1, le=1000, description="epochs without a lower validation loss after which a network stops"
    )
    epochs: StrictInt = Field(default=30, ge=1, le=1000, description="most passes of a network over the rows")
    deterministic: bool = Field(default=False, description="refuse operations whose result varies by run (GPU)")
    picture_size: tuple[Side, Side] | None = Field(
        default=None,
        description="width and height that every picture is brought to first; null leaves them as they are",
    )
    format: Literal["onnx", "safetensors", "skops"] | None = Field(
        default=None,
        description="of the model's file; absent: safetensors for networks, skops for the others. "
        "hist_gradient_boosting has skops alone",
    )
    name: str | None = Field(default=None, min_length=1, max_length=200)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    seed: StrictInt = Field(default=0, ge=0, lt=2**32)


class EndpointRequest(BaseModel):
    """A model that answers over HTTP. Its host must be among EVENHAND_ENDPOINT_HOSTS where the service runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(min_length=1, max_length=2000, description="https://HOST/PATH")
    headers: dict[str, str] | None = Field(
        default=None, description="header to the environment variable with its value: EVENHAND_ENDPOINT_…, no secrets"
    )
    features: list[str] | None = Field(default=None, description="columns of a row; absent: as the audit names them")
    classes: list[str] | None = Field(
        default=None, description="in the order of the probabilities; absent: the sorted labels of the data"
    )
    image_shape: list[StrictInt] | None = Field(default=None, description="height, width, channels of pictures")
    sends: Literal["rows", "pixels", "png"] | None = Field(
        default=None, description="absent: rows, and pictures as pixels (nested lists)"
    )
    batch: StrictInt | None = Field(default=None, ge=1, description="most rows in one request; absent: 128")
    timeout_seconds: float | None = Field(default=None, strict=True, gt=0, description="for one request; absent: 30")
    retries: StrictInt | None = Field(default=None, ge=0, description="absent: 3")
    per_second: float | None = Field(default=None, strict=True, gt=0, description="most requests a second")
    queries: StrictInt | None = Field(default=None, ge=1, description="most rows sent in one audit; absent: 1000000")


class ModelOrder(BaseModel):
    """The JSON body of a POST: a training that is asked for, or an endpoint that is described."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: TrainingRequest | None = None
    endpoint: EndpointRequest | None = None
    name: str | None = Field(default=None, min_length=1, max_length=200, description="how to call an endpoint")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.train is None) == (self.endpoint is None):
            raise ValueError("name one of `train` and `endpoint`")
        if self.train is not None and self.name is not None:
            raise ValueError("`name` is that of an endpoint; a training has a `name` of its own under `train`")
        return self


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
