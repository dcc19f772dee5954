"""What the service refuses, and the one table from any error to its HTTP status, problem type and exit code.

ServiceError
├── BadSetting               an environment variable that cannot be used
├── PortInUse                `serve` cannot have its port
├── MigrationsPending        the database is older than the code
├── WorkerRunning            a second worker on an embedded database
├── NotFound
│   ├── DatasetNotFound
│   ├── ModelNotFound
│   ├── AuditNotFound
│   ├── ReportNotFound
│   ├── ReviewNotFound
│   └── UnknownToken
├── BadRequest               the request says something that cannot be
│   ├── BadCursor
│   ├── BadIdempotencyKey
│   ├── EmptyUpload
│   ├── UploadIncomplete
│   ├── NameMissing
│   └── KeyTwice             JSON that says one thing twice
├── UnknownChoice            a request names something that is not there
├── UnknownProject           a search in a project that is not there
├── RefusedAtDoor            a request that the job would fail at; it points at each field
├── InUse
│   ├── DatasetInUse
│   └── ModelInUse
├── AlreadyOver              an audit that came to its end cannot be cancelled
├── LabelMissing             a training without a label
├── ModelNotReady
├── KeyReused                an Idempotency-Key with another request
├── KeyInUse                 an Idempotency-Key that is being answered
├── InvalidBody              JSON that does not fit
├── TooManySignIns
├── UploadTooLarge
├── WrongContentType
├── FormatNotOffered         a report in a format that is not known
├── PdfNotMade
├── ArtefactMissing
├── ArtefactDamaged
└── JobFailed                the audit or training itself
    ├── OutOfTime
    └── ChildCrashed

Exit codes are those of DESIGN section 3: 2 for input, 4 where the audit itself failed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from evenhand.auditors import errors as auditors
from evenhand.classifiers import errors as classifiers
from evenhand.datasets import errors as datasets
from evenhand.service.audits import errors as requests
from evenhand.service.keys import no_such_key

PROBLEM_TYPES = "/problems/"


class ServiceError(Exception):
    """Base of everything the service raises on purpose.

    Attributes:
        said: the message in parts, as in `auditors`.
    """

    def __init__(self, *said: auditors.Part) -> None:
        super().__init__(auditors.plain(said))
        self.said = said


class BadSetting(ServiceError):
    """An environment variable holds something that cannot be used."""

    def __init__(self, name: str, value: str, wanted: str) -> None:
        super().__init__(f"{name} is {value!r}; it must be {wanted}. Mend it, or unset it for the default.")


class PortInUse(ServiceError):
    """Another program listens where the service should."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"cannot listen on {host}:{port} ({reason}). End the program that does, or "
            f"choose another: --port {port + 1}."
        )


class MigrationsPending(ServiceError):
    """The database has not the tables that this version works with."""

    def __init__(self, found: str | None, wanted: str) -> None:
        super().__init__(
            f"the database is at migration {found or 'none'}, this version works with {wanted}. "
            "Run `evenhand db upgrade`."
        )


class WorkerRunning(ServiceError):
    """An embedded database has one worker, and it runs already."""

    def __init__(self, home: object) -> None:
        super().__init__(
            f"a worker already runs for {home}. With SQLite there is one; set EVENHAND_DATABASE_URL to a PostgreSQL "
            "database for more."
        )


class NotFound(ServiceError):
    """Nothing has this id."""

    what, listing = "thing", ""

    def __init__(self, named: str) -> None:
        super().__init__(f"there is no {self.what} '{named}'. {self.listing}".strip())


class DatasetNotFound(NotFound):
    """No data set has this id."""

    what, listing = "data set", "GET /api/v1/datasets lists them."


class ModelNotFound(NotFound):
    """No model has this id."""

    what, listing = "model", "GET /api/v1/models lists them."


class AuditNotFound(NotFound):
    """No audit has this id."""

    what, listing = "audit", "GET /api/v1/audits lists them."


class ReportNotFound(NotFound):
    """No report has this id, and no audit of this id has a report."""

    what, listing = "report", "GET /api/v1/reports lists them."


class ReviewNotFound(NotFound):
    """The report has no review of this id."""

    what, listing = "review", "GET /api/v1/reports/ID/reviews lists those of a report."


class UnknownToken(NotFound):
    """No token, or more than one, is named so."""

    what, listing = "single token", "`evenhand token list` shows their ids."


class BadRequest(ServiceError):
    """The request says something that cannot be."""


class BadCursor(BadRequest):
    """A cursor that no list gave out."""

    def __init__(self, cursor: str) -> None:
        super().__init__(f"cursor {cursor[:40]!r} is not one. Pass `next` of the page before, or leave `cursor` out.")


class BadIdempotencyKey(BadRequest):
    """An Idempotency-Key that is empty, too long, or not plain text."""

    def __init__(self) -> None:
        super().__init__("the Idempotency-Key must be 1 to 255 printable ASCII characters, a fresh UUID say.")


class EmptyUpload(BadRequest):
    """No bytes came."""

    def __init__(self, filename: str) -> None:
        super().__init__(f"'{filename}' is empty: the body has 0 bytes. Send the file itself: curl --data-binary @FILE")


class UploadIncomplete(BadRequest):
    """The sender stopped before the announced end."""

    def __init__(self, received_bytes: int, announced_bytes: int) -> None:
        super().__init__(
            f"{received_bytes:,} bytes came where {announced_bytes:,} were announced. Send the file again."
        )


class NameMissing(BadRequest):
    """An upload whose format cannot be told, because the file has no name."""

    def __init__(self, given: str | None) -> None:
        found = f"'{given[:100]}' is no file name" if given else "the file has no name"
        super().__init__(f"{found}, and its format is told by the ending. Add ?filename=people.csv to the address.")


class KeyTwice(BadRequest):
    """A JSON object has a key twice, so that one of them would be passed over."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the body names '{key[:100]}' twice in one object. Leave one of them out; nothing was begun.")


class UnknownChoice(ServiceError):
    """A request names something that is not there."""

    def __init__(self, field_name: str, value: str, wanted: str, *, within: str = "") -> None:
        self.pointer = f"{within}/{field_name}"
        super().__init__(f"'{value}' is not known as `{field_name}`. It must be {wanted}.")


class UnknownProject(ServiceError):
    """A search names a project that is not there."""

    pointer = "project"

    def __init__(self, named: str, there_are: Sequence[str]) -> None:
        super().__init__(f"there is no project '{named}'. There are: {', '.join(there_are)}.")


class AlreadyOver(ServiceError):
    """An audit that has come to its end cannot be cancelled any more."""

    def __init__(self, audit_id: str, status: str) -> None:
        self.audit_status = status
        next_step = (
            f"Its report stays: GET /api/v1/reports/{audit_id}."
            if status == "succeeded"
            else f"GET /api/v1/audits/{audit_id} says why."
        )
        super().__init__(f"audit '{audit_id}' is over ({status}), so that there is nothing to cancel. {next_step}")


class InUse(ServiceError):
    """Something unfinished still needs it."""

    what = "thing"

    def __init__(self, named: str, users: Iterable[str]) -> None:
        super().__init__(
            f"{self.what} '{named}' is needed by {', '.join(users)}, which is not over. "
            "Wait for it, or cancel it first."
        )


class DatasetInUse(InUse):
    """An audit or training that is not over needs the data set."""

    what = "data set"


class ModelInUse(InUse):
    """The model is being trained, or an audit that is not over needs it."""

    what = "model"


class ModelNotReady(ServiceError):
    """The model has no file: it is still being trained, or its training failed."""

    def __init__(self, model_id: str, status: str) -> None:
        super().__init__(
            f"model '{model_id}' cannot be audited: its training is {status}. "
            f"GET /api/v1/models/{model_id} shows how far it is."
        )


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a request.

    Attributes:
        pointer: JSON pointer to the field.
        kind: the error that the job would have ended with; it names the type of the problem.
        detail: what is wrong, what there is, what to do.
    """

    pointer: str
    kind: type[Exception]
    detail: str


class RefusedAtDoor(ServiceError):
    """A request names what its data or its model have not; it is told at once instead of by a job that fails."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        more = _more(len(faults) - 1)
        super().__init__(f"{faults[0].detail}{more}")

    @property
    def problem(self) -> "Problem":
        first = self.faults[0].kind
        return Problem(
            type=PROBLEM_TYPES + slug(first),
            title=title(first),
            status=TABLE[first].status,
            detail=str(self),
            exit_code=TABLE[first].exit_code,
            errors=[{"pointer": fault.pointer, "detail": fault.detail} for fault in self.faults],
        )


def _more(places: int) -> str:
    if places == 1:
        return " There is one more such place."
    return f" There are {places} more such places." if places else ""


def fault(error: Exception, pointer: str) -> Fault:
    """The fault that an error is, at a field; its message is taken as it stands."""
    return Fault(pointer, type(error), str(error))


def unknown_column(column: str, dataset: str, columns: Sequence[str], pointer: str) -> Fault:
    """The fault of naming a column that a data set has not."""
    return fault(datasets.MissingColumn(column, dataset, columns), pointer)


def pointer(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901): '/policy/data/sensitive/0'."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


class LabelMissing(ServiceError):
    """A training needs to know which column is learned."""

    def __init__(self) -> None:
        super().__init__(
            "the data have no card that names a label. Say which column is learned: ", ("label", None), "."
        )


class KeyReused(ServiceError):
    """The Idempotency-Key belongs to another request."""

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key came with another request before. Use a fresh key for each new request.")


class KeyInUse(ServiceError):
    """The first request with this Idempotency-Key has no answer yet."""

    def __init__(self) -> None:
        super().__init__("the request with this Idempotency-Key is still being answered. Try again in a moment.")


class InvalidBody(ServiceError):
    """The body is no JSON, or does not fit what is asked; `errors` points at each place."""

    def __init__(self, found: Sequence[Mapping[str, Any]], model: type[BaseModel]) -> None:
        self.errors = [
            {
                "pointer": pointer(*error.get("ctx", {}).get("place", error["loc"])),
                "detail": no_such_key(model, error["loc"])
                if error["type"] == "extra_forbidden"
                else str(error["msg"]).removeprefix("Value error, "),
            }
            for error in found
        ]
        first = self.errors[0]
        more = _more(len(self.errors) - 1)
        place = f" at {first['pointer']}" if first["pointer"] else ""
        super().__init__(f"the body does not fit{place}: {first['detail']}.{more}")


class TooManySignIns(ServiceError):
    """Too many wrong tokens came from one address."""

    def __init__(self) -> None:
        super().__init__("too many wrong tokens came from this address. Wait five minutes, then try again.")


class UploadTooLarge(ServiceError):
    """More bytes than are accepted."""

    def __init__(self, limit_bytes: int, announced_bytes: int | None) -> None:
        found = "the upload" if announced_bytes is None else f"the upload of {announced_bytes:,} bytes"
        super().__init__(
            f"{found} is above the limit of {limit_bytes:,} bytes, so nothing of it was kept. "
            "Send fewer rows or columns, Parquet instead of CSV, or raise EVENHAND_MAX_UPLOAD_BYTES."
        )


class WrongContentType(ServiceError):
    """The body is of a type that this address does not take."""

    def __init__(self, found: str | None, wanted: str) -> None:
        super().__init__(f"the Content-Type is {found or 'missing'}; {wanted}.")


class FormatNotOffered(ServiceError):
    """The report is not made in this format."""

    def __init__(self, found: str, offered: Iterable[str]) -> None:
        super().__init__(f"a report is not offered as {found}. Offered: {', '.join(offered)}.")


class PdfNotMade(ServiceError):
    """The typesetter that makes PDF is not installed."""

    def __init__(self, report_id: str) -> None:
        super().__init__(
            f"this installation makes no PDF: the package typst is missing. Install it with pip install typst, "
            f"or open /api/v1/reports/{report_id}.html and print it to a file."
        )


class ArtefactMissing(ServiceError):
    """A stored file is gone."""

    def __init__(self, sha256: str) -> None:
        super().__init__(f"the stored file sha256:{sha256} is gone. Restore the artefact store from a backup.")


class ArtefactDamaged(ServiceError):
    """A stored file no longer has the hash it was stored under."""

    def __init__(self, sha256: str) -> None:
        super().__init__(
            f"the stored file sha256:{sha256} has been changed since it was stored, so it is not used. "
            "Restore the artefact store from a backup."
        )


class JobFailed(ServiceError):
    """The audit or the training itself failed."""


class OutOfTime(JobFailed):
    """The job was still running at its deadline."""

    def __init__(self, limit_seconds: float) -> None:
        super().__init__(
            f"stopped after {limit_seconds:,.0f} seconds, the limit. Use fewer rows or fewer audits, "
            "or raise EVENHAND_JOB_TIMEOUT_SECONDS."
        )


class ChildCrashed(JobFailed):
    """The process that ran the job ended without an answer."""

    def __init__(self, how: str, last_words: str) -> None:
        said = f" It last said: {last_words}" if last_words else ""
        super().__init__(f"the process that did the work {how}, without an answer.{said}")


@dataclass(frozen=True)
class Kind:
    """How one class of errors is told to callers."""

    status: int
    exit_code: int = 2


NOT_FOUND = Kind(404)
CONFLICT = Kind(409)
UNUSABLE = Kind(422)
UNSUPPORTED = Kind(415)
TOO_LARGE = Kind(413)
OWN_FAULT = Kind(500, exit_code=4)

TABLE: dict[type[Exception], Kind] = {
    # service
    ServiceError: OWN_FAULT,
    BadSetting: Kind(500),
    PortInUse: Kind(500),
    MigrationsPending: Kind(503),
    WorkerRunning: CONFLICT,
    NotFound: NOT_FOUND,
    DatasetNotFound: NOT_FOUND,
    ModelNotFound: NOT_FOUND,
    AuditNotFound: NOT_FOUND,
    ReportNotFound: NOT_FOUND,
    ReviewNotFound: NOT_FOUND,
    UnknownToken: NOT_FOUND,
    BadRequest: Kind(400),
    BadCursor: Kind(400),
    BadIdempotencyKey: Kind(400),
    EmptyUpload: Kind(400),
    UploadIncomplete: Kind(400),
    NameMissing: Kind(400),
    KeyTwice: Kind(400),
    UnknownChoice: UNUSABLE,
    UnknownProject: UNUSABLE,
    RefusedAtDoor: UNUSABLE,
    AlreadyOver: CONFLICT,
    InUse: CONFLICT,
    DatasetInUse: CONFLICT,
    ModelInUse: CONFLICT,
    LabelMissing: UNUSABLE,
    ModelNotReady: CONFLICT,
    KeyReused: UNUSABLE,
    KeyInUse: CONFLICT,
    InvalidBody: UNUSABLE,
    TooManySignIns: Kind(429),
    UploadTooLarge: TOO_LARGE,
    WrongContentType: UNSUPPORTED,
    FormatNotOffered: Kind(406),
    PdfNotMade: Kind(501),
    ArtefactMissing: OWN_FAULT,
    ArtefactDamaged: OWN_FAULT,
    JobFailed: OWN_FAULT,
    OutOfTime: OWN_FAULT,
    ChildCrashed: OWN_FAULT,
    # requests for audits
    requests.RequestProblem: UNUSABLE,
    requests.NothingToAudit: UNUSABLE,
    requests.NoSensitiveColumn: UNUSABLE,
    requests.OneColumnTwice: UNUSABLE,
    requests.ClassMismatch: UNUSABLE,
    requests.ThresholdNeeded: UNUSABLE,
    requests.UnfitModel: UNUSABLE,
    requests.NoRowsLeft: UNUSABLE,
    requests.NeedsRows: UNUSABLE,
    requests.NotAuditable: UNUSABLE,
    requests.BadPolicy: UNUSABLE,
    requests.BadReport: UNUSABLE,
    requests.BadArgument: UNUSABLE,
    requests.BadImport: UNUSABLE,
    requests.NotWritable: UNUSABLE,
    # auditors
    auditors.AuditorError: UNUSABLE,
    auditors.PolicyError: UNUSABLE,
    auditors.UnknownMetric: UNUSABLE,
    auditors.UnknownAttribute: UNUSABLE,
    auditors.UnusableBlock: UNUSABLE,
    auditors.ImpossiblePlan: UNUSABLE,
    auditors.UnfitData: UNUSABLE,
    auditors.NothingToCompare: UNUSABLE,
    auditors.LengthMismatch: UNUSABLE,
    auditors.TooManyCells: UNUSABLE,
    auditors.BadMembership: UNUSABLE,
    auditors.TooManyGroups: UNUSABLE,
    auditors.UndefinedScores: UNUSABLE,
    auditors.UnknownGroup: UNUSABLE,
    # classifiers
    classifiers.ClassifierError: UNUSABLE,
    classifiers.RefusedFormat: UNSUPPORTED,
    classifiers.UnsupportedModel: UNUSABLE,
    classifiers.CorruptModel: UNUSABLE,
    classifiers.ModelTooLarge: TOO_LARGE,
    classifiers.WrongInput: UNUSABLE,
    classifiers.WrongOutput: UNUSABLE,
    classifiers.TrainingFailed: UNUSABLE,
    classifiers.SaveFailed: OWN_FAULT,
    classifiers.BadEndpoint: UNUSABLE,
    classifiers.EndpointRefused: UNUSABLE,
    classifiers.EndpointFailed: Kind(502, exit_code=4),
    classifiers.QueriesSpent: UNUSABLE,
    classifiers.ConfinementUnavailable: Kind(503),
    classifiers.ChildFailed: UNUSABLE,
    # datasets
    datasets.DatasetError: UNUSABLE,
    datasets.SourceError: UNUSABLE,
    datasets.MissingSource: UNUSABLE,
    datasets.BadName: UNUSABLE,
    datasets.UnknownDataset: UNUSABLE,
    datasets.UnknownFormat: UNSUPPORTED,
    datasets.EmptySource: UNUSABLE,
    datasets.CorruptFile: UNUSABLE,
    datasets.NotUtf8: UNUSABLE,
    datasets.RaggedRow: UNUSABLE,
    datasets.DuplicateColumn: UNUSABLE,
    datasets.TooLarge: TOO_LARGE,
    datasets.TooManyGroups: UNUSABLE,
    datasets.WarehouseError: UNUSABLE,
    datasets.BadWarehouseUrl: UNUSABLE,
    datasets.NoDriver: UNUSABLE,
    datasets.CannotConnect: UNUSABLE,
    datasets.MissingTable: UNUSABLE,
    datasets.QueryFailed: UNUSABLE,
    datasets.ColumnError: UNUSABLE,
    datasets.MissingColumn: UNUSABLE,
    datasets.MissingValue: UNUSABLE,
    datasets.NotBinary: UNUSABLE,
    datasets.UnknownPositive: UNUSABLE,
    datasets.NotNumeric: UNUSABLE,
    datasets.BadWeight: UNUSABLE,
    datasets.UnsupportedType: UNUSABLE,
    datasets.WrongLength: UNUSABLE,
    datasets.ImageError: UNUSABLE,
    datasets.BadImages: UNUSABLE,
    datasets.WrongImageSize: UNUSABLE,
    datasets.MissingPicture: UNUSABLE,
    datasets.CorruptPicture: UNUSABLE,
    datasets.UnsafeMember: UNUSABLE,
}


@dataclass(frozen=True)
class Problem:
    """An error as callers see it: RFC 9457 over HTTP, an exit code on the command line."""

    type: str
    title: str
    status: int
    detail: str
    exit_code: int
    errors: list[dict[str, str]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As application/problem+json, with `exit_code` as an extension and `errors` where there are any."""
        document: dict[str, Any] = {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "exit_code": self.exit_code,
        }
        if self.errors:
            document["errors"] = self.errors
        return document


def problem_of(error: BaseException) -> Problem:
    """How an error is told. One that is in no room's tree says nothing of what is inside the service.

    The command line prints `detail` and exits with `exit_code`.
    """
    if isinstance(error, FailedElsewhere | RefusedAtDoor):
        return error.problem
    for cls in type(error).__mro__:
        if cls in TABLE:
            kind = TABLE[cls]
            pointer = getattr(error, "pointer", None)
            pointed = [{"pointer": pointer, "detail": str(error)}] if pointer else []
            return Problem(
                type=PROBLEM_TYPES + slug(cls),
                title=title(cls),
                status=kind.status,
                detail=str(error),
                exit_code=kind.exit_code,
                errors=getattr(error, "errors", pointed),
            )
    return Problem(
        type=PROBLEM_TYPES + "internal-error",
        title="Internal error",
        status=500,
        detail=f"something went wrong inside evenhand ({type(error).__name__}). The log has the details.",
        exit_code=4,
    )


class FailedElsewhere(ServiceError):
    """A problem that another process told; it is passed on as it is."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.problem = Problem(
            type=str(document.get("type", "about:blank")),
            title=str(document.get("title", "Failed")),
            status=int(document.get("status", 500)),
            detail=str(document.get("detail", "")),
            exit_code=int(document.get("exit_code", 4)),
            errors=list(document.get("errors", [])),
        )
        super().__init__(self.problem.detail)


TABLE[FailedElsewhere] = OWN_FAULT


def slug(cls: type[BaseException]) -> str:
    """'missing-column' of MissingColumn."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()


def title(cls: type[BaseException]) -> str:
    """'Missing column' of MissingColumn."""
    return slug(cls).replace("-", " ").capitalize()
