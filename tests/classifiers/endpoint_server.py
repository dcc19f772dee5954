"""An endpoint on this machine: a real HTTP server in a thread, that answers as it is told and remembers what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Replies = Callable[[list[Any], int], "Reply"]


@dataclass
class Reply:
    """One answer. `pieces` are sent one after another, `pause` seconds apart."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pieces: list[bytes] | None = None
    pause: float = 0.0

    def parts(self) -> list[bytes]:
        return self.pieces or [self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()]


@dataclass
class Served:
    """A server that runs.

    Attributes:
        asked: the instances of every request.
        headers: of every request.
    """

    port: int
    asked: list[list[Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/predict"


def by_age(instances: list[Any], number: int) -> Reply:
    """A model of one rule: who is over 50 is certain to be "yes", everybody else is half so."""
    return Reply({"predictions": [[0.1, 0.9] if row["age"] > 50 else [0.6, 0.4] for row in instances]})


@contextmanager
def served(replies: Replies = by_age) -> Iterator[Served]:
    """Serve until the block ends; `replies` takes the instances and the number of the request, from 0."""
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            instances = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["instances"]
            found.asked.append(instances)
            found.headers.append(dict(self.headers))
            self._say(replies(instances, len(found.asked) - 1))

        def _say(self, reply: Reply) -> None:
            parts = reply.parts()
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(sum(map(len, parts))), **reply.headers}.items():
                self.send_header(name, value)
            try:
                self.end_headers()
                for part in parts:
                    self.wfile.write(part)
                    self.wfile.flush()
                    if closing.wait(reply.pause):
                        return
            except OSError:  # the other side left, which some tests are about
                self.close_connection = True

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = Served(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
