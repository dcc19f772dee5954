"""One request to one address: connected to what was checked, whole within its time, and of bounded length.

No redirects, no proxies, no compressed answers; the host's name goes into the certificate check and the Host header.
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evenhand.classifiers.endpoints.description import Endpoint

USER_AGENT = "evenhand"


@dataclass(frozen=True)
class Answer:
    """What came back.

    Args:
        status: of HTTP.
        body: cut at one byte more than was allowed.
        encoding: how it is compressed; "" where it is not.
        retry_after_seconds: how long the server asks to wait; None where it does not say.
    """

    status: int
    body: bytes
    encoding: str
    retry_after_seconds: float | None


class TimeIsUp(OSError):
    """The request took longer than it may."""


def post(
    endpoint: Endpoint,
    address: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    most_bytes: int,
    context: ssl.SSLContext | None = None,
) -> Answer:
    """Send one request and read its answer.

    Args:
        address: to connect to; no name is looked up here.
        most_bytes: read at most, and one more to tell that there is more.
        context: how certificates are checked; None as the system does.

    Raises:
        OSError: no connection, no certificate that fits, broken off; TimeIsUp among them.
        http.client.HTTPException: no HTTP.
    """
    until = time.monotonic() + endpoint.timeout_seconds
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port)
    with _connected(endpoint, address, until, context) as plain:
        connection.sock = _TimedSocket(plain, until)  # http.client asks for no more of it than this
        connection.auto_open = 0
        connection.request(
            "POST",
            endpoint.path,
            body=body,
            headers={
                **headers,
                "Content-Type": "application/json",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Connection": "close",
                "User-Agent": USER_AGENT,
            },
        )
        with connection.getresponse() as response:
            return Answer(
                status=response.status,
                body=response.read(most_bytes + 1),
                encoding=_encoding(response.getheader("Content-Encoding")),
                retry_after_seconds=_seconds(response.getheader("Retry-After")),
            )


def _connected(endpoint: Endpoint, address: str, until: float, context: ssl.SSLContext | None) -> socket.socket:
    plain = socket.create_connection((address, endpoint.port), timeout=_left(until))
    if endpoint.parts.scheme != "https":
        return plain
    try:
        plain.settimeout(_left(until))
        return (context or ssl.create_default_context()).wrap_socket(plain, server_hostname=endpoint.host)
    except BaseException:
        plain.close()
        raise


class _TimedSocket:
    """A socket whose every wait ends at one moment, so that an answer of single bytes cannot take for ever."""

    def __init__(self, plain: socket.socket, until: float) -> None:
        self._plain, self._until = plain, until

    def sendall(self, data: Any) -> None:
        self._plain.settimeout(_left(self._until))
        self._plain.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._plain, self._until))

    def close(self) -> None:
        """`post` closes the socket itself, once the answer is read."""


class _TimedReader(io.RawIOBase):
    def __init__(self, plain: socket.socket, until: float) -> None:
        self._plain, self._until = plain, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._plain.settimeout(_left(self._until))
        return self._plain.recv_into(buffer)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeIsUp("it took too long")
    return left


def _encoding(header: str | None) -> str:
    return "" if header is None or header.strip().lower() == "identity" else header


def _seconds(header: str | None) -> float | None:
    return float(header) if header is not None and header.isascii() and header.isdigit() and len(header) < 8 else None
