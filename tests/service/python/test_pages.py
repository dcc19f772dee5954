"""The pages with Python: every block runs, and prints what stands below it."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from evenhand.service.importers import aequitas, clarify

DOCS = Path(__file__).parents[3] / "docs"
HOW_TO = DOCS / "how-to"
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def outputs(page: Path) -> list[tuple[str, str, str]]:
    """Each block of Python, what it printed, and what the page says it prints."""
    names: dict[str, object] = {}
    found = []
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    for (language, code), (following, said) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if language == "python":
            printed = io.StringIO()
            with redirect_stdout(printed):
                exec(compile(code, str(page), "exec"), names)
            found.append((code, printed.getvalue(), said if following == "text" else ""))
    return found


@pytest.mark.parametrize("name", ["how-to/python.md", "how-to/moving-from.md", "reference/by-hand.md"])
def test_blocks_print_what_stands_below_them(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    made = outputs(DOCS / name)

    assert len(made) >= 4
    for _code, printed, said in made:
        assert [line.rstrip() for line in printed.splitlines()] == [line.rstrip() for line in said.splitlines()]


def test_the_table_of_codes_is_the_catalogue() -> None:
    page = (HOW_TO / "moving-from.md").read_text(encoding="utf-8")

    assert clarify.table() in page
    assert all(
        f"`{name}`" in page for name in (*aequitas.METRICS, *aequitas.METRICS.values(), *aequitas.NO_COUNTERPART)
    )
