"""What can go wrong when a classifier is trained, loaded, confined or asked for scores.

ClassifierError
├── RefusedFormat            a format that can run code on load
├── UnsupportedModel         a safe format, holding something that cannot be used here
├── CorruptModel             bytes that are not what they begin as
├── ModelTooLarge            a file beyond the limit
├── WrongInput               rows or pictures that do not fit the classifier
├── WrongOutput              the model answered something that is not scores
├── TrainingFailed           data from which nothing can be learned
├── SaveFailed               what was written does not score as what was trained
├── BadEndpoint              the description of an endpoint says what cannot be
├── EndpointRefused          an endpoint that may not be asked
├── EndpointFailed           an endpoint that does not answer
├── QueriesSpent             more questions than the budget of an endpoint allows
├── ConfinementUnavailable   this system cannot confine a child process
└── ChildFailed              the confined child ran out of memory or time, crashed, or broke off

Constructors take facts and build the message. Facts are plain JSON values, so that an error travels from the confined
child to its parent, and between processes, unchanged.
"""

from collections.abc import Sequence
from typing import ClassVar

Part = str | tuple[str, str | None]
"""Of a message: words, or a setting by its name in the policy and the value it should have (None: of one's choice)."""


class ClassifierError(Exception):
    """Base of everything this room raises on purpose.

    Attributes:
        said: the message in parts. Who shows it puts the settings into words of its readers: an option, a field, a key.
            Without that, a setting is a bare `features`.
        facts: what the constructor took.
    """

    def __init__(self, *said: Part, **facts: object) -> None:
        super().__init__("".join(part if isinstance(part, str) else f"`{part[0]}`" for part in said))
        self.said = said
        self.facts = facts

    def __reduce__(self) -> tuple[object, ...]:
        return rebuild, (type(self), self.facts)


def rebuild(kind: type[ClassifierError], facts: dict[str, object]) -> ClassifierError:
    """The error of that class with those facts; the inverse of `error.facts`."""
    return kind(**facts)


class RefusedFormat(ClassifierError):
    """The file is of a kind that can run code when it is loaded; it was not loaded."""

    def __init__(self, *, name: str, found: str, how_to_convert: str) -> None:
        super().__init__(
            f"{name} is {found}, which can run code when it is loaded, so it was refused unread. {how_to_convert}",
            name=name,
            found=found,
            how_to_convert=how_to_convert,
        )


class UnsupportedModel(ClassifierError):
    """The format is accepted, but not what this model asks for.

    `setting` is that which says what is missing, if one does.
    """

    def __init__(self, *, name: str, problem: str, instead: str, setting: str | None = None) -> None:
        super().__init__(
            f"{name} cannot be used: {problem}. {instead}",
            *_by(setting),
            name=name,
            problem=problem,
            instead=instead,
            setting=setting,
        )


class CorruptModel(ClassifierError):
    """The bytes are truncated, damaged, or no model at all."""

    def __init__(self, *, name: str, problem: str) -> None:
        super().__init__(
            f"{name} is not a readable model: {problem}. Export it again as ONNX, safetensors or skops.",
            name=name,
            problem=problem,
        )


class ModelTooLarge(ClassifierError):
    """The file is larger than the limits allow."""

    def __init__(self, *, name: str, found_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"{name} has {found_bytes:,} bytes; models up to {limit_bytes:,} bytes are accepted.",
            name=name,
            found_bytes=found_bytes,
            limit_bytes=limit_bytes,
        )


class WrongInput(ClassifierError):
    """Rows, columns or pictures do not fit what the classifier was made for."""

    def __init__(self, *, expected: str, got: str) -> None:
        super().__init__(f"wrong input: expected {expected}, got {got}.", expected=expected, got=got)


class WrongOutput(ClassifierError):
    """The model ran, but its answer is not one score a class for every row."""

    def __init__(self, *, name: str, expected: str, got: str) -> None:
        super().__init__(f"{name} answered {got}; expected {expected}.", name=name, expected=expected, got=got)


class TrainingFailed(ClassifierError):
    """Nothing can be learned from these data.

    `setting` is that which says what is missing, if one does.
    """

    def __init__(self, *, kind: str, problem: str, instead: str, setting: str | None = None) -> None:
        super().__init__(
            f"cannot train {kind}: {problem}. {instead}",
            *_by(setting),
            kind=kind,
            problem=problem,
            instead=instead,
            setting=setting,
        )


class SaveFailed(ClassifierError):
    """The file was written and read back, and its scores differ from those of the classifier in memory."""

    def __init__(self, *, name: str, difference: float, allowed: float) -> None:
        super().__init__(
            f"{name} was not saved: read back, its scores differ by {difference:.3g} (allowed {allowed:.3g}).",
            name=name,
            difference=difference,
            allowed=allowed,
        )


class BadEndpoint(ClassifierError):
    """The description of an endpoint says what cannot be, or leaves out what is needed.

    `setting` is that which says what is missing, if one does.
    """

    def __init__(self, *, key: str, problem: str, instead: str, setting: str | None = None) -> None:
        super().__init__(
            f"the description of the endpoint cannot be used: `{key}`: {problem}. {instead}",
            *(_by(setting) or (".",)),
            key=key,
            problem=problem,
            instead=instead,
            setting=setting,
        )


class EndpointRefused(ClassifierError):
    """The endpoint may not be asked from here; nothing was sent."""

    def __init__(self, *, host: str, problem: str, instead: str) -> None:
        super().__init__(
            f"the endpoint at {host} is not asked: {problem}. {instead}.", host=host, problem=problem, instead=instead
        )


class EndpointFailed(ClassifierError):
    """The endpoint gave no answer, or one that says no."""

    def __init__(self, *, host: str, problem: str) -> None:
        super().__init__(
            f"the endpoint at {host} failed: {problem}. Nothing was concluded; audit again once it answers.",
            host=host,
            problem=problem,
        )


class QueriesSpent(ClassifierError):
    """The audit would send more rows or pictures than the budget allows."""

    def __init__(self, *, host: str, sent: int, wanted: int, budget: int) -> None:
        super().__init__(
            f"the endpoint at {host} was sent {sent:,} rows, and {wanted:,} more would pass the budget of {budget:,}. "
            "Raise `queries` in its description, or audit less: ",
            ("only", None),
            ".",
            host=host,
            sent=sent,
            wanted=wanted,
            budget=budget,
        )


class ConfinementUnavailable(ClassifierError):
    """Uploaded models run only in a confined child process, and this system cannot confine one."""

    def __init__(self, *, missing: str) -> None:
        super().__init__(
            f"uploaded models are refused here, because a child process cannot be confined: {missing}. "
            "Run on Linux 5.13 or later with Landlock, or install bubblewrap, or accept weaker protection "
            "(system call filter and limits alone) with EVENHAND_SANDBOX=weak. "
            "Prediction files, endpoints and networks in safetensors work without.",
            missing=missing,
        )


def _by(setting: str | None) -> tuple[Part, ...]:
    """Where what to do ends with the setting that does it."""
    return () if setting is None else (": ", (setting, None), ".")


class ChildFailed(ClassifierError):
    """The confined child did not answer. `reason` is one of memory, time, crash, error, closed."""

    WORDS: ClassVar[dict[str, str]] = {
        "memory": "needed more memory than it is allowed",
        "time": "took longer than it is allowed, and was stopped",
        "crash": "crashed",
        "error": "could not do what was asked",
        "closed": "is closed",
    }

    def __init__(self, *, name: str, reason: str, detail: str) -> None:
        super().__init__(
            f"the confined process of {name} {self.WORDS.get(reason, reason)} ({detail}).",
            name=name,
            reason=reason,
            detail=detail,
        )


# Those that a confined child may report about itself; anything else from it counts as ChildFailed.
FROM_CHILD: dict[str, type[ClassifierError]] = {
    kind.__name__: kind for kind in (RefusedFormat, UnsupportedModel, CorruptModel, WrongInput, WrongOutput)
}


def listed(names: Sequence[str], *, most: int = 8) -> str:
    """Names for a message, the first few of many."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
