"""Measures: medians of repeated calls, and one line a figure with its goal."""

import statistics
import time
from collections.abc import Callable


def seconds(call: Callable[[], object], *, times: int) -> float:
    """Median wall-clock seconds of `times` calls."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def core_seconds(call: Callable[[], object], *, times: int) -> float:
    """Median seconds of one core that `times` calls in this process take: wall-clock, less the time others held the core."""
    taken = []
    for _ in range(times):
        started = time.process_time()
        call()
        taken.append(time.process_time() - started)
    return statistics.median(taken)


def say(what: str, value: str, *, goal: str, met: bool) -> bool:
    """Print one figure beside its goal; returns whether it is met."""
    print(f"  {what:<66} {value:>14}   goal {goal:<10} {'met' if met else 'MISSED'}")
    return met
