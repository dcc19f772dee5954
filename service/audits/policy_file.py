"""Reads a policy from evenhand.toml, or from [tool.evenhand] in pyproject.toml."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from evenhand.auditors.policy import Policy
from evenhand.service.audits.errors import BadPolicy
from evenhand.service.keys import no_such_key

POLICY_FILE = "evenhand.toml"
PROJECT_FILE = "pyproject.toml"


def is_policy_file(source: str) -> bool:
    return source.endswith(".toml")


def policy_here(folder: Path) -> Path | None:
    """The policy file of a folder: evenhand.toml, else a pyproject.toml with [tool.evenhand]."""
    if (folder / POLICY_FILE).is_file():
        return folder / POLICY_FILE
    project = folder / PROJECT_FILE
    if project.is_file() and "evenhand" in _toml(project).get("tool", {}):
        return project
    return None


def read_policy(path: Path) -> Policy:
    """The policy in a file; its paths are relative to the file and come back absolute.

    Raises:
        BadPolicy: not TOML, no [tool.evenhand], or a key that does not exist or holds a wrong value; says where.
    """
    document = _toml(path)
    if path.name == PROJECT_FILE:
        if "evenhand" not in document.get("tool", {}):
            raise BadPolicy(path, ["it has no [tool.evenhand] table"])
        document = document["tool"]["evenhand"]
    try:
        policy = Policy.model_validate(document)
    except ValidationError as error:
        raise BadPolicy(path, problems(error)) from None
    data, model = policy.data, policy.model
    if data.source and not _is_name_or_url(data.source, path.parent):
        data = data.model_copy(update={"source": str(path.parent / data.source)})
    if data.train_source and not _is_name_or_url(data.train_source, path.parent):
        data = data.model_copy(update={"train_source": str(path.parent / data.train_source)})
    if model and model.path:
        model = model.model_copy(update={"path": str(path.parent / model.path)})
    return policy.model_copy(update={"data": data, "model": model})


def with_roles(policy: Policy, named: Mapping[str, Any]) -> Policy:
    """The policy with these keys of [data] in place of its own; a named prediction takes the place of a score, and back.

    Raises:
        pydantic.ValidationError: they contradict each other or the rest.
    """
    if not named:
        return policy
    document = policy.model_dump(exclude_unset=True)
    data = document.get("data", {})
    if "prediction" in named and "score" not in named:
        data.pop("score", None)
        data.pop("threshold", None)
    if "score" in named and "prediction" not in named:
        data.pop("prediction", None)
    return Policy.model_validate(document | {"data": data | named})


def problems(error: ValidationError, model: type[BaseModel] = Policy) -> list[str]:
    """Each complaint with its place: 'check.0.within: Input should be a valid number (found 'high')'.

    Args:
        model: what the document should have been.
    """
    said = []
    for item in error.errors(include_url=False):
        place = ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            said.append(f"{place}: {no_such_key(model, item['loc'])}")
            continue
        found = "" if isinstance(item["input"], dict) else f" (found {item['input']!r})"
        text = item["msg"].removeprefix("Value error, ")
        said.append(f"{place}: {text}{found}" if place else text)
    return said


def _is_name_or_url(source: str, folder: Path) -> bool:
    from evenhand.datasets import builtin

    return "://" in source or (source in builtin.names() and not (folder / source).exists())


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadPolicy(path, ["there is no such file"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        hint = "; write [[check]], in two brackets, above each check" if "('check',)" in str(error) else ""
        raise BadPolicy(path, [f"{error}{hint}"]) from None
