"""A real service, a real worker and a real browser. Screenshots land in tests/screenshots/, which git ignores."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
SCREENSHOTS = Path(__file__).parent.parent / "screenshots"
START_SECONDS = 90
COMPLAINTS = ("error", "warning")

SERVE = """
from evenhand.service.config import Config
from evenhand.service.serve import serve
raise SystemExit(serve(Config.from_environment(), port=0))
"""


@dataclass(frozen=True)
class RunningService:
    address: str
    token: str


@dataclass
class Watched:
    """A page, and all that its console had to complain about: a request that fails is told there too."""

    page: "Page"
    complaints: list[str] = field(default_factory=list)

    def shot(self, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    def overflows(self) -> bool:
        """Whether the whole page, and not a table inside it, has to be scrolled sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    home = tmp_path_factory.mktemp("home")
    environment = {
        **os.environ,
        "EVENHAND_HOME": str(home),
        "EVENHAND_WEB_PROCESSES": "1",
        "EVENHAND_ENDPOINT_HOSTS": "models.example.com",
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield _greeting(process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        if process.stdout:
            process.stdout.close()


def _greeting(process: "subprocess.Popen[str]") -> RunningService:
    said: list[str] = []
    overdue = threading.Timer(START_SECONDS, process.kill)
    overdue.start()
    try:
        for line in process.stdout or ():
            said.append(line)
            address = re.search(r"evenhand is at (http://\S+)", line)
            if address:
                token = re.search(r"eh_[0-9a-f]{64}", "".join(said))
                assert token, said
                return RunningService(address.group(1), token.group())
    finally:
        overdue.cancel()
    raise AssertionError("the service did not start:\n" + "".join(said))


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--headless", "--disable-dev-shm-usage", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def watched(browser: "Browser") -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    watched = Watched(context.new_page())
    watched.page.on("console", lambda said: watched.complaints.append(said.text) if said.type in COMPLAINTS else None)
    watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    yield watched
    context.close()


@pytest.fixture
def signed_in(watched: Watched, service: RunningService) -> Watched:
    watched.page.goto(f"{service.address}/sign-in")
    watched.page.fill("#token", service.token)
    watched.page.click("main button")
    watched.page.wait_for_selector("text=Sign out")
    return watched
