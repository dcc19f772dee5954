"""What can be told of a request for a training before it is queued: the label, the columns, and the kind of data."""

from collections.abc import Iterator

from evenhand.auditors.errors import listed
from evenhand.classifiers.errors import TrainingFailed
from evenhand.classifiers.savable import format_for
from evenhand.service.audits.errors import OneColumnTwice, UnfitModel
from evenhand.service.datasets.lookup import DatasetChoice
from evenhand.service.errors import Fault, LabelMissing, RefusedAtDoor, fault, pointer, unknown_column
from evenhand.service.models.documents import TrainingRequest
from evenhand.service.wording import Fields, put_into

OF_PICTURES = {"convnet4", "resnet_small"}


def refuse_unfit(asked: TrainingRequest, data: DatasetChoice) -> None:
    """Refuse what the training would fail at, with everything that is wrong at once.

    Raises:
        RefusedAtDoor: it points at each field.
    """
    faults = [*_label(asked, data), *_columns(asked, data), *_kind(asked, data), *_format(asked)]
    if faults:
        raise RefusedAtDoor(faults)


def _label(asked: TrainingRequest, data: DatasetChoice) -> Iterator[Fault]:
    label = asked.label or (data.card.label if data.card else None)
    if not label:
        detail = f"no label is named: say which column of {data.name} is learned. It has: {listed(data.columns)}."
        yield Fault(pointer("train", "label"), LabelMissing, detail)
    elif label not in data.columns:
        yield unknown_column(label, data.name, data.columns, pointer("train", "label"))
    elif label in (asked.features or ()):
        error = OneColumnTwice(label, "features", "label")
        put_into(error, Fields("training"))
        yield fault(error, pointer("train", "features"))


def _columns(asked: TrainingRequest, data: DatasetChoice) -> Iterator[Fault]:
    if asked.unit is not None and asked.unit not in data.columns:
        yield unknown_column(asked.unit, data.name, data.columns, pointer("train", "unit"))
    for role, names in (
        ("features", asked.features),
        ("categorical", asked.categorical),
        ("sensitive", asked.sensitive),
    ):
        for index, name in enumerate(names or ()):
            if name not in data.columns:
                yield unknown_column(name, data.name, data.columns, pointer("train", role, index))


def _kind(asked: TrainingRequest, data: DatasetChoice) -> Iterator[Fault]:
    if (asked.kind in OF_PICTURES) == (data.kind == "images"):
        return
    learns, are, instead = (
        ("pictures", "a table", "Choose another kind, such as logistic_regression")
        if asked.kind in OF_PICTURES
        else ("columns", "pictures", "Choose convnet4")
    )
    detail = f"{asked.kind} learns from {learns}, and {data.name} holds {are}. {instead}, or other data."
    yield Fault(pointer("train", "kind"), UnfitModel, detail)


def _format(asked: TrainingRequest) -> Iterator[Fault]:
    try:
        format_for(asked.kind, asked.format)
    except TrainingFailed as error:
        yield Fault(pointer("train", "format"), TrainingFailed, str(error))
