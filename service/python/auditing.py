"""`evenhand.audit`: from Python's arguments to the request and the rows that every audit is made of."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
from pydantic import ValidationError

from evenhand.auditors.errors import LengthMismatch
from evenhand.auditors.policy import Policy, intersection
from evenhand.auditors.report import AUDIT_NAMES
from evenhand.datasets.errors import MissingColumn
from evenhand.service.audits.documents import FRAME, AuditRequest
from evenhand.service.audits.endpoints import model_name
from evenhand.service.audits.errors import BadArgument, BadPolicy
from evenhand.service.audits.policy_file import problems, read_policy, with_roles
from evenhand.service.audits.run import audit_subject, on_its_device
from evenhand.service.audits.subject import open_subject
from evenhand.service.python.alignment import refuse_other_rows
from evenhand.service.python.columns import column, columns, frame_columns, name_of, table_of
from evenhand.service.python.result import AuditResult, Decided
from evenhand.service.wording import ARGUMENTS, Arguments, PolicyKeys, spoken


def audit(
    *,
    y_true: Any = None,
    y_pred: Any = None,
    y_score: Any = None,
    threshold: float | None = None,
    sensitive_features: Any = None,
    sample_weight: Any = None,
    control_features: Any = None,
    unit: Any = None,
    data: Any = None,
    model: str | Path | None = None,
    features: Sequence[str] | None = None,
    positive: object = None,
    favourable: object = None,
    policy: Policy | Mapping[str, Any] | str | Path | None = None,
    only: str | Sequence[str] | None = None,
    thorough: bool = False,
    seed: int | None = None,
    title: str | None = None,
    allow_inconclusive: bool = False,
) -> AuditResult:
    """Audit predictions, scores or a model; the same checks, verdict and exit code as `evenhand audit`.

    Args:
        y_true: what is true, shape (n,); without it there are no error rates. This and the next are columns (a list, an
            array, a pandas or polars Series), or names of columns of `data`. Rows are paired by position; pandas objects
            whose indexes differ are refused.
        y_pred: what was predicted. Or y_score: scores, with `threshold`: positive where score >= threshold.
        sensitive_features: one column, several (a frame, a dict, shape (n, k)), or names of columns of `data`.
        sample_weight: how much a row counts.
        control_features: one column or several; what to compare within.
        unit: which person or thing a row is about, where several are about one.
        data: a pandas, polars or pyarrow table or a dict of columns; or, as on the command line, a path or the name of a
            built-in set.
        model: path of a model that scores `data`: ONNX, safetensors or skops.
        features: columns of `data` that the model reads, in its order.
        positive: value that rates are about; 1 or True where it is not given.
        favourable: value that helps the person; the positive one where it is not given.
        policy: a Policy, the same as a dict, or the path of an evenhand.toml. Other arguments come before it.
        only: audits to run; absent: all that the data allow.
        thorough: more steps, restarts and rows: slower, and finds more.
        seed: of all that is random; 0, or the policy's.
        title: of the report.
        allow_inconclusive: exit code 0 where nothing is proven either way.

    Returns:
        The report and its numbers. Nothing is raised where a disparity is proven: ask `exit_code` or `verdict`.

    Raises:
        BadArgument, BadPolicy, LengthMismatch; MissingColumn, MissingValue, NotBinary and the rest of what is wrong with
        data; NothingToAudit, NoSensitiveColumn, NothingToCompare.
    """
    chosen = _policy(policy)
    given = {"label": y_true, "prediction": y_pred, "score": y_score, "weight": sample_weight, "unit": unit}
    several = {"sensitive": sensitive_features, "stratum": control_features}
    settings = {"threshold": threshold, "positive": positive, "favourable": favourable, "features": features}
    with spoken(_words(policy, {**given, **several, **settings, "model": model, "only": only})):
        if title is not None:
            chosen = chosen.model_copy(update={"report": chosen.report.model_copy(update={"title": title})})
        refuse_other_rows({"data": data} | {ARGUMENTS[role]: values for role, values in {**given, **several}.items()})
        rows = _Rows(data if data is not None else chosen.data.source)
        roles: dict[str, Any] = {role: rows.one(values, role) for role, values in given.items() if values is not None}
        if sensitive_features is not None:
            roles["sensitive"] = rows.several(sensitive_features, "sensitive", prefix="sensitive_feature_")
        if control_features is not None:
            roles["stratum"] = rows.stratum(control_features)
        roles |= {name: _text(value) for name, value in settings.items() if value is not None}
        if features is not None:
            roles["features"] = list(features)
        try:
            chosen = with_roles(chosen, roles)
        except ValidationError as error:
            raise BadPolicy("the call", problems(error)) from None
        request = AuditRequest(
            source=rows.path or FRAME,
            model_path=_model_path(model, chosen),
            model_name=model_name(path) if (path := _model_path(model, chosen)) else None,
            policy=chosen,
            only=_only(only),  # type: ignore[arg-type]  # checked against the names
            thorough=thorough or chosen.thorough,
            seed=seed if seed is not None else chosen.seed or 0,
            allow_inconclusive=allow_inconclusive,
        )
        request = on_its_device(request)
        with open_subject(request, rows.table()) as subject:
            return AuditResult(audit_subject(subject, request), Decided.of(subject))


def _words(policy: Policy | Mapping[str, Any] | str | Path | None, given: Mapping[str, Any]) -> Arguments:
    """How the caller names settings: by the arguments of the call, or by what is in their policy."""
    file = str(policy) if isinstance(policy, str | Path) else "the policy"
    named = {setting: value for setting, value in given.items() if value is not None}
    by_name = {
        setting
        for setting, value in named.items()
        if isinstance(value, str) or (isinstance(value, list | tuple) and all(isinstance(each, str) for each in value))
    }
    return Arguments(PolicyKeys(file), policy is not None, frozenset(named), frozenset(by_name))


class _Rows:
    """The columns of `data` and those handed in beside it, each under a name of its own."""

    def __init__(self, source: Any) -> None:
        self.path = str(source) if isinstance(source, str | Path) else None
        self.columns = {} if source is None or self.path is not None else frame_columns(source)
        self.from_data = source is not None and self.path is None

    def one(self, values: Any, role: str) -> str:
        """The name of a column: of `data`, or of the values once they are added."""
        argument = ARGUMENTS[role]
        if isinstance(values, str):
            return self._named(values, role)
        return self._add(column(values, argument), name_of(values) or argument, argument)

    def several(self, values: Any, role: str, *, prefix: str) -> list[str]:
        """The names of one or several columns."""
        argument = ARGUMENTS[role]
        if isinstance(values, str):
            return [self._named(values, role)]
        if self._are_names(values):
            return [self._named(value, role) for value in values]
        found = columns(values, argument, prefix=prefix)
        return [self._add(found[name], name, f"{prefix}{i}") for i, name in enumerate(found)]

    def stratum(self, values: Any) -> str:
        """The name of one column that says in which stratum a row is; several are put together."""
        names = self.several(values, "stratum", prefix="control_feature_")
        if len(names) == 1:
            return names[0]
        if self.path is not None:
            raise BadArgument("control_features", "several columns of a file are named", "Pass one, or read the file.")
        texts = [pc.binary_join_element_wise(name, pc.cast(self.columns[name], "string"), "=") for name in names]
        return self._add(pc.binary_join_element_wise(*texts, ", "), intersection(*names), "control_features")

    def table(self) -> Any:
        """The rows as one table; None where they are read from a path.

        Raises:
            LengthMismatch: the columns differ in length.
        """
        if self.path is not None:
            return None
        rows = {name: len(values) for name, values in self.columns.items()}
        expected = next(iter(rows.values()), 0)
        for name, length in rows.items():
            if length != expected:
                raise LengthMismatch(name, length, expected)
        return table_of(self.columns)

    def _named(self, name: str, role: str) -> str:
        if self.path is None and name not in self.columns:
            if not self.from_data:
                raise BadArgument(
                    ARGUMENTS[role], f"'{name}' names a column, and there is no `data`", "Pass data, or the values."
                )
            raise MissingColumn(name, FRAME, list(self.columns), setting=role)
        return name

    def _are_names(self, values: Any) -> bool:
        """Whether texts are meant as names of columns rather than as values: all are names, or they are no column."""
        if not isinstance(values, list | tuple) or not values or not all(isinstance(value, str) for value in values):
            return False
        if self.path is not None or all(value in self.columns for value in values):
            return True
        return self.from_data and len(values) != len(next(iter(self.columns.values()), ()))

    def _add(self, values: Any, name: str, fallback: str) -> str:
        """Add a column under its name, or under its argument's where that is taken by other values."""
        if self.path is not None:
            raise BadArgument(
                fallback, "values are passed beside a path", "Name a column, or read the file into `data`."
            )
        for candidate in (name, fallback):
            if candidate not in self.columns:
                self.columns[candidate] = values
                return candidate
            if self.columns[candidate].equals(values):
                return candidate
        raise BadArgument(fallback, f"'{name}' and '{fallback}' are columns already", "Rename the column.")


def _policy(policy: Policy | Mapping[str, Any] | str | Path | None) -> Policy:
    if policy is None:
        return Policy()
    if isinstance(policy, Policy):
        return policy
    if isinstance(policy, str | Path):
        return read_policy(Path(policy))
    try:
        return Policy.model_validate(policy)
    except ValidationError as error:
        raise BadPolicy("the policy", problems(error)) from None


def _text(value: Any) -> Any:
    """A value as a policy takes it: numpy's and pandas' scalars as Python's."""
    return value.item() if hasattr(value, "item") else value


def _only(only: str | Sequence[str] | None) -> list[str] | None:
    if only is None:
        return None
    names = [only] if isinstance(only, str) else list(only)
    for name in names:
        if name not in AUDIT_NAMES:
            raise BadArgument("only", f"there is no audit '{name}'", f"Pass one of {', '.join(AUDIT_NAMES)}.")
    return names


def _model_path(model: Any, policy: Policy) -> str | None:
    if model is None:
        return (policy.model.path or policy.model.url) if policy.model else None
    if isinstance(model, str | Path):
        return str(model)
    raise BadArgument(
        "model",
        f"it is of type {type(model).__name__}",
        "Pass the path of an ONNX, safetensors or skops file, the address of an endpoint, or its answers: "
        "y_pred=model.predict(X).",
    )
