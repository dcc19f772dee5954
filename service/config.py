"""What the service is told about its surroundings, read once from the environment."""

import contextlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from evenhand.service.errors import BadSetting

MIB = 1024 * 1024

DEFAULT_PORT = 8000


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of one installation. `Config.from_environment()` reads them; tests construct it directly."""

    home: Path
    """Folder of everything the embedded default keeps: database, artefacts, logs, the secret key."""
    database_url: str
    artefacts_url: str
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    web_processes: int = 2
    web_threads: int = 8
    max_upload_bytes: int = 512 * MIB
    worker_concurrency: int = 2
    queues: tuple[str, ...] = ("cpu",)
    job_timeout_seconds: float = 3600.0
    inspection_timeout_seconds: float = 120.0
    heartbeat_seconds: float = 5.0
    dead_after_seconds: float = 30.0
    """A worker whose heartbeat is older is taken for dead; its jobs go to others (PostgreSQL)."""
    secure_cookies: bool = False
    log_level: str = "WARNING"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read EVENHAND_HOME, EVENHAND_DATABASE_URL and the other EVENHAND_ variables; docs/reference lists them.

        Raises:
            BadSetting: a variable holds something that cannot be used.
        """
        env = os.environ if environment is None else environment
        home = Path(env.get("EVENHAND_HOME") or Path.home() / ".evenhand").expanduser().absolute()
        return cls(
            home=home,
            database_url=env.get("EVENHAND_DATABASE_URL") or f"sqlite:///{home / 'evenhand.db'}",
            artefacts_url=env.get("EVENHAND_ARTEFACTS_URL") or (home / "artefacts").as_uri(),
            host=env.get("EVENHAND_HOST") or cls.host,
            port=_whole(env, "EVENHAND_PORT", cls.port, least=0, most=65535),
            web_processes=_whole(env, "EVENHAND_WEB_PROCESSES", cls.web_processes),
            web_threads=_whole(env, "EVENHAND_WEB_THREADS", cls.web_threads),
            max_upload_bytes=_whole(env, "EVENHAND_MAX_UPLOAD_BYTES", cls.max_upload_bytes),
            worker_concurrency=_whole(env, "EVENHAND_WORKER_CONCURRENCY", cls.worker_concurrency),
            queues=tuple(_names(env.get("EVENHAND_QUEUES"))) or _queues_of_this_machine(),
            job_timeout_seconds=_seconds(env, "EVENHAND_JOB_TIMEOUT_SECONDS", cls.job_timeout_seconds),
            inspection_timeout_seconds=_seconds(
                env, "EVENHAND_INSPECTION_TIMEOUT_SECONDS", cls.inspection_timeout_seconds
            ),
            heartbeat_seconds=_seconds(env, "EVENHAND_HEARTBEAT_SECONDS", cls.heartbeat_seconds),
            dead_after_seconds=_seconds(env, "EVENHAND_DEAD_AFTER_SECONDS", cls.dead_after_seconds),
            secure_cookies=(env.get("EVENHAND_SECURE_COOKIES") or "").lower() in {"1", "true", "yes", "on"},
            log_level=(env.get("EVENHAND_LOG_LEVEL") or cls.log_level).upper(),
        )

    @property
    def embedded(self) -> bool:
        """Whether the database is the SQLite file under `home`: one host, nothing else to run."""
        return self.database_url.startswith("sqlite")

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def work(self) -> Path:
        """Where jobs and uploads keep files while they run."""
        return self.home / "work"

    def prepare_home(self) -> None:
        """Make `home` and its folders, readable by the owner alone."""
        for folder in (self.home, self.logs, self.work):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def secret_key(self) -> str:
        """The key that signs sessions: made at the first call, kept in a file that only its owner reads (0600)."""
        return self._kept("secret_key", random_bytes=32)

    def home_id(self) -> str:
        """Tells this home from others, of this host and of hosts that are called alike; made at the first call."""
        return self._kept("home_id", random_bytes=4)

    def _kept(self, name: str, *, random_bytes: int) -> str:
        path = self.home / name
        self.prepare_home()
        if not path.exists():
            # written aside and linked: a process that comes second never reads half of it
            aside = path.with_name(f"{name}.{secrets.token_hex(4)}")
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(random_bytes))
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(aside)
            aside.unlink()
        return path.read_text()


def _whole(env: Mapping[str, str], name: str, default: int, *, least: int = 1, most: int = 2**62) -> int:
    text = env.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise BadSetting(name, text, f"a whole number of at least {least}")
    return int(text)


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name)
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise BadSetting(name, text, "a number of seconds above 0")
    return seconds


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _queues_of_this_machine() -> tuple[str, ...]:
    # asking torch would cost seconds in processes that need no torch
    return ("cpu", "gpu") if Path("/dev/nvidia0").exists() else ("cpu",)
