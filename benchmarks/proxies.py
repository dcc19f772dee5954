"""The proxy audit's cost: areas and pair information beside scikit-learn in one run, and the whole audit.

Run: OMP_NUM_THREADS=1 python benchmarks/proxies.py [ROWS] [FEATURES]
"""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import mutual_info_score, roc_auc_score

from evenhand.auditors.proxies import ProxyData, audit_proxies
from evenhand.auditors.proxies.joint import pair_information
from evenhand.auditors.ranks import auc_of_scores


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def areas(columns: list[NDArray[np.float64]], a: NDArray[np.int32]) -> None:
    ours = seconds(lambda: [auc_of_scores(values, a == 1) for values in columns])
    theirs = seconds(lambda: [roc_auc_score(a, values) for values in columns[:3]]) * len(columns) / 3
    print(
        f"area with DeLong's error, {len(columns)} x {len(a):,}: {ours:.2f} s; scikit-learn, area alone: {theirs:.2f} s"
    )


def information(rng: np.random.Generator, features: int, rows: int) -> None:
    cells = [rng.integers(0, 8, rows).astype(np.uint8) for _ in range(features)]
    a = rng.integers(0, 2, rows).astype(np.int32)
    pairs = features * (features - 1) // 2
    ours = seconds(lambda: pair_information(cells, a, n_groups=2))
    one = seconds(lambda: mutual_info_score(a, cells[0].astype(int) * 8 + cells[1]))
    print(f"information of {pairs:,} pairs x {rows:,}: {ours:.2f} s; scikit-learn: {one * pairs:.1f} s")


def whole(columns: Mapping[str, NDArray[Any]], a: NDArray[np.int32], weights: NDArray[np.float64]) -> None:
    def decide(some: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        total = np.zeros(len(next(iter(some.values()))))
        for weight, values in zip(weights, some.values(), strict=True):
            total += weight * values
        return total

    def audit() -> None:
        audit_proxies(
            ProxyData(columns, attributes={"A": (a, ("0", "1"))}),
            decide=decide,
            score_threshold=0.0,
            favourable_is_positive=True,
            rng=np.random.default_rng(0),
        )

    print(f"whole audit, {len(columns)} x {len(a):,}, linear model: {seconds(audit):.1f} s")


def main(rows: int = 1_000_000, features: int = 50) -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2, rows).astype(np.int32)
    columns = {f"x{i}": rng.standard_normal(rows) + (i % 5 == 0) * a for i in range(features)}
    areas(list(columns.values()), a)
    information(rng, features, 100_000)
    whole(columns, a, rng.standard_normal(features))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
