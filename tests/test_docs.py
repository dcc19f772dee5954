"""The documentation: generated pages are current, links lead somewhere, commands run, and what is quoted exists."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from evenhand.auditors.policy import Policy
from evenhand.service import reference
from evenhand.service.audits.representations import AuditSubmission
from evenhand.service.cli import cli
from evenhand.service.models.documents import ModelOrder

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
RUN = [ROOT / "README.md", DOCS / "tutorial.md"]
BY_HAND = [page for page in PAGES if "<!-- Generated" not in page.read_text(encoding="utf-8")]

ROOMS = ("auditors", "classifiers", "datasets", "service", "migrations")
VARIABLE = re.compile(r"EVENHAND_[A-Z_]+[A-Z]")
SETTINGS = DOCS / "reference" / "settings.md"

ENDLESS = ("serve", "worker", "demo")
"""Commands that do not end, or take minutes."""
RUNNABLE = ("evenhand", "cat")
COMMAND_SECONDS = 120


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


# --- what is generated ---


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    return reference.pages()


@pytest.mark.parametrize(
    "name", ["command-line.md", "metrics.md", "policy.md", "errors.md", "report.md", "report.schema.json"]
)
def test_a_generated_page_is_what_the_code_says(generated: dict[str, str], name: str) -> None:
    committed = ROOT / reference.FOLDER / name

    current = committed.is_file() and committed.read_text(encoding="utf-8") == generated[name]

    assert current, f"{name_of(committed)} is not up to date; run: {reference.COMMAND}"


def test_the_generator_needs_no_flask() -> None:
    listing = "import sys, evenhand.service.reference; print('flask' in sys.modules)"

    said = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout

    assert said.strip() == "False"


# --- settings ---


def variables_in_code() -> set[str]:
    return {
        name
        for room in ROOMS
        for file in (ROOT / room).rglob("*.py")
        for name in VARIABLE.findall(file.read_text(encoding="utf-8"))
    }


def test_every_variable_in_the_code_is_a_documented_setting() -> None:
    documented = set(VARIABLE.findall(SETTINGS.read_text(encoding="utf-8")))

    assert variables_in_code() - documented == set(), f"describe it in {name_of(SETTINGS)}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_variable_on_a_page_is_in_the_code(page: Path) -> None:
    named = set(VARIABLE.findall(page.read_text(encoding="utf-8")))

    assert named - variables_in_code() == set()


# --- links ---


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made on code hosts."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        if not found.exists() or (anchor and anchor not in anchors(found)):
            broken.append(target)

    assert broken == []


def test_the_map_names_every_page() -> None:
    linked = set(re.findall(r"\]\(([^)\s]+)\)", (DOCS / "README.md").read_text(encoding="utf-8")))
    pages = {str(page.relative_to(DOCS)) for page in PAGES if DOCS in page.parents}

    missing = {page for page in pages - {"README.md"} if not page.startswith("decisions/")} - linked

    assert missing == set(), "name it in docs/README.md"


# --- commands ---


@dataclass(frozen=True)
class Command:
    """One command of a page, over as many lines as it takes, and how it is to exit."""

    text: str
    exit_code: int

    @property
    def program(self) -> str:
        return self.text.split(maxsplit=1)[0]

    @property
    def arguments(self) -> list[str]:
        return shlex.split(self.text.split("\n", 1)[0], comments=True)[1:]

    @property
    def is_run(self) -> bool:
        if self.program == "evenhand":
            return self.arguments[:1] != [] and self.arguments[0] not in ENDLESS
        return self.program in RUNNABLE


def commands(block: str) -> Iterator[Command]:
    """The commands of a block: lines that go on are joined, and a here-document belongs to its command."""
    lines = iter(block.replace("\\\n", " ").splitlines())
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        expected = re.search(r"#.*\bexits (\d)", line)
        text = [line]
        here = re.search(r"<<-?\s*'?(\w+)'?", line)
        if here:
            for inner in lines:
                text.append(inner)
                if inner.strip() == here.group(1):
                    break
        yield Command("\n".join(text), int(expected.group(1)) if expected else 0)


def is_run(block: str) -> bool:
    first = block.lstrip().split("\n", 1)[0]
    return not (first.startswith("#") and "not run" in first)


@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_the_commands_of_a_page_run_as_written_and_print_its_numbers(page: Path, tmp_path: Path) -> None:
    """In an empty folder, in their order, each with the exit code that is written behind it, else 0.

    Numbers are those with three decimals, as reports print them.
    """
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "EVENHAND_HOME": str(tmp_path / "home"),
        "LANG": "C.UTF-8",
    }
    said = []
    for command in (command for block in blocks(page, "bash") if is_run(block) for command in commands(block)):
        if not command.is_run:
            continue
        done = subprocess.run(
            ["bash", "-c", command.text],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
        )
        said.append(done.stdout)
        assert done.returncode == command.exit_code, f"{command.text}\n{done.stdout}{done.stderr}"
    quoted = set(re.findall(r"\b\d\.\d{3}\b", page.read_text(encoding="utf-8")))
    assert {number for number in quoted if number not in "".join(said)} == set()


@pytest.mark.parametrize("page", BY_HAND, ids=name_of)
def test_commands_and_options_on_a_page_exist(page: Path) -> None:
    """Also of those that are not run."""
    unknown = [
        problem
        for block in blocks(page, "bash")
        for command in commands(block)
        if command.program == "evenhand"
        for problem in unknown_words(command.arguments)
    ]

    assert unknown == []


def unknown_words(words: list[str]) -> Iterator[str]:
    """Subcommands and options that there are not."""
    command: click.Command = cli
    for word in words:
        if word.startswith("--"):
            option = word.partition("=")[0]
            if not any(option in parameter.opts for parameter in command.params) and option != "--help":
                yield f"{command.name} {option}"
        elif isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            if found is None:
                yield word
                return
            command = found


# --- what is quoted ---


@pytest.mark.parametrize("page", BY_HAND, ids=name_of)
def test_policies_on_a_page_are_valid(page: Path) -> None:
    for block in blocks(page, "toml"):
        Policy.model_validate(tomllib.loads(block))


@pytest.mark.parametrize("page", BY_HAND, ids=name_of)
def test_bodies_of_requests_on_a_page_are_valid(page: Path) -> None:
    for body in re.findall(r"-d '(\{.*?\})'", page.read_text(encoding="utf-8"), flags=re.DOTALL):
        model = ModelOrder if {"train", "endpoint"} & json.loads(body).keys() else AuditSubmission

        model.model_validate_json(body)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_claims_no_verdict_that_there_is_not(page: Path) -> None:
    """House style: assess and mitigate; nothing is debiased, and nothing called compliant or unbiased but to say never."""
    lines = page.read_text(encoding="utf-8").lower().splitlines()

    claims = [line for line in lines if re.search(r"\b(debias\w*|unbiased|compliant)\b", line) and "never" not in line]

    assert claims == []
