"""What is wrong with a request for an audit, before anything is counted.

RequestProblem
├── NothingToAudit      neither predictions, scores nor a model
├── NoSensitiveColumn
├── OneColumnTwice      a column as label and prediction, or as outcome and group
├── ClassMismatch       favourable, positive and the model's classes do not fit together
├── ThresholdNeeded
├── UnfitModel          the model does not fit the data: features, picture size
├── NoRowsLeft          the filter leaves nothing
├── NeedsRows           a setting that cannot be answered from counts alone
├── NotAuditable        an audit was asked for that this subject does not allow
├── BadPolicy           the policy file cannot be read or says what cannot be
├── BadReport           a file that is no report of this version
├── BadArgument         a call from Python passes what cannot be used
├── BadImport           a configuration of another tool that cannot be read
└── NotWritable         a file for the report cannot be written
"""

from collections.abc import Iterable

from evenhand.auditors.errors import listed, nearest


class RequestProblem(Exception):
    """Base of what is wrong with a request."""


class NothingToAudit(RequestProblem):
    def __init__(self, source: str, columns: Iterable[str]) -> None:
        super().__init__(
            f"there is nothing to audit in {source}: no prediction, score or model is named. It has: {listed(columns)}. "
            "Pass --prediction COLUMN, --score COLUMN --threshold T, or --model PATH (`evenhand train` makes one)."
        )


class NoSensitiveColumn(RequestProblem):
    def __init__(self, source: str, columns: Iterable[str]) -> None:
        super().__init__(
            f"no sensitive column is named for {source}. It has: {listed(columns)}. Pass --sensitive COLUMN, once for each."
        )


class ClassMismatch(RequestProblem):
    def __init__(self, what: str, value: str, where: str, known: Iterable[str], hint: str) -> None:
        names = list(known)
        super().__init__(f"{what} '{value}' is not among {where}: {listed(names)}.{nearest(value, names)} {hint}")


class OneColumnTwice(RequestProblem):
    """One column is named for two things that are to be compared."""

    def __init__(self, column: str, one: str, other: str) -> None:
        super().__init__(
            f"column '{column}' is named as {one} and as {other}: it would be compared with itself. Name another column."
        )


class ThresholdNeeded(RequestProblem):
    def __init__(self, column: str, low: float, high: float) -> None:
        super().__init__(
            f"score '{column}' lies between {low:g} and {high:g}, and no threshold is named. Pass --threshold T: rows with "
            "a score of T or more are predicted positive."
        )


class UnfitModel(RequestProblem):
    def __init__(self, model: str, problem: str, instead: str) -> None:
        super().__init__(f"{model} does not fit the data: {problem}. {instead}")


class NoRowsLeft(RequestProblem):
    def __init__(self, source: str, column: str, value: str, found: Iterable[str]) -> None:
        super().__init__(
            f"no row of {source} has {column} = '{value}'. {column} has: {listed(found)}. Change `where` under [data]."
        )


class NotAuditable(RequestProblem):
    def __init__(self, audit: str, reason: str) -> None:
        super().__init__(
            f"the {audit} audit cannot run here: {reason}. Leave `--only {audit}` out, or pass what it needs."
        )


class NeedsRows(RequestProblem):
    """A setting that cannot be answered where rows are only counted."""

    def __init__(self, source: str, setting: str, why: str) -> None:
        super().__init__(
            f"{source} is counted where it lies, and `{setting}` needs its rows: {why}. Leave `{setting}` out, or hand in "
            "the rows as a file."
        )


class BadPolicy(RequestProblem):
    """The policy file cannot be read, or says what cannot be."""

    def __init__(self, path: object, problems: Iterable[str]) -> None:
        super().__init__(
            f"{path} is no usable policy: {'; '.join(problems)}. `docs/reference/policy.md` lists every key."
        )


class NotWritable(RequestProblem):
    """A file for the report cannot be written."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"the report cannot be written to {path}: {reason}. Nothing was written; name another path.")


class BadReport(RequestProblem):
    """A file that is no report of this version."""

    def __init__(self, path: object, problems: Iterable[str]) -> None:
        super().__init__(f"{path} is no evenhand report of schema evenhand-report/1: {'; '.join(problems)}.")


class BadArgument(RequestProblem, ValueError):
    """A call from Python passes what cannot be used."""

    def __init__(self, argument: str, problem: str, instead: str) -> None:
        super().__init__(f"{argument}: {problem}. {instead}")


class BadImport(RequestProblem):
    """A configuration of another tool that cannot be read."""

    def __init__(self, path: object, tool: str, problem: str) -> None:
        super().__init__(f"{path} is no {tool} that can be read: {problem}.")
