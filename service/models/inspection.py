"""Looks into an uploaded model, in a child process: `python -m evenhand.service.models.inspection PATH NAME`.

Formats that can run code are refused unread; the others are loaded by `classifiers` in a confined process of their own.
"""

import re
import sys
from typing import TYPE_CHECKING, Any

from evenhand.service.jobs.child import Voice, speak

if TYPE_CHECKING:
    from evenhand.classifiers.card import ModelCard

_NAMELESS = re.compile(r"takes (\d+) numbers a row without names")


def describe(card: "ModelCard") -> dict[str, Any]:
    """What is kept about a model: kind, features or picture size, classes, whether it has gradients, its training."""
    return {name: value for name, value in card.to_json().items() if name not in {"bytes", "sha256", "inputs"}}


def inspect(path: str, name: str, voice: Voice) -> None:
    """Load the file as an audit would and say what is in it.

    An ONNX graph of one tensor does not tell its columns. It is tried with stand-ins; an audit names the real ones
    (`features` under [data]).
    """
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
