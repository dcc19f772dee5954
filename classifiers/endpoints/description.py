"""The description of an endpoint: where it is, how it is asked, and what it needs to be told.

It is a JSON or TOML file. It names the environment variables that hold secrets, and never the secrets.
"""

import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args
from urllib.parse import SplitResult, urlsplit

from evenhand.classifiers.errors import BadEndpoint, listed
from evenhand.classifiers.images import ImageShape

Sends = Literal["rows", "pixels", "png"]

MOST_BYTES = 65_536
MOST_NAMES, LONGEST_NAME = 4096, 200
MOST_PIXELS = 1 << 24
VARIABLE = re.compile(r"EVENHAND_ENDPOINT_[A-Z0-9_]{1,80}")
NO_SECRETS = ("EVENHAND_ENDPOINT_HOSTS", "EVENHAND_ENDPOINT_NETWORKS", "EVENHAND_ENDPOINT_LOOPBACK")
HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")
OWN_HEADERS = ("host", "content-length", "content-type", "accept", "accept-encoding", "connection", "transfer-encoding")
HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An endpoint, as described and checked.

    Args:
        url: https://host/path; http only for this machine, where that is allowed.
        headers: name of a header to the environment variable with its value, EVENHAND_ENDPOINT_KEY say.
        features: columns of a row; none: as the audit names them.
        classes: labels in the order in which the endpoint answers; none: the sorted labels of the data.
        image_shape: height, width, channels of the pictures it takes; None: as the pictures are.
        sends: "rows" as objects; pictures as "pixels" (nested lists of fractions) or "png" (base64, 8 bits).
        batch: most rows or pictures in one request.
        timeout_seconds: for one request, from connecting to the last byte.
        retries: how often a request that failed in passing is sent again.
        per_second: most requests a second; None: as fast as it answers.
        queries: most rows or pictures that are sent in one audit, those sent again included.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    features: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    image_shape: ImageShape | None = None
    sends: Sends | None = None
    batch: int = 128
    timeout_seconds: float = 30.0
    retries: int = 3
    per_second: float | None = None
    queries: int = 1_000_000

    def __post_init__(self) -> None:
        """Raises BadEndpoint: a key holds what cannot be used; it says which."""
        _check_url(self.url)
        _check_headers(self.headers)
        _check_names("features", self.features)
        _check_names("classes", self.classes)
        if len(self.classes) == 1:
            raise BadEndpoint(key="classes", problem="there is one class", instead="Name two or more")
        if self.sends is not None and self.sends not in get_args(Sends):
            _refuse("sends", self.sends, " or ".join(get_args(Sends)))
        _check_shape(self.image_shape, self.sends)
        _check_whole("batch", self.batch, 1, 65_536)
        _check_whole("retries", self.retries, 0, 10)
        _check_whole("queries", self.queries, 1, 10**12)
        _check_number("timeout_seconds", self.timeout_seconds, 600)
        if self.per_second is not None:
            _check_number("per_second", self.per_second, 10_000)

    @property
    def parts(self) -> SplitResult:
        """The parts of the address."""
        return urlsplit(self.url)

    @property
    def host(self) -> str:
        return str(self.parts.hostname)

    @property
    def port(self) -> int:
        return self.parts.port or (443 if self.parts.scheme == "https" else 80)

    @property
    def path(self) -> str:
        """The path with the query, as a request line has it."""
        return (self.parts.path or "/") + (f"?{self.parts.query}" if self.parts.query else "")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, without what is not set."""
        document = asdict(self) | {"headers": dict(self.headers)}
        return {key: value for key, value in document.items() if value not in (None, (), {}, [])}

    def to_bytes(self) -> bytes:
        """The description as a file, always the same bytes for the same endpoint."""
        return json.dumps(self.to_json(), sort_keys=True, indent=1).encode() + b"\n"


KEYS = tuple(each.name for each in fields(Endpoint))


def endpoint_from(document: Mapping[str, Any]) -> Endpoint:
    """An endpoint from JSON or TOML values.

    Raises:
        BadEndpoint: a key is unknown, missing, or holds what cannot be used.
    """
    unknown = sorted(set(document) - set(KEYS))
    if unknown:
        raise BadEndpoint(
            key=str(unknown[0]), problem="there is no such key", instead=f"The keys are {', '.join(KEYS)}"
        )
    if not isinstance(document.get("url"), str):
        raise BadEndpoint(key="url", problem="it is missing, or no text", instead='Add url = "https://HOST/PATH"')
    values = dict(document)
    for key in ("features", "classes", "image_shape"):
        if key in values and values[key] is not None:
            if not isinstance(values[key], list | tuple):
                _refuse(key, values[key], "a list")
            values[key] = tuple(values[key])
    if not isinstance(values.get("headers", {}), Mapping):
        _refuse("headers", values["headers"], "header names with the names of environment variables")
    return Endpoint(**{key: value for key, value in values.items() if value is not None})


def described_in(data: bytes) -> dict[str, Any] | None:
    """The keys of a description file: JSON or TOML, at the top or under [model]; None where it is something else."""
    if len(data) > MOST_BYTES:
        return None
    try:
        text = data.decode()
        document = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    for place in (document, document.get("model")):
        if isinstance(place, dict) and "url" in place:
            return place
    return None


def _check_url(url: str) -> None:
    instead = "Write https://HOST/PATH"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        raise BadEndpoint(key="url", problem=str(problem), instead=instead) from None
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > 2000:
        raise BadEndpoint(key="url", problem="it has characters that no address has", instead=instead)
    if parts.scheme not in ("https", "http"):
        raise BadEndpoint(key="url", problem=f"{parts.scheme or 'no scheme'} is not asked", instead=instead)
    if not parts.hostname or not HOST.fullmatch(parts.hostname) or port == 0:
        raise BadEndpoint(key="url", problem="it names no host that can be asked", instead=instead)
    if parts.username is not None or parts.password is not None:
        raise BadEndpoint(
            key="url", problem="it holds a name or a password", instead="Name an environment variable under `headers`"
        )
    if parts.fragment:
        raise BadEndpoint(key="url", problem="it has a part after #, which no server sees", instead="Leave it out")


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, variable in headers.items():
        if not isinstance(name, str) or not HEADER.fullmatch(name) or name.lower() in OWN_HEADERS:
            _refuse("headers", name, "the name of a header that evenhand does not set itself")
        if not isinstance(variable, str) or not VARIABLE.fullmatch(variable) or variable in NO_SECRETS:
            raise BadEndpoint(
                key=f"headers.{name}",
                problem="what it holds is not the name of an environment variable that may be sent",
                instead="Put the value in a variable that begins with EVENHAND_ENDPOINT_, and its name here",
            )


def _check_names(key: str, names: Sequence[str]) -> None:
    if not all(isinstance(name, str) and 0 < len(name) <= LONGEST_NAME for name in names) or len(names) > MOST_NAMES:
        _refuse(key, listed([str(name) for name in names]), f"up to {MOST_NAMES} texts")
    if len(set(names)) < len(names):
        _refuse(key, listed(list(names)), "names that are all different")


def _check_shape(shape: ImageShape | None, sends: Sends | None) -> None:
    if shape is None:
        return
    if sends == "rows":
        raise BadEndpoint(key="sends", problem="rows have no image_shape", instead="Name `pixels` or `png`")
    is_whole = len(shape) == 3 and all(type(size) is int and 1 <= size <= MOST_PIXELS for size in shape)
    if not is_whole or math.prod(shape) > MOST_PIXELS or shape[2] not in (1, 3, 4):
        _refuse("image_shape", shape, f"height, width and channels (1, 3 or 4), up to {MOST_PIXELS:,} numbers in all")


def _check_whole(key: str, value: int, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        _refuse(key, value, f"a whole number from {least} to {most:,}")


def _check_number(key: str, value: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        _refuse(key, value, f"a number above 0, up to {most:,}")


def _refuse(key: str, found: object, wanted: str) -> None:
    raise BadEndpoint(key=key, problem=f"it is {str(found)[:200]!r}", instead=f"It must be {wanted}")
