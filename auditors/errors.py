"""What the auditors refuse, and why.

AuditorError
├── PolicyError          the policy asks for something that cannot be done
│   ├── UnknownMetric
│   ├── UnknownAttribute
│   ├── UnusableBlock    a block of features that cannot be one
│   └── ImpossiblePlan   rows are asked for, for rates that cannot be
├── UnfitData            the arrays cannot be audited as they are
│   ├── NothingToCompare one group only in every attribute
│   ├── LengthMismatch
│   ├── TooManyCells
│   ├── TooManyGroups
│   ├── BadMembership    probabilities of membership that are none
│   └── UndefinedScores  a classifier answers with NaN or infinity
└── UnknownGroup         a named reference group was not counted

Bad cells in a file (a missing label, a text where a number belongs) are found by `datasets`, which knows the file.
"""

from collections.abc import Iterable
from difflib import get_close_matches


def listed(values: Iterable[object], *, most: int = 12) -> str:
    """The values for a message: at most `most` of them, and how many more there are."""
    texts = [str(value) for value in values]
    rest = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {rest} more" if rest > 0 else "")


def nearest(name: str, candidates: Iterable[str]) -> str:
    """' Did you mean ...?' with the nearest candidate, or nothing when none is near."""
    near = get_close_matches(name, list(candidates), n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else ""


Part = str | tuple[str, str | None]
"""Of a message: words, or a setting by its name in the policy and the value it should have (None: of one's choice)."""


def plain(said: Iterable[Part]) -> str:
    """The message where nobody says how settings are named: a bare `sensitive`."""
    return "".join(part if isinstance(part, str) else f"`{part[0]}`" for part in said)


class AuditorError(Exception):
    """Base of every refusal of the auditors.

    Attributes:
        said: the message in parts. Who shows it puts the settings into words of its readers: an option, a field, a key.
    """

    def __init__(self, *said: Part) -> None:
        super().__init__(plain(said))
        self.said = said


class PolicyError(AuditorError):
    """The policy asks for something that cannot be done.

    Attributes:
        field: the key of a check that is wrong, where it is about one.
    """

    def __init__(self, *said: Part, field: str = "metric") -> None:
        super().__init__(*said)
        self.field = field


def _nearest_metric(metric: str, names: list[str]) -> str:
    """As `nearest`; of a name that does not say how it compares, the difference rather than the ratio."""
    said = nearest(metric, names)
    other = said.replace("_ratio'", "_difference'")
    return other if "ratio" not in metric and any(f"'{name}'" in other for name in names) else said


class UnknownMetric(PolicyError):
    def __init__(self, metric: str, known: Iterable[str]) -> None:
        names = sorted(known)
        super().__init__(
            f"metric '{metric}' is not known.{_nearest_metric(metric, names)} Known: {', '.join(names)}. "
            "`evenhand metrics` explains each."
        )


class UnknownAttribute(PolicyError):
    def __init__(self, attribute: str, known: Iterable[str]) -> None:
        names = list(known)
        super().__init__(
            f"attribute '{attribute}' of a check is not among the sensitive columns.{nearest(attribute, names)} "
            f"They are: {', '.join(names)}. Name it too: ",
            ("sensitive", attribute),
            ", or change `attributes` of the check.",
            field="attributes",
        )


class UnusableBlock(PolicyError):
    """A block of features names what it cannot."""

    def __init__(self, block: str, problem: str, features: Iterable[str] = ()) -> None:
        known = listed(sorted(features))
        super().__init__(
            f"block '{block}' {problem}" + (f" The features are: {known}." if known else ".") + " Change ",
            ("proxy.blocks", None),
            ".",
        )


class ImpossiblePlan(PolicyError):
    """Rows are asked for, for rates or a tolerance that cannot be."""

    def __init__(self, found: str, wanted: str) -> None:
        super().__init__(f"nothing can be planned: {found}; it must be {wanted}.")


class UnfitData(AuditorError):
    """The arrays cannot be audited as they are."""


class NothingToCompare(UnfitData):
    def __init__(self, groups: dict[str, list[str]]) -> None:
        found = "; ".join(
            f"{attribute}: {listed(values) or 'only missing values'}" for attribute, values in groups.items()
        )
        super().__init__(
            f"nothing can be compared: every sensitive attribute has fewer than two groups ({found}). "
            "Name a column with at least two different values: ",
            ("sensitive", None),
            ".",
        )


class LengthMismatch(UnfitData):
    def __init__(self, name: str, length: int, expected: int) -> None:
        super().__init__(f"'{name}' has {length:,} entries where the rows are {expected:,}. Pass one entry a row.")


class TooManyCells(UnfitData):
    def __init__(self, cells: int, limit: int, attributes: Iterable[str]) -> None:
        super().__init__(
            f"the count table of {' × '.join(attributes)} would have {cells:,} cells; the limit is {limit:,}. "
            "Merge rare values of a column with many levels, or name fewer columns: ",
            ("sensitive", None),
            ".",
        )


class BadMembership(UnfitData):
    """Probabilities of membership that are none."""

    def __init__(self, attribute: str, problem: str, found: float) -> None:
        super().__init__(
            f"membership.{attribute}: {problem} (found {found:g}). Name one column a group, each with fractions of 1: ",
            ("membership", None),
            ".",
        )


class TooManyGroups(UnfitData):
    def __init__(self, attribute: str, groups: int, rows: int, limit: int) -> None:
        super().__init__(
            f"'{attribute}' has {groups:,} groups in {rows:,} rows; up to {limit:,} can be compared pair by pair. "
            "Put its values into classes first (an age into age bands), or name another column: ",
            ("sensitive", None),
            ".",
        )


class UndefinedScores(UnfitData):
    def __init__(self, count: int, rows: int) -> None:
        super().__init__(
            f"the classifier answered with {count:,} scores that are not finite for {rows:,} rows. "
            "It must score every row; check how it treats missing values."
        )


class UnknownGroup(AuditorError):
    def __init__(self, group: str, known: Iterable[str]) -> None:
        names = list(known)
        super().__init__(f"group '{group}' was not counted.{nearest(group, names)} Counted: {listed(names)}.")
