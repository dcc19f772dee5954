"""The whole proxy audit, what-ifs included, in a process of its own, so that its peak memory is its own too.

Run: python -m benchmarks.proxy_audit ROWS FEATURES {linear,trees} [thorough]
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.clock import say
from numpy.typing import NDArray

from evenhand.auditors.proxies import Case, ProxyData, Retraining, audit_proxies, with_what_ifs
from evenhand.auditors.proxies.interventions import Decide

GIGABYTES = 3.0
LEARNING_ROWS = 100_000

Columns = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Cost:
    """`core_seconds` of one core; `peak` in gigabytes, the data included; `half_width`: of the widest part's interval."""

    core_seconds: float
    wall_seconds: float
    peak: float
    parts: int
    half_width: float
    asked_rows: int


def whole_audit(rows: int, features: int, model: str, *, thorough: bool, minutes: int) -> bool:
    """Print what an audit costs and how exact its parts are; whether it keeps within its time and memory."""
    name = f"{model} model, {features} x {rows:,}{', thorough' if thorough else ''}"
    command = [sys.executable, "-m", "benchmarks.proxy_audit", str(rows), str(features), model]
    done = subprocess.run([*command, *(["thorough"] if thorough else [])], capture_output=True, text=True, check=True)
    cost = Cost(**json.loads(done.stdout.splitlines()[-1]))
    print(
        f"\nWhole audit with what-ifs, {name}: {cost.asked_rows:,} rows scored, {cost.wall_seconds:.0f} s by the clock"
    )
    print(f"  {f'half-width of the widest of {cost.parts} parts of the gap':<66} {cost.half_width:>14.4f}")
    return all(
        [
            say(
                "one core",
                f"{cost.core_seconds:.0f} s",
                goal=f"{minutes * 60} s",
                met=cost.core_seconds < minutes * 60,
            ),
            say(
                "peak memory, data included", f"{cost.peak:.2f} GB", goal=f"{GIGABYTES:g} GB", met=cost.peak < GIGABYTES
            ),
        ]
    )


def main(rows: int, features: int, model: str, *, thorough: bool) -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2, rows).astype(np.int32)
    columns = {f"x{i}": rng.standard_normal(rows) + (i % 5 == 0) * a for i in range(features)}
    weights = rng.standard_normal(features)
    label = (_weighted(columns, weights) + rng.standard_normal(rows) >= 0).astype(np.int8)
    asked = [0]
    trained = _trained(columns, label, list(columns))
    decide = _counting(trained if model == "trees" else lambda some: _weighted(some, weights), asked)
    threshold = 0.5 if model == "trees" else 0.0
    data = ProxyData(columns, attributes={"A": (a, ("0", "1"))})
    unseen = np.arange(rows) >= LEARNING_ROWS
    retraining = Retraining(
        lambda names: _trained(columns, label, names),
        unseen,
        "hist_gradient_boosting",
        stand_in=model != "trees",
        same_rows=model == "trees",
        rows=LEARNING_ROWS,
    )

    started, processor = time.perf_counter(), time.process_time()
    scores = decide(columns)
    audit, findings = audit_proxies(
        data,
        decide=decide,
        scores=scores,
        score_threshold=threshold,
        favourable_is_positive=True,
        rng=np.random.default_rng(0),
        thorough=thorough,
    )
    case = Case(data, decide, scores, threshold, label=label, retraining=retraining)
    with_what_ifs(audit, findings, case, rng=np.random.default_rng(1))
    seconds, wall = time.process_time() - processor, time.perf_counter() - started
    parts = [row.contribution for row in audit.features if row.stratum is None]
    half_width = max((part.high or 0) - (part.low or 0) for part in parts) / 2
    print(json.dumps(asdict(Cost(seconds, wall, _peak_gigabytes(), len(parts), half_width, asked[0]))))


def _weighted(columns: Mapping[str, NDArray[Any]], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.zeros(len(next(iter(columns.values()))))
    for weight, values in zip(weights, columns.values(), strict=True):
        total += weight * values
    return total


def _trained(columns: Columns, label: NDArray[np.int8], names: Sequence[str]) -> Decide:
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(random_state=0)
    trees.fit(np.stack([columns[name][:LEARNING_ROWS] for name in names], axis=1), label[:LEARNING_ROWS])

    def decide(some: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        chances: NDArray[np.float64] = trees.predict_proba(np.stack([some[name] for name in names], axis=1))[:, 1]
        return chances

    return decide


def _counting(decide: Decide, asked: list[int]) -> Decide:
    def counted(some: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        scores = decide(some)
        asked[0] += len(scores)
        return scores

    return counted


def _peak_gigabytes() -> float:
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1e6 for line in status if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], thorough="thorough" in sys.argv[4:])
