"""Puts the settings that errors name into words of who reads them: options, keys of a policy, fields, arguments.

An error of any room keeps its message in parts, `said`: words, and settings as pairs of name and value (None: of one's
choice). A setting is called as a policy calls it: `sensitive` under [data] by itself, any other after its section, as
`search.metric` is; `only` and `model` stand beside the sections.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import click

from evenhand.auditors.errors import Part
from evenhand.auditors.policy import DataSection

SEVERAL = frozenset(
    ("sensitive", "features", "categorical", "where", "membership", "search.features", "proxy.legitimate", "only")
)
"""Settings of several values."""


class Words(Protocol):
    """How one way to ask for an audit or a training calls settings."""

    def named(self, setting: str, value: str | None) -> tuple[str, str]:
        """What a setting with this value is called, and where it stands: said once for several in one place."""
        ...


@dataclass(frozen=True)
class PolicyKeys:
    """Keys of a policy; `file` is what readers call it, None where there is none to change."""

    file: str | None

    def named(self, setting: str, value: str | None) -> tuple[str, str]:
        if self.file is None:
            return _within(setting, value), ""
        section, key = _placed(setting)
        return _within(key, value, setting), f" under [{section}] in {self.file}" if section else f" in {self.file}"


@dataclass(frozen=True)
class Options:
    """Options of a command, and keys of the policy for what has no option, or was set by the policy.

    Attributes:
        placeholders: what each option's help calls its value, by its name without dashes: {"sensitive": "COL"}.
        policy: of the settings that no option has.
        by_policy: whether the policy is what was asked for; a setting is then an option only if it is among `given`.
    """

    placeholders: Mapping[str, str]
    policy: PolicyKeys = PolicyKeys(None)
    by_policy: bool = False
    given: frozenset[str] = frozenset()

    def named(self, setting: str, value: str | None) -> tuple[str, str]:
        if setting not in self.placeholders or (self.by_policy and setting not in self.given):
            return self.policy.named(setting, value)
        shown = self.placeholders[setting] if value is None else shlex.quote(value)
        return f"--{setting.replace('_', '-')} {shown}".rstrip(), ""


def options_of(
    command: click.Command, *, given: Mapping[str, object] | None = None, policy_path: Path | None = None
) -> Options:
    """The words of a command that takes no policy, or of one that takes the options `given`, and this policy file.

    Args:
        given: every option with its value, None or empty where it was not named; None for a command without a policy.
        policy_path: the file that was read; None where there was none.
    """
    options = [each for each in command.params if isinstance(each, click.Option)]
    names = {str(each.name): each.opts[0].removeprefix("--").replace("-", "_") for each in options}
    placeholders = {names[str(each.name)]: each.metavar or "" for each in options}
    if given is None:
        return Options(placeholders)
    used = frozenset(names[name] for name, value in given.items() if name in names and value not in (None, ()))
    policy = PolicyKeys(str(policy_path) if policy_path else "a policy, evenhand.toml")
    return Options(placeholders, policy, policy_path is not None, used)


@dataclass(frozen=True)
class Fields:
    """Fields of the document that asks over REST, or of the form of the dashboard that becomes one."""

    kind: str
    """'audit' or 'training'."""

    def named(self, setting: str, value: str | None) -> tuple[str, str]:
        return _within(".".join(self._path(setting)), value, setting), ""

    def pointer(self, setting: str) -> str:
        """JSON pointer to a setting."""
        return "".join(f"/{part}" for part in self._path(setting))

    def _path(self, setting: str) -> list[str]:
        if self.kind == "training":
            return ["train", setting]
        if setting in ("model", "only"):
            return [setting]
        section, key = _placed(setting)
        return ["policy", *([section] if section else []), key]


ARGUMENTS = {
    "label": "y_true",
    "prediction": "y_pred",
    "score": "y_score",
    "weight": "sample_weight",
    "sensitive": "sensitive_features",
    "stratum": "control_features",
    **{name: name for name in ("threshold", "unit", "features", "positive", "favourable", "only", "model")},
}
"""The argument of `evenhand.audit` that is a setting."""


@dataclass(frozen=True)
class Arguments:
    """Arguments of a call from Python, and keys of the policy for what has none, or was set by the policy.

    Attributes:
        by_policy: as of `Options`.
        given: the settings whose arguments are not None.
        by_name: those among them that name columns of `data`; of the others the values are at hand, and no name helps.
    """

    policy: PolicyKeys
    by_policy: bool
    given: frozenset[str]
    by_name: frozenset[str]

    def named(self, setting: str, value: str | None) -> tuple[str, str]:
        if setting not in ARGUMENTS or (self.by_policy and setting not in self.given):
            return self.policy.named(setting, value)
        is_column = setting in ("label", "prediction", "score", "weight", "sensitive", "stratum", "unit")
        shown = "" if value is None or (is_column and setting not in self.by_name) else f"={value!r}"
        return f"{ARGUMENTS[setting]}{shown}", ""


def in_words(said: Sequence[Part], words: Words) -> str:
    """The message of an error with its settings in these words."""
    text, last = "", ""
    for part in said:
        if isinstance(part, str):
            text += part
            continue
        name, place = words.named(*part)
        text += name if place == last else name + place
        last = place
    return text


def put_into(error: Exception, words: Words) -> None:
    """Let an error say its settings in these words; over REST it also points at the first of them."""
    said: Sequence[Part] = getattr(error, "said", ())
    settings = [part[0] for part in said if not isinstance(part, str)]
    if not settings:
        return
    error.args = (in_words(said, words),)
    if isinstance(words, Fields):
        error.pointer = words.pointer(settings[0])  # type: ignore[attr-defined]  # as those errors have that always point


@contextmanager
def spoken(words: Words) -> Iterator[None]:
    """Errors that leave the block say settings in these words."""
    try:
        yield
    except Exception as error:
        put_into(error, words)
        raise


def _placed(setting: str) -> tuple[str, str]:
    """Section of the policy, empty at its top, and key."""
    if setting == "model":
        return "model", "path"
    section, dot, key = setting.rpartition(".")
    if dot:
        return section, key
    return ("data", setting) if setting in DataSection.model_fields else ("", setting)


def _within(key: str, value: str | None, setting: str | None = None) -> str:
    if value is None:
        return f"`{key}`"
    return f"'{value}' {'in' if (setting or key) in SEVERAL else 'as'} `{key}`"
