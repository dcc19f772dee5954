"""The parts of a policy and their keys, for every page that lists them: the dashboard's and the reference."""

import re
from dataclasses import dataclass

from pydantic import BaseModel

from evenhand.auditors.policy import (
    Check,
    DataSection,
    FeatureRule,
    ModelSection,
    PerceptionSection,
    Policy,
    PracticeSection,
    ProxySection,
    ReportSection,
    RobustnessSection,
    SearchSection,
)

TOP = "At the top"

SECTIONS: dict[str, type[BaseModel]] = {
    TOP: Policy,
    "data": DataSection,
    "model": ModelSection,
    "check": Check,
    "search": SearchSection,
    "robustness": RobustnessSection,
    "FeatureRule": FeatureRule,
    "proxy": ProxySection,
    "perception": PerceptionSection,
    "report": ReportSection,
    "practice": PracticeSection,
}


@dataclass(frozen=True)
class Part:
    """One table of a policy.

    Attributes:
        heading: as it is written in the file, `[[check]]` say.
        says: what it is for.
        keys: those that are no tables themselves.
    """

    heading: str
    says: str
    keys: list[str]


def parts() -> list[Part]:
    """Every part of a policy, with all of its keys."""
    return [_part(name, model) for name, model in SECTIONS.items()]


def _part(name: str, model: type[BaseModel]) -> Part:
    text = " ".join((model.__doc__ or "").split())
    opening = re.match(r"`(\[[^`]+\])`: (.+)", text)
    heading, says = opening.groups() if opening else (name, "What holds for the whole audit.")
    return Part(heading, says[:1].upper() + says[1:], [key for key in model.model_fields if key not in SECTIONS])
