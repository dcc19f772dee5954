"""A service that really runs, in processes of its own, and a client that speaks HTTP to it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPMessage
from pathlib import Path
from typing import Any

from evenhand.service.db import Database

SERVE = "import sys; from evenhand.service.config import Config; from evenhand.service.serve import serve; "
SERVE += "sys.exit(serve(Config.from_environment(), port=int(sys.argv[1])))"
START_SECONDS = 60


@dataclass
class Answer:
    status: int
    headers: HTTPMessage
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def type(self) -> str:
        return self.headers.get_content_type()


@dataclass
class Client:
    """Speaks to one service with one token."""

    address: str
    token: str | None = None

    def send(self, method: str, path: str, content: Any = None, *, headers: dict[str, str] | None = None) -> Answer:
        sent = dict(headers or {})
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if content is not None and not isinstance(content, bytes):
            content = json.dumps(content).encode()
            sent.setdefault("Content-Type", "application/json")
        elif content is not None:
            sent.setdefault("Content-Type", "application/octet-stream")
        request = urllib.request.Request(self.address + path, data=content, headers=sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def upload(self, kind: str, filename: str, content: bytes, query: str = "") -> Answer:
        return self.send("POST", f"/api/v1/{kind}?filename={filename}{query}", content)

    def dataset(self, content: bytes, filename: str = "people.csv") -> str:
        answer = self.upload("datasets", filename, content)
        assert answer.status == 201, answer.content
        return str(answer.json["id"])

    def submit(self, dataset: str, **asked: Any) -> str:
        answer = self.send("POST", "/api/v1/audits", {"dataset": dataset, "policy": POLICY, **asked})
        assert answer.status == 202, answer.content
        return str(answer.json["id"])

    def wait(self, path: str, *, until: set[str] | None = None, seconds: float = 60) -> Any:
        """Poll until the status is one of these, by default a final one."""
        wanted = until or {"succeeded", "failed", "cancelled"}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.get(f"{path}?wait=2" if "/audits/" in path else path).json
            if found["status"] in wanted:
                return found
            time.sleep(0.1)
        raise AssertionError(f"{path} is still {found['status']}: {found}")


@dataclass
class Service:
    """`evenhand serve` as a process."""

    process: "subprocess.Popen[str]"
    client: Client
    home: Path
    database: Database
    said: list[str] = field(default_factory=list)

    def worker_pid(self, *, seconds: float = 30) -> int:
        """Of the worker that beat last; on a busy machine the first heartbeat takes a while."""
        from evenhand.service.jobs.store import live_workers

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with self.database.reading() as session:
                workers = live_workers(session, dead_after_seconds=3600)
            if workers:
                return workers[-1].pid
            time.sleep(0.1)
        raise AssertionError("no worker has a heartbeat")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


@contextlib.contextmanager
def service(home: Path, *, token: str | None = None, port: int = 0, **settings: str) -> Iterator[Service]:
    """Start the service in this home; `settings` are environment variables."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("EVENHAND_")},
        "EVENHAND_HOME": str(home),
        "EVENHAND_WEB_PROCESSES": "1",
        "EVENHAND_HEARTBEAT_SECONDS": "1",
        **settings,
    }
    url = environment.get("EVENHAND_DATABASE_URL") or f"sqlite:///{home / 'evenhand.db'}"
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(port)], env=environment, stdout=subprocess.PIPE, text=True
    )
    said: list[str] = []
    database = Database(url)
    try:
        address = _wait_for_address(process, said)
        found = next((line.removeprefix("Admin token: ") for line in said if line.startswith("Admin token: ")), token)
        yield Service(process, Client(address, found), home, database, said)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()
        database.dispose()


def _wait_for_address(process: "subprocess.Popen[str]", said: list[str]) -> str:
    ready = threading.Event()
    addresses: list[str] = []

    def listen() -> None:
        with contextlib.suppress(ValueError):
            for line in process.stdout or ():
                said.append(line.strip())
                if line.startswith("evenhand is at "):
                    addresses.append(line.removeprefix("evenhand is at ").strip())
                    ready.set()
        ready.set()

    threading.Thread(target=listen, daemon=True).start()
    if not ready.wait(START_SECONDS) or not addresses:
        raise AssertionError(f"the service did not start: {said}")
    return addresses[0]


POLICY = {"data": {"label": "hired", "prediction": "predicted", "sensitive": ["sex"]}}


def people(rows: int = 400, *, gap: float = 0.0) -> bytes:
    """A CSV of two sexes; women are selected less often by `gap`. Every tenth of a hundred, so that rates are exact."""
    lines = ["sex,hired,predicted"]
    for row in range(rows):
        sex, place = ("woman", "man")[row % 2], (row // 2) % 10
        selected = place < (5 - round(10 * gap) if sex == "woman" else 5)
        lines.append(f"{sex},{int(place < 5)},{int(selected)}")
    return "\n".join(lines).encode() + b"\n"
