"""Profiles of data sets: looked up, or made once by a child process and kept. A route never reads the data itself."""

import hashlib
import tempfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from evenhand.service.current import Service
from evenhand.service.jobs.process import Limits, run_child

CHILD = "evenhand.service.datasets.profiling"

LIMIT_BYTES = 64 * 1024 * 1024
"""A larger file is not opened for a page; an audit of it counts all the same."""
LIMIT_SECONDS = 30.0
PICTURE_SEED = 0
MOST_ATTRIBUTES = 4
FORMAT = "1"
"""Raised where what is kept changes, so that old profiles are made anew."""


class Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ProfileOrder(Plain):
    """Which columns are looked at: groups by each of `by`, and the shares of the label in them."""

    label: str | None = None
    positive: str | None = None
    by: list[str] = []


class ColumnShown(Plain):
    name: str
    type: str
    missing: int
    values: int | None


class Shares(Plain):
    estimate: float
    low: float
    high: float


class GroupShown(Plain):
    group: str | None
    rows: int
    labelled: int
    shares: list[Shares | None]
    pictures: list[str] = []


class ShownAttribute(Plain):
    attribute: str
    labels: list[str]
    groups: list[GroupShown]
    left_out: int


class Profile(Plain):
    """What a page shows of a data set."""

    rows: int
    columns: list[ColumnShown]
    attributes: list[ShownAttribute]


def profile_of(
    service: Service, order: ProfileOrder, *, sha256: str | None, filename: str | None, builtin: str | None
) -> Profile:
    """The profile, from the folder where they are kept or else from the data.

    Args:
        sha256, filename: of an uploaded file.
        builtin: name of a built-in set, in its place.

    Raises:
        FailedElsewhere: a column is not there, or of a type without groups.
        OutOfTime, ChildCrashed: it took too long, or took down the process.
        ArtefactMissing, ArtefactDamaged: the stored file is not what it was.
    """
    folder = service.config.home / "profiles"
    asked = hashlib.sha256(f"{FORMAT} {order.model_dump_json()}".encode()).hexdigest()[:24]
    kept = folder / f"{builtin or sha256}-{asked}.json"
    try:
        return Profile.model_validate_json(kept.read_bytes())
    except (FileNotFoundError, ValidationError):
        pass
    service.config.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=service.config.work, prefix="profile-") as aside:
        path = Path(aside) / (filename or "data")
        if builtin is None and sha256 is not None:
            service.artefacts.fetch(sha256, path)
        found = run_child(
            CHILD,
            [builtin or str(path), "" if builtin else path.name, order.model_dump_json()],
            limits=Limits(seconds=LIMIT_SECONDS, told_seconds=LIMIT_SECONDS),
            log=service.config.logs / "profiles.log",
        )
        profile = Profile.model_validate(found)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        written = Path(aside) / "profile.json"
        written.write_text(profile.model_dump_json())
        written.replace(kept)  # whole or not at all
    return profile


def forget_profiles(service: Service, sha256: str) -> None:
    """Delete what was kept about a file."""
    for kept in (service.config.home / "profiles").glob(f"{sha256}-*.json"):
        kept.unlink(missing_ok=True)
