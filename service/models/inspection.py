"""Looks into an uploaded model, in a child process: `python -m evenhand.service.models.inspection PATH NAME`.

Formats that can run code are refused unread; the others are loaded by `classifiers` in a confined process of their own.
"""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evenhand.service.jobs.child import Voice, speak

if TYPE_CHECKING:
    from evenhand.classifiers.card import ModelCard

MOST_DESCRIPTION_BYTES = 65_536
_NAMELESS = re.compile(r"takes (\d+) numbers a row without names")


def describe(card: "ModelCard") -> dict[str, Any]:
    """What is kept about a model: kind, features or picture size, classes, whether it has gradients, its training."""
    kept = {name: value for name, value in card.to_json().items() if name not in {"bytes", "sha256"}}
    return kept | {"training": card.training.shown() if card.training else None}


def describe_endpoint(described: dict[str, Any]) -> dict[str, Any]:
    """What is kept about an endpoint.

    Raises:
        BadEndpoint: its description cannot be used. EndpointRefused: this installation does not ask it.
    """
    from evenhand.classifiers.endpoints.description import endpoint_from
    from evenhand.classifiers.endpoints.rules import Rules

    endpoint = endpoint_from(described)
    Rules.from_environment().check(endpoint)
    pictures = endpoint.image_shape is not None or endpoint.sends in ("pixels", "png")
    return {
        "kind": "endpoint",
        "format": "endpoint",
        "takes": "images" if pictures else "table",
        "features": list(endpoint.features),
        "image_shape": list(endpoint.image_shape) if endpoint.image_shape else None,
        "classes": sorted(endpoint.classes),
        "gradients": False,
        "confined": None,
        "endpoint": endpoint.to_json(),
    }


def inspect(path: str, name: str, voice: Voice) -> None:
    """Load the file as an audit would and say what is in it.

    An ONNX graph of one tensor does not tell its columns. It is tried with stand-ins; an audit names the real ones
    (`features` under [data]). An endpoint is not asked; whether it may be asked is told from its description.
    """
    from evenhand.classifiers.endpoints.description import described_in

    content = Path(path).read_bytes() if Path(path).stat().st_size <= MOST_DESCRIPTION_BYTES else b""
    described = described_in(content)
    if described is not None:
        voice.result(describe_endpoint(described))
        return
    from evenhand.classifiers.errors import UnsupportedModel
    from evenhand.classifiers.loading import load_classifier

    try:
        with load_classifier(path, name=name) as loaded:
            voice.result(describe(loaded.card))
    except UnsupportedModel as error:
        nameless = _NAMELESS.search(str(error))
        if nameless is None:
            raise
        stand_ins = [f"column {number}" for number in range(1, int(nameless[1]) + 1)]
        with load_classifier(path, name=name, features=stand_ins) as loaded:
            voice.result({**describe(loaded.card), "features": [], "features_wanted": len(stand_ins)})


def main(arguments: list[str]) -> int:
    path, name = arguments
    return speak(lambda voice: inspect(path, name, voice))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
