"""Contributions beside shap: the group's difference of score, shared out on the same rows of the same two models.

shap opens the model: a formula for weights, a walk down the trees. evenhand asks any classifier for scores, and shares
out the gap of decisions in the same pass; shap's differences exist for what is explained alone.
"""

import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from benchmarks.clock import say
from benchmarks.peers import PYTHON, SCRIPTS, installed
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from evenhand.auditors.protocols import silent
from evenhand.auditors.proxies.contribution import part_of_gap, shapley
from evenhand.auditors.proxies.groups import Contrast
from evenhand.auditors.proxies.interventions import Decide, Subjects

ROWS, TREE_ROWS, TREE_BACKGROUND = 50_000, 5_000, 500
PAIRS = 5
WEIGHTS = np.array([1.0, 0.0, 1.1, 0.0, 0.4, 0.4, 0.4, 0.02])
SHIFTS = np.array([1.2, 1.2, 0.0, 0.0, 0.6, -0.3, -1.2, 1.2])

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shared:
    """Parts of the gap of scores by feature, their half-widths at 95 %, and seconds of one core."""

    parts: Floats
    half_widths: Floats
    seconds: float


def beside_shap() -> bool:
    rng = np.random.default_rng(0)
    group = rng.integers(0, 2, ROWS)
    rows = rng.standard_normal((ROWS, len(WEIGHTS))) + SHIFTS * group[:, None]
    trees = HistGradientBoostingClassifier(random_state=0, max_iter=60)
    trees.fit(rows, rows @ WEIGHTS + rng.standard_normal(ROWS) >= 0)
    print(f"\nContributions to the gap of scores, {len(WEIGHTS)} features; shap in the same run, on the same rows")
    theirs = _of_shap(rows, group, trees)
    if isinstance(theirs, str):
        print(f"  shap is not compared: {theirs}")
        return False
    ours = {
        "linear": _ours(lambda some: np.stack(list(some.values()), axis=1) @ WEIGHTS, rows, group),
        "trees": _ours(
            lambda some: trees.decision_function(np.stack(list(some.values()), axis=1)),
            rows[:TREE_ROWS],
            group[:TREE_ROWS],
        ),
    }
    met = [_compared(model, ours[model], theirs[model]) for model in ours]
    return all(met)


def _compared(model: str, ours: Shared, theirs: dict[str, Any]) -> bool:
    rows = ROWS if model == "linear" else TREE_ROWS
    background = ROWS if model == "linear" else TREE_BACKGROUND
    print(
        f"  {f'{model}, {rows:,} rows: {2 * PAIRS} orderings':<66} {ours.seconds:>12.2f} s\n"
        f"  {f'{model}, {rows:,} rows: shap, {background:,} rows of background':<66} {theirs['seconds']:>12.2f} s"
    )
    apart = np.abs(ours.parts - np.array(theirs["parts"]))
    return say(
        f"{model}: largest difference of a part, within its half-width",
        f"{apart.max():.4f}",
        goal=f"{ours.half_widths[apart.argmax()]:.4f}",
        met=bool((apart <= ours.half_widths).all()),
    )


def _ours(decide: Decide, rows: Floats, group: NDArray[np.int64]) -> Shared:
    columns = {f"x{i}": np.ascontiguousarray(rows[:, i]) for i in range(rows.shape[1])}
    subjects = Subjects(decide, columns, tuple((name,) for name in columns), len(rows))
    contrast = Contrast("A", "1", "0", np.flatnonzero(group == 1), np.flatnonzero(group == 0))
    started = time.process_time()
    found = shapley(subjects, [contrast], threshold=0.0, pairs=PAIRS, rng=np.random.default_rng(1), progress=silent)
    parts = [part_of_gap(found.scores, contrast, 0, [block]) for block in range(len(columns))]
    seconds = time.process_time() - started
    bounds = np.array([part.bounds(0.95) for part in parts])
    return Shared(np.array([part.estimate for part in parts]), (bounds[:, 1] - bounds[:, 0]) / 2, seconds)


def _of_shap(
    rows: Floats, group: NDArray[np.int64], trees: HistGradientBoostingClassifier
) -> dict[str, dict[str, Any]] | str:
    """Parts and seconds by model, or why there are none."""
    if (problem := installed("shap")) is not None:
        return problem
    with tempfile.TemporaryDirectory() as folder:
        joblib.dump(trees, Path(folder) / "trees.joblib")
        np.savez(
            Path(folder) / "rows.npz",
            rows=rows,
            group=group,
            background=rows,
            weights=WEIGHTS,
            tree_rows=TREE_ROWS,
            tree_background=TREE_BACKGROUND,
            tree_scores=trees.decision_function(rows[:TREE_ROWS]),
        )
        done = subprocess.run(
            [str(PYTHON), str(SCRIPTS / "shap_answers.py"), folder], capture_output=True, text=True, check=False
        )
    if done.returncode:
        return (done.stderr.strip() or "no message").splitlines()[-1]
    answer = json.loads(done.stdout.splitlines()[-1])
    print(f"  shap {answer['version']}")
    return dict(answer["answers"])


if __name__ == "__main__":
    beside_shap()
