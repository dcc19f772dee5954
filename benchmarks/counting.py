"""The count table beside the least that counting can cost: one np.bincount over finished cell numbers, and reading the bytes.

1,000,000 rows by default, 64,000,000 too with --full; and the cost by rows and by metrics.
"""

import sys

import numpy as np
from benchmarks.clock import core_seconds, say
from benchmarks.group_metrics import LEVELS

from evenhand.auditors.counts import Attribute, count
from evenhand.auditors.metrics import COUNT_METRICS

Columns = dict[str, np.ndarray]


def main(*, full: bool = False) -> int:
    met = []
    for rows in (1_000_000, 64_000_000) if full else (1_000_000,):
        print(f"\nCounting {rows:,} rows: 3 sensitive columns, label and prediction, 400 cells; codes checked")
        for kind in (np.uint8, np.int32):
            met += _beside_the_least(rows, kind)
    _curves()
    return 0 if all(met) else 1


def _rows(rows: int, kind: type[np.integer]) -> tuple[Columns, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    codes = {name: rng.integers(0, levels, rows, dtype=kind) for name, levels in LEVELS.items()}
    return codes, rng.integers(0, 2, rows, dtype=np.int8), rng.integers(0, 2, rows, dtype=np.int8)


def _attributes(codes: Columns) -> list[Attribute]:
    return [Attribute(name, column, tuple(map(str, range(LEVELS[name])))) for name, column in codes.items()]


def _beside_the_least(rows: int, kind: type[np.integer]) -> list[bool]:
    codes, label, prediction = _rows(rows, kind)
    columns = [*codes.values(), label, prediction]
    cell = np.zeros(rows, dtype=np.intp)
    for column, levels in zip(columns, (*LEVELS.values(), 2, 2), strict=True):
        cell *= levels
        cell += column
    times = 15 if rows < 10**7 else 5
    bare = core_seconds(lambda: np.bincount(cell, minlength=400), times=times)
    same = np.array_equal(np.bincount(cell, minlength=400), _count(codes, label, prediction).ravel())
    ours = core_seconds(lambda: _count(codes, label, prediction), times=times)
    stream = core_seconds(lambda: [np.bitwise_or.reduce(column.view(np.uint64)) for column in columns], times=times)
    name, size = np.dtype(kind).name, sum(column.nbytes for column in columns) / 10**6
    print(f"  {f'evenhand, {name} codes ({size:,.0f} MB)':<66} {ours * 1000:>11.2f} ms")
    print(f"  {'one np.bincount over finished cell numbers':<66} {bare * 1000:>11.2f} ms")
    print(f"  {'reading the same bytes':<66} {stream * 1000:>11.2f} ms")
    large = rows >= 10**7
    return [
        say(f"the same integers, {name}", str(same), goal="True", met=same),
        say(
            f"evenhand over the bare histogram, {name}",
            f"{ours / bare:.2f} times",
            goal="1.5 times",
            met=ours < 1.5 * bare,
        ),
        say(
            f"evenhand over reading the bytes, {name}",
            f"{ours / stream:.1f} times",
            goal="4 times",
            met=ours < 4 * stream,
        )
        if large
        else True,
    ]


def _count(codes: Columns, label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    return count(_attributes(codes), prediction=prediction, label=label).rows


def _curves() -> None:
    codes, label, prediction = _rows(4_000_000, np.int32)
    print("\nCost of counting and every rate by group, int32 codes")
    for rows in (250_000, 500_000, 1_000_000, 2_000_000, 4_000_000):
        part = {name: column[:rows] for name, column in codes.items()}
        taken = _metrics_ms(part, label, prediction, len(COUNT_METRICS))
        print(f"  {f'{rows:,} rows, {len(COUNT_METRICS)} metrics':<66} {taken:>11.2f} ms")
    part = {name: column[:1_000_000] for name, column in codes.items()}
    for metrics in (1, 5, 15):
        print(f"  {f'1,000,000 rows, {metrics} metrics':<66} {_metrics_ms(part, label, prediction, metrics):>11.2f} ms")


def _metrics_ms(codes: Columns, label: np.ndarray, prediction: np.ndarray, metrics: int) -> float:
    rows = len(next(iter(codes.values())))

    def work() -> None:
        cells = count(_attributes(codes), prediction=prediction[:rows], label=label[:rows]).of(*codes).cells
        for metric in list(COUNT_METRICS.values())[:metrics]:
            metric.value(cells)

    return core_seconds(work, times=9) * 1000


if __name__ == "__main__":
    sys.exit(main(full="--full" in sys.argv))
