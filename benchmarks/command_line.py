"""Whole processes, as CI starts them: `evenhand --help`, and an audit of 50,000 rows of predictions."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from benchmarks.clock import say, seconds


def main() -> int:
    print("\nCommand line, whole process")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "predictions.csv"
        _write(source, rows=50_000)
        audit = [
            "audit",
            str(source),
            "--label",
            "y",
            "--prediction",
            "yhat",
            "--sensitive",
            "sex",
            "--sensitive",
            "race",
            "--quiet",
        ]
        help_seconds = seconds(lambda: _run(["--help"]), times=7)
        audit_seconds = seconds(lambda: _run(audit), times=5)
    met = [
        say("evenhand --help", f"{help_seconds:.2f} s", goal="0.3 s", met=help_seconds < 0.3),
        say(
            "audit of 50,000 rows of predictions, 2 attributes and both",
            f"{audit_seconds:.2f} s",
            goal="2 s",
            met=audit_seconds < 2,
        ),
    ]
    return 0 if all(met) else 1


def _run(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "evenhand", *arguments], capture_output=True, check=False)
    if done.returncode not in (0, 1, 3):
        raise RuntimeError(done.stderr.decode())


def _write(path: Path, *, rows: int) -> None:
    rng = np.random.default_rng(0)
    label = rng.random(rows) < 0.4
    prediction = rng.random(rows) < np.where(label, 0.7, 0.2)
    sex = np.array(["Female", "Male"])[rng.integers(0, 2, rows)]
    race = np.array(["a", "b", "c", "d", "e"])[rng.integers(0, 5, rows)]
    lines = [f"{int(y)},{int(p)},{s},{r}" for y, p, s, r in zip(label, prediction, sex, race, strict=True)]
    path.write_text("y,yhat,sex,race\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
