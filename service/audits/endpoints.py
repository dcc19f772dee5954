"""Endpoints as a policy or a command names them: the address, and the keys of [model] that say how it is asked."""

from pathlib import Path
from typing import TYPE_CHECKING

from evenhand.auditors.policy import ENDPOINT_KEYS, ModelSection

if TYPE_CHECKING:
    from evenhand.classifiers.endpoints.description import Endpoint


def is_endpoint(model: str | None) -> bool:
    """Whether what is named as a model is an address, and no file."""
    return model is not None and "://" in model


def model_name(model: str) -> str:
    """How a report calls a model: the name of its file, or the address without what may be personal in it."""
    return model.partition("?")[0] if is_endpoint(model) else Path(model).name


def endpoint_of(url: str, section: ModelSection | None) -> "Endpoint":
    """The endpoint at an address, asked as [model] says.

    Raises:
        BadEndpoint: a key holds what cannot be used.
    """
    from evenhand.classifiers.endpoints.description import endpoint_from

    keys = section.model_dump(include={*ENDPOINT_KEYS, "classes"}, exclude_none=True) if section else {}
    return endpoint_from({"url": url, **keys})
