"""What can be told of a request for an audit before it is queued: columns, metrics and models that do not fit.

Only what is stored about data and model is looked at, so that a route may ask: of values, those of columns that have few.
What needs the rows is found by the job.
"""

from collections.abc import Iterator, Sequence

from evenhand.auditors import checks
from evenhand.auditors.disparity.plan import planned
from evenhand.auditors.errors import PolicyError, listed, nearest
from evenhand.auditors.policy import Check, DataSection, Policy
from evenhand.auditors.representation.plan import planned as planned_on_representation
from evenhand.auditors.scores.catalogue import SCORE_METRICS
from evenhand.datasets.errors import NotBinary, UnknownPositive
from evenhand.datasets.table import Table
from evenhand.service.audits.columns import refuse_outcomes
from evenhand.service.audits.errors import (
    NO_FEATURES,
    NO_MODEL,
    ClassMismatch,
    NoSensitiveColumn,
    NotAuditable,
    NothingToAudit,
    OneColumnTwice,
    UnfitModel,
)
from evenhand.service.audits.representations import AuditSubmission
from evenhand.service.datasets.lookup import DatasetChoice
from evenhand.service.errors import Fault, RefusedAtDoor, fault, pointer, unknown_column
from evenhand.service.models.tables import Model
from evenhand.service.wording import Fields, put_into

DATA = ("policy", "data")
WORDS = Fields("audit")


def refuse_unfit(asked: AuditSubmission, data: DatasetChoice, model: Model | None) -> None:
    """Refuse what the audit would fail at, with everything that is wrong at once.

    Raises:
        RefusedAtDoor: it points at each field.
    """
    faults = [*_columns(asked.policy, data), *_model(asked.policy, data, model), *_audits(asked, data, model)]
    # what follows speaks of roles: with a column that is not there it would only say the same again
    faults = faults or [*_roles(asked.policy, data, has_model=model is not None)]
    faults = faults or [*_outcomes(asked.policy.data, data, has_model=model is not None)]
    faults = faults or [*_checks(asked.policy, data, has_scores=_has_scores(asked.policy, data, model))]
    if faults:
        raise RefusedAtDoor(faults)


def _columns(policy: Policy, data: DatasetChoice) -> Iterator[Fault]:
    for place, name in _named(policy):
        if name not in data.columns:
            yield unknown_column(name, data.name, data.columns, pointer(*place))


def _named(policy: Policy) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every column that the policy names, with its place."""
    section = policy.data
    for role in ("label", "prediction", "score", "weight", "stratum", "unit", "pair"):
        if (name := getattr(section, role)) is not None:
            yield (*DATA, role), name
    for role in ("sensitive", "features", "categorical"):
        for index, name in enumerate(getattr(section, role) or ()):
            yield (*DATA, role, index), name
    for name in section.where or ():
        yield (*DATA, "where", name), name
    for attribute, groups in (section.membership or {}).items():
        for group, name in groups.items():
            yield (*DATA, "membership", attribute, group), name
    for index, name in enumerate((policy.search.features if policy.search else None) or ()):
        yield ("policy", "search", "features", index), name


def _model(policy: Policy, data: DatasetChoice, model: Model | None) -> Iterator[Fault]:
    if model is None:
        return
    found = model.description
    if found.get("takes") == "images" and data.kind == "table":
        yield _unfit(model, "it reads pictures, and the data are a table", "Choose a set of pictures.")
    elif found.get("takes") == "table" and data.kind == "images":
        yield _unfit(model, "it reads columns, and the data are pictures", "Choose a table.")
    elif found.get("takes") == "images":
        yield from _picture_size(policy, model, data)
    elif found.get("features"):
        yield from _features(model, found["features"], data)
    elif wanted := found.get("features_wanted"):
        yield from _nameless(model, wanted, policy, data)


def _picture_size(policy: Policy, model: Model, data: DatasetChoice) -> Iterator[Fault]:
    wanted, found = model.description.get("image_shape"), data.image_shape
    if found and policy.data.picture_size:
        width, height = policy.data.picture_size
        found = (height, width, found[-1])
    if wanted and found and list(wanted) != list(found):
        sizes = (" × ".join(map(str, shape)) for shape in (wanted, found))
        to_do = "Resize the pictures."
        if wanted[-1] == found[-1]:
            to_do = f"Resize the pictures, or set `picture_size` in the policy's `data` to [{wanted[1]}, {wanted[0]}]."
        yield _unfit(model, "it reads pictures of {}, and these are {}".format(*sizes), to_do)


def _features(model: Model, features: Sequence[str], data: DatasetChoice) -> Iterator[Fault]:
    missing = [name for name in features if name not in data.columns]
    if missing:
        near = nearest(missing[0], data.columns)
        yield _unfit(
            model,
            f"it reads {listed(missing)}, which {data.name} has not. {data.name} has: {listed(data.columns)}.{near}",
            "Name a data set with the columns that the model was trained on",
        )


def _nameless(model: Model, wanted: int, policy: Policy, data: DatasetChoice) -> Iterator[Fault]:
    """A graph of one tensor: the policy names its columns, in order."""
    features = policy.data.features or (data.card.features if data.card else None) or ()
    if len(features) != wanted:
        found = f"{len(features)} are named" if features else "none are named"
        yield Fault(
            pointer(*DATA, "features"),
            UnfitModel,
            f"model '{model.name}' reads {wanted} columns without names, and {found}. Name them in the order of the "
            f"model. {data.name} has: {listed(data.columns)}.",
        )


def _unfit(model: Model, problem: str, instead: str) -> Fault:
    return Fault(
        pointer("model"), UnfitModel, f"model '{model.name}' does not fit the data: {problem.rstrip('.')}. {instead}"
    )


def _roles(policy: Policy, data: DatasetChoice, *, has_model: bool) -> Iterator[Fault]:
    """Predictions, groups, and no column that is compared with itself."""
    section, card = policy.data, data.card
    label = section.label or (card.label if card else None)
    prediction, score = section.prediction, section.score
    if prediction is None and score is None and card is not None:
        prediction, score = card.prediction, card.score
    sensitive = _sensitive(policy, data)
    if not sensitive:
        yield _worded(NoSensitiveColumn(data.name, data.columns))
    if has_model:
        return
    if prediction is None and score is None:
        yield _worded(NothingToAudit(data.name, data.columns))
    for role, name in {"prediction": prediction, "score": score}.items():
        if name is not None and name in (*sensitive, label):
            other = "sensitive" if name in sensitive else "label"
            yield _worded(OneColumnTwice(name, role, other))


def _outcomes(section: DataSection, data: DatasetChoice, *, has_model: bool) -> Iterator[Fault]:
    """Labels and predictions that do not say which value is the positive one, where their values are stored.

    A filter may leave other values, and a model says which classes there are.
    """
    if has_model or section.where or not data.values:
        return
    try:
        refuse_outcomes(section, _values_as_rows(data), data.values)
    except (NotBinary, UnknownPositive, ClassMismatch) as error:
        yield _worded(error)


def _values_as_rows(data: DatasetChoice) -> Table:
    """A table in which every stored value occurs; columns without stored values are empty."""
    import pyarrow as pa

    rows = max(map(len, data.values.values()))
    columns = {}
    for name in data.columns:
        values = list(data.values.get(name, ()))
        columns[name] = pa.array(values + values[-1:] * (rows - len(values)) or [None] * rows, pa.string())
    return Table(data.name, pa.table(columns), data.card, "")


def _audits(asked: AuditSubmission, data: DatasetChoice, model: Model | None) -> Iterator[Fault]:
    """Audits that were asked for by name and cannot run on such data."""
    for where, names in (("only",), asked.only), (("policy", "only"), asked.policy.only):
        for index, name in enumerate(names or ()):
            reason = _why_not(name, asked.policy, data, model)
            if reason is not None:
                yield _worded(NotAuditable(name, reason), pointer(*where, index))


def _why_not(audit: str, policy: Policy, data: DatasetChoice, model: Model | None) -> str | None:
    if audit == "perception" and data.kind != "images":
        return "it looks at pictures, and the data are a table"
    if audit in ("robustness", "perception"):
        return None if model is not None else NO_MODEL
    if audit == "proxy":
        if data.kind == "images":
            return "it is about columns, and the data are pictures"
        if model is None and not policy.data.features and not (data.card and data.card.features):
            return NO_FEATURES
    return None


def _checks(policy: Policy, data: DatasetChoice, *, has_scores: bool) -> Iterator[Fault]:
    label = policy.data.label or (data.card.label if data.card else None)
    for index, check in enumerate(policy.check):
        alone = policy.model_copy(update={"check": [check]})
        try:
            _refuse_check(check, alone, _sensitive(policy, data), has_labels=label is not None, has_scores=has_scores)
        except PolicyError as error:
            yield _worded(error, pointer("policy", "check", index, error.field))


def _refuse_check(
    check: Check, policy: Policy, sensitive: Sequence[str], *, has_labels: bool, has_scores: bool
) -> None:
    """Raises PolicyError."""
    if check.audit == "representation":
        planned_on_representation(policy, sensitive=sensitive)
    elif check.audit != "group_disparity":
        checks.refuse_unknown([check])
    elif check.metric not in SCORE_METRICS:
        planned(
            policy,
            sensitive=sensitive,
            with_labels=has_labels,
            favourable_is_positive=True,
            stratum=policy.data.stratum,
        )
    elif not has_scores:
        raise PolicyError(
            f"check '{check.metric}' needs scores, and there are predictions only. Name scores (",
            ("score", None),
            ") or a model (",
            ("model", None),
            "), or remove the check.",
        )
    elif not SCORE_METRICS[check.metric].checked:
        names = ", ".join(name for name, known in SCORE_METRICS.items() if known.checked)
        raise PolicyError(f"metric '{check.metric}' is reported and cannot be checked. A check may name: {names}.")


def _worded(error: Exception, at: str | None = None) -> Fault:
    """An error as a fault: at this field, else at the first setting that it names."""
    put_into(error, WORDS)
    return fault(error, at or str(getattr(error, "pointer", "")))


def _sensitive(policy: Policy, data: DatasetChoice) -> tuple[str, ...]:
    return tuple(policy.data.sensitive or (data.card.sensitive if data.card else ()))


def _has_scores(policy: Policy, data: DatasetChoice, model: Model | None) -> bool:
    if model is not None or policy.data.score is not None:
        return True
    return policy.data.prediction is None and data.card is not None and data.card.score is not None
