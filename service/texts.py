"""What people type into requests and forms: characters that are no text are refused, since no database keeps them all."""

import unicodedata
from typing import Any

NO_TEXT = {"Cc", "Cs"}
"""Categories of Unicode: control characters, and halves of surrogate pairs."""


def typed(value: Any, *, lines: bool = False) -> Any:
    """Text without blanks around it, for a `BeforeValidator`; what is no string is passed on.

    Args:
        lines: whether line breaks and tabs may be in it.

    Raises:
        ValueError: it is empty, or holds what is no text.
    """
    if not isinstance(value, str):
        return value
    value = value.replace("\r\n", "\n").strip()
    allowed = "\n\t" if lines else ""
    if any(unicodedata.category(character) in NO_TEXT and character not in allowed for character in value):
        raise ValueError("there are characters in it that are no text")
    if not value:
        raise ValueError("it is empty")
    return value
