"""A policy as evenhand.toml, written as a person would: sections that say something, and notes as comments above."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from evenhand.auditors.policy import Policy

WIDTH = 100


def policy_text(policy: Policy, *, notes: Sequence[str] = (), heading: str = "", ascii_only: bool = False) -> str:
    """TOML that reads back as this policy; what is as by default is left out.

    Args:
        ascii_only: signs outside ASCII are written as escapes; those that cannot be seen always are.
    """
    document = policy.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    lines = [*_comment(heading), *(line for note in notes for line in _comment(note, bullet=True))]
    tables = {key: value for key, value in document.items() if isinstance(value, dict) or key == "check"}
    lines += _keys({key: value for key, value in document.items() if key not in tables})
    for key, value in tables.items():
        for part in value if isinstance(value, list) else [value]:
            lines += ["", f"[[{key}]]" if isinstance(value, list) else f"[{key}]", *_keys(part)]
    text = "\n".join(lines).strip("\n") + "\n"
    return "".join(sign if _is_plain(sign, ascii_only=ascii_only) else _escaped(sign) for sign in text)


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
    # a basic string of TOML has the escapes of JSON
    return json.dumps(value, ensure_ascii=False)


def _is_plain(sign: str, *, ascii_only: bool) -> bool:
    return sign == "\n" or (sign.isprintable() and (sign.isascii() or not ascii_only))


def _escaped(sign: str) -> str:
    return f"\\u{ord(sign):04X}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08X}"
