"""`make bench-proxy`: areas and pair information beside scikit-learn, contributions beside shap, and whole audits.

`python -m benchmarks.proxies [ROWS] [FEATURES]` for other sizes.
"""

import os
import sys

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))  # before numpy

import numpy as np
from benchmarks.clock import core_seconds, say
from benchmarks.proxy_audit import whole_audit
from benchmarks.proxy_shap import beside_shap
from numpy.typing import NDArray
from sklearn.metrics import mutual_info_score, roc_auc_score

from evenhand.auditors.proxies.joint import pair_information
from evenhand.auditors.ranks import auc_of_scores

FASTER_THAN_SCIKIT_LEARN = 10
SECONDS_FOR_ALL_PAIRS = 1.0
REPEATS = 3


def areas(columns: list[NDArray[np.float64]], a: NDArray[np.int32]) -> bool:
    """Both sides take turns on the same columns; scikit-learn on the first three of them."""
    positive, shown = a == 1, columns[:3]
    ours = core_seconds(lambda: [auc_of_scores(values, positive) for values in columns], times=REPEATS)
    theirs = core_seconds(lambda: [roc_auc_score(a, values) for values in shown], times=REPEATS)
    theirs *= len(columns) / len(shown)
    print(
        f"area with DeLong's error, {len(columns)} x {len(a):,}: {ours:.2f} s; scikit-learn, area alone: {theirs:.2f} s"
    )
    return say(
        "areas: times as fast as scikit-learn's loop",
        f"{theirs / ours:.1f}",
        goal=f"{FASTER_THAN_SCIKIT_LEARN}",
        met=theirs >= FASTER_THAN_SCIKIT_LEARN * ours,
    )


def information(rng: np.random.Generator, features: int, rows: int) -> bool:
    cells = [rng.integers(0, 8, rows).astype(np.uint8) for _ in range(features)]
    a = rng.integers(0, 2, rows).astype(np.int32)
    pairs = features * (features - 1) // 2
    ours = core_seconds(lambda: pair_information(cells, a, n_groups=2), times=REPEATS)
    one = core_seconds(lambda: mutual_info_score(a, cells[0].astype(int) * 8 + cells[1]), times=REPEATS)
    print(f"information of {pairs:,} pairs x {rows:,}: {ours:.2f} s; scikit-learn: {one * pairs:.1f} s")
    return say(
        f"information of {pairs:,} pairs x {rows:,}",
        f"{ours:.2f} s",
        goal=f"{SECONDS_FOR_ALL_PAIRS:g} s",
        met=ours < SECONDS_FOR_ALL_PAIRS,
    )


def main(rows: int = 1_000_000, features: int = 50) -> int:
    print("Proxies: this machine, one core, one run, medians; peers on the same rows, in the same run")
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2, rows).astype(np.int32)
    columns = [rng.standard_normal(rows) + (i % 5 == 0) * a for i in range(features)]
    met = [areas(columns, a), information(rng, features, 100_000), beside_shap()]
    del columns
    for model in ("linear", "trees"):
        met.append(whole_audit(rows, features, model, thorough=False, minutes=2))
    met.append(whole_audit(rows, features, "linear", thorough=True, minutes=20))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
