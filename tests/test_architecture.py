"""The direction of imports (DESIGN section 1), and what STACK section 12 asks of the layout."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("service", "auditors", "classifiers", "datasets", "migrations")


def contracts(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config", str(ROOT / "pyproject.toml")],
        capture_output=True,
        text=True,
        cwd=root,
        env={"PYTHONPATH": str(root / "src"), "PATH": "/usr/bin:/bin"},
        check=False,
    )


def test_the_rooms_import_in_one_direction_only() -> None:
    done = contracts(ROOT)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("auditors", "import evenhand.datasets.table"),
        ("classifiers", "import evenhand.service.config"),
        ("auditors", "import flask"),
    ],
)
def test_a_planted_wrong_import_is_found(tmp_path: Path, room: str, line: str) -> None:
    """The contract can fail: on a copy of the tree with one wrong line."""
    package = tmp_path / "src" / "evenhand"
    package.mkdir(parents=True)
    for name in ("service", "auditors", "classifiers", "datasets"):
        (package / name).mkdir()
        (package / name / "thing.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "datasets" / "table.py").write_text("")
    (package / "service" / "config.py").write_text("")
    (package / room / "thing.py").write_text(line + "\n")

    done = contracts(tmp_path)

    assert done.returncode == 1, done.stdout + done.stderr


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_a_link_without_an_init_file(room: str) -> None:
    """An __init__.py in a top-level `datasets` would shadow the package of that name under `python -m`."""
    link = ROOT / "src" / "evenhand" / room

    assert link.is_symlink()
    assert link.resolve() == ROOT / room
    assert not (ROOT / room / "__init__.py").exists()
    assert (ROOT / room / "py.typed").exists()


def test_onnxruntime_telemetry_is_off_before_its_import() -> None:
    code = "import evenhand, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={}).stdout

    assert said.strip() == "1"


def test_python_dash_m_is_the_command_line() -> None:
    done = subprocess.run([sys.executable, "-m", "evenhand", "--version"], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("evenhand, version 0.")
