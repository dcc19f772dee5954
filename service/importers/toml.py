"""A policy as evenhand.toml, written as a person would: sections that say something, and notes as comments above."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from evenhand.auditors.policy import Policy

WIDTH = 100


def policy_text(policy: Policy, *, notes: Sequence[str] = (), heading: str = "") -> str:
    """TOML that reads back as this policy; what is as by default is left out."""
    document = policy.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    lines = [*_comment(heading), *(line for note in notes for line in _comment(note, bullet=True))]
    tables = {key: value for key, value in document.items() if isinstance(value, dict) or key == "check"}
    lines += _keys({key: value for key, value in document.items() if key not in tables})
    for key, value in tables.items():
        for part in value if isinstance(value, list) else [value]:
            lines += ["", f"[[{key}]]" if isinstance(value, list) else f"[{key}]", *_keys(part)]
    return "\n".join(lines).strip("\n") + "\n"


def _comment(text: str, *, bullet: bool = False) -> Iterator[str]:
    for index, line in enumerate(textwrap.wrap(text, WIDTH)):
        yield f"# {'- ' if bullet and index == 0 else '  ' if bullet else ''}{line}"


def _keys(section: dict[str, Any]) -> Iterator[str]:
    for key, value in section.items():
        yield f"{_key(key)} = {_value(value)}"


def _key(text: str) -> str:
    plain = text.isascii() and text.replace("_", "").replace("-", "").isalnum()
    return text if plain else _value(text)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(key)} = {_value(each)}' for key, each in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(_value(each) for each in value)}]"
    # a basic string of TOML has the escapes of JSON, and DEL besides
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
