"""Run by the peers' Python: shap's group differences of score, of a linear model and of trees. Argument: the folder.

The folder holds `rows.npz` (rows, group, background, weights, scores) and `trees.joblib`. The values are interventional:
features that are left out come from the background, as `shap.plots.group_difference` would take them.
"""

import json
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")

import joblib  # noqa: E402
import shap  # noqa: E402


def main(folder: Path) -> None:
    held = np.load(folder / "rows.npz")
    trees = joblib.load(folder / "trees.joblib")
    few = held["rows"][: int(held["tree_rows"])]
    if not np.allclose(trees.decision_function(few), held["tree_scores"]):
        raise SystemExit("the trees score otherwise here: the peers' scikit-learn is another one")
    background = shap.maskers.Independent(held["background"], max_samples=len(held["background"]))
    linear = shap.LinearExplainer((held["weights"], 0.0), background)
    boosted = shap.TreeExplainer(trees, data=held["background"][: int(held["tree_background"])], model_output="raw")
    boosted.shap_values(few[:2])  # the first call compiles
    answers = {
        "linear": _answer(lambda: linear.shap_values(held["rows"]), held["group"]),
        "trees": _answer(lambda: boosted.shap_values(few, check_additivity=False), held["group"]),
    }
    print(json.dumps({"answers": answers, "version": version("shap")}))


def _answer(explain, group: np.ndarray) -> dict:
    started = time.process_time()
    values = explain()
    members = group[: len(values)] == 1
    parts = values[members].mean(axis=0) - values[~members].mean(axis=0)
    return {"seconds": time.process_time() - started, "parts": parts.tolist()}


main(Path(sys.argv[1]))
