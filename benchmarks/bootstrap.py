"""Bootstrap replicates of group metrics at 100,000 rows (100 cells), beside fairlearn's MetricFrame with n_boot.

fairlearn draws 10 replicates here, and 100 with --full: its cost a replicate is the same.
"""

import sys

import numpy as np
import pandas as pd
from benchmarks.clock import core_seconds, say
from benchmarks.group_metrics import LEVELS, METRICS, fairlearn_metrics

from evenhand.auditors.counts import Attribute, count
from evenhand.auditors.metrics import COUNT_METRICS
from evenhand.auditors.resampling import bootstrap

ROWS = 100_000
REPLICATES = 1_000


def main(*, full: bool = False) -> int:
    n_boot = 100 if full else 10
    rng = np.random.default_rng(0)
    codes = {name: rng.integers(0, levels, ROWS).astype(np.int32) for name, levels in LEVELS.items()}
    attributes = [Attribute(name, column, tuple(map(str, range(LEVELS[name])))) for name, column in codes.items()]
    label = (rng.random(ROWS) < 0.4).astype(np.int8)
    prediction = (rng.random(ROWS) < np.where(label == 1, 0.7, 0.2)).astype(np.int8)
    metrics = [COUNT_METRICS[name] for name in METRICS]

    def ours(replicates: int, rows: int = ROWS) -> None:
        few = [Attribute(a.name, a.codes[:rows], a.values) for a in attributes]
        counts = count(few, prediction=prediction[:rows], label=label[:rows]).of(*codes)
        bootstrap(counts, metrics, replicates=replicates, rng=rng)

    here = core_seconds(lambda: ours(REPLICATES), times=9)
    one = core_seconds(lambda: _fairlearn(codes, prediction, label, n_boot=None), times=1)
    theirs = core_seconds(lambda: _fairlearn(codes, prediction, label, n_boot=n_boot), times=1) - one
    ratio = (theirs / n_boot) / (here / REPLICATES)
    print(f"\nBootstrap: {ROWS:,} rows, 100 cells, {len(METRICS)} metrics, by group, differences and ratios")
    print(f"  {f'evenhand, counting and {REPLICATES:,} replicates':<66} {here:>12.4f} s")
    print(f"  {f'fairlearn MetricFrame, {n_boot} replicates (less the time without any)':<66} {theirs:>12.4f} s")
    curve = ", ".join(f"{r:,}: {core_seconds(lambda r=r: ours(r), times=3) * 1000:.0f} ms" for r in (100, 1_000, 4_000))
    print(f"  evenhand by replicates: {curve}")
    curve = ", ".join(
        f"{n:,}: {core_seconds(lambda n=n: ours(1_000, n), times=3) * 1000:.0f} ms" for n in (10_000, 100_000)
    )
    print(f"  evenhand, 1,000 replicates, by rows: {curve}")
    met = say("fairlearn over evenhand, a replicate", f"{ratio:,.0f} times", goal="5,000 times", met=ratio > 5000)
    return 0 if met else 1


def _fairlearn(codes: dict[str, np.ndarray], prediction: np.ndarray, label: np.ndarray, *, n_boot: int | None) -> None:
    import fairlearn.metrics as fl

    frame = fl.MetricFrame(
        metrics=fairlearn_metrics(),
        y_true=label,
        y_pred=prediction,
        sensitive_features=pd.DataFrame(codes),
        n_boot=n_boot,
        ci_quantiles=None if n_boot is None else [0.025, 0.975],
        random_state=0,
    )
    if n_boot is not None:
        _ = frame.by_group_ci, frame.difference_ci(method="between_groups"), frame.ratio_ci(method="between_groups")


if __name__ == "__main__":
    sys.exit(main(full="--full" in sys.argv))
