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

from evenhand.auditors.errors import Part, listed, nearest, plain

NO_FEATURES = "no features are named"
NO_MODEL = "it needs a model to ask, and none is named"
_ANSWERED_BY = {NO_FEATURES: "features", NO_MODEL: "model"}
"""Why an audit cannot run, and the setting that would let it."""


class RequestProblem(Exception):
    """Base of what is wrong with a request.

    Attributes:
        said: the message in parts, as in `auditors`.
    """

    def __init__(self, *said: Part) -> None:
        super().__init__(plain(said))
        self.said = said


class NothingToAudit(RequestProblem):
    """Neither predictions, scores nor a model are named."""

    def __init__(self, source: str, columns: Iterable[str]) -> None:
        super().__init__(
            f"there is nothing to audit in {source}: no prediction, score or model is named. It has: {listed(columns)}. "
            "Name a column of predictions (",
            ("prediction", None),
            "), one of scores (",
            ("score", None),
            " with ",
            ("threshold", None),
            "), or a model (",
            ("model", None),
            ").",
        )


class NoSensitiveColumn(RequestProblem):
    """No column forms groups."""

    def __init__(self, source: str, columns: Iterable[str]) -> None:
        super().__init__(
            f"no sensitive column is named for {source}: groups are formed by its values. It has: {listed(columns)}. "
            "Name one or more: ",
            ("sensitive", None),
            ".",
        )


class ClassMismatch(RequestProblem):
    """A class is named, or left open, that is none of those there are.

    `setting` is that which names it; `found` are values that could be named, where they are others than the known.
    """

    def __init__(
        self,
        what: str,
        value: str | None,
        where: str,
        known: Iterable[str],
        *,
        setting: str,
        found: Iterable[str] = (),
    ) -> None:
        names = list(known)
        said = f"no {what} class is named" if value is None else f"{what} '{value}' is not among {where}"
        others = f" (found: {listed(found)})" if found else ""
        super().__init__(
            f"{said}: {listed(names)}.{nearest(value or '', names)} Name what is meant: ", (setting, None), f"{others}."
        )


class OneColumnTwice(RequestProblem):
    """One column is named for two things that are to be compared."""

    def __init__(self, column: str, one: str, other: str) -> None:
        super().__init__(
            f"column '{column}' is named as {one} and as {other}: it would be compared with itself. Name another column: ",
            (one, None),
            ".",
        )


class ThresholdNeeded(RequestProblem):
    """Scores outside 0 to 1, and nothing says from which on a row is positive."""

    def __init__(self, column: str, low: float, high: float) -> None:
        super().__init__(
            f"score '{column}' lies between {low:g} and {high:g}, and no threshold is named. Name it: ",
            ("threshold", None),
            ". Rows with a score of as much or more are predicted positive.",
        )


class UnfitModel(RequestProblem):
    """The model reads something else than the data hold."""

    def __init__(self, model: str, problem: str, *instead: Part) -> None:
        super().__init__(f"{model} does not fit the data: {problem}. ", *instead)


class NoRowsLeft(RequestProblem):
    """The filter leaves nothing."""

    def __init__(self, source: str, column: str, value: str, found: Iterable[str]) -> None:
        super().__init__(
            f"no row of {source} has {column} = '{value}'. {column} has: {listed(found)}. Change ",
            ("where", None),
            ".",
        )


class NotAuditable(RequestProblem):
    """An audit was asked for that this subject does not allow."""

    def __init__(self, audit: str, reason: str) -> None:
        needed = _ANSWERED_BY.get(reason)
        super().__init__(
            f"the {audit} audit cannot run here: {reason}. Do without ",
            ("only", audit),
            *(", or give what it needs: ", (needed, None)) if needed else (),
            ".",
        )


class NeedsRows(RequestProblem):
    """Something that cannot be answered where rows are only counted: a setting, or words for it."""

    def __init__(self, source: str, what: Part, why: str) -> None:
        super().__init__(
            f"{source} is counted where it lies, and ",
            what,
            f" needs its rows: {why}. Do without, or hand in the rows as a file.",
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
        super().__init__(f"{path} cannot be written: {reason}. Nothing was written; name another path.")


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
