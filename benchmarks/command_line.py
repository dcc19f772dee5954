"""Whole processes, as CI starts them: `evenhand --help`, and audits of predictions and of scores: time, and peak memory."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from benchmarks.clock import say, seconds

LARGE = 1_000_000
RUNS = 5


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
        _write(source, rows=LARGE)
        large = ["audit", str(source), "--label", "y", "--sensitive", "sex", "--quiet"]
        of_predictions = _measured([*large, "--prediction", "yhat"])
        of_scores = _measured([*large, "--score", "score", "--threshold", "0.5"])
    met = [
        say("evenhand --help", f"{help_seconds:.2f} s", goal="0.3 s", met=help_seconds < 0.3),
        say(
            "audit of 50,000 rows of predictions, 2 attributes and both",
            f"{audit_seconds:.2f} s",
            goal="2 s",
            met=audit_seconds < 2,
        ),
    ]
    _line("predictions", *of_predictions)
    _line("scores", *of_scores)
    return 0 if all(met) else 1


def _line(what: str, taken: list[float], megabytes: list[float]) -> None:
    print(
        f"  audit of {LARGE:,} rows of {what}, 5 columns of CSV, 1 attribute: {min(taken):.1f} to {max(taken):.1f} s, "
        f"peak {max(megabytes):.0f} MB"
    )


def _measured(arguments: list[str]) -> tuple[list[float], list[float]]:
    """Seconds and peak memory in megabytes of each of RUNS processes."""
    taken, megabytes = [], []
    for _ in range(RUNS):
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "evenhand", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1, 3):
            raise RuntimeError(f"exit code {process.returncode}: {arguments}")
        taken.append(time.perf_counter() - started)
        megabytes.append(usage.ru_maxrss * 1024 / 1e6)
    return taken, megabytes


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
    score = np.clip(np.where(prediction, 0.75, 0.25) + rng.uniform(-0.25, 0.25, rows), 0, 1)
    columns = zip(label, prediction, score, sex, race, strict=True)
    lines = [f"{int(y)},{int(p)},{t:.6f},{s},{r}" for y, p, t, s, r in columns]
    path.write_text("y,yhat,score,sex,race\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
