"""Areas within and across 20 groups for 1,000,000 scores, sorted and counted in bins, beside scikit-learn in a loop.

ABROCA, the threshold sweep and a whole audit of scores follow.

Run: OMP_NUM_THREADS=1 python -m benchmarks.scores
"""

import sys

import numpy as np
import pyarrow as pa
from benchmarks.clock import say, seconds
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve

from evenhand.auditors.policy import Policy
from evenhand.auditors.scores import curves
from evenhand.auditors.scores.areas import Areas, areas
from evenhand.auditors.scores.audit import audit_scores
from evenhand.auditors.scores.data import ScoreData
from evenhand.auditors.scores.grouped import sort_rows
from evenhand.auditors.scores.sweep import Sweep, sweep, thresholds_of
from evenhand.datasets.counting.asked import Asked
from evenhand.datasets.counting.chunks import ROWS_A_CHUNK, Chunks
from evenhand.datasets.counting.streaming import count_chunks

ROWS, GROUPS = 1_000_000, 20
LOOPED = 40
"""Of the 400 areas, what scikit-learn computes here; its time is taken times ten."""

Floats = NDArray[np.float64]


def main() -> int:
    data = _rows(ROWS, GROUPS)
    label, (group, _) = np.asarray(data.label), data.attributes["group"]
    pairs = [(i, j) for i in range(GROUPS) for j in range(GROUPS)]
    sample = pairs[:: len(pairs) // LOOPED]

    def loop() -> list[float]:
        positives = {g: data.scores[(group == g) & (label == 1)] for g in range(GROUPS)}
        negatives = {g: data.scores[(group == g) & (label == 0)] for g in range(GROUPS)}
        return [_scikit_learn(positives[i], negatives[j]) for i, j in sample]

    theirs = seconds(loop, times=1) * len(pairs) / len(sample)
    exact = seconds(lambda: _areas(data), times=5)
    rows = _table(data)
    counting = seconds(lambda: _counted(rows), times=5)
    counts = _counted(rows)
    from_counts = seconds(lambda: _areas(counts), times=5)
    truth, by_bins, looped = _areas(data), _areas(counts), loop()
    off = max(abs(truth.area[i, j] - area) for (i, j), area in zip(sample, looped, strict=True))
    within = bool(np.all(np.abs(truth.area - by_bins.area) <= by_bins.bound + 1e-12))
    binned = counting + from_counts

    print(f"\nScores: {ROWS:,} rows, {GROUPS} groups, {len(pairs)} areas within and across")
    print(f"  {'scikit-learn roc_auc_score in a loop (areas alone)':<66} {theirs:>12.3f} s")
    print(f"  {'evenhand, rows sorted, with DeLong errors':<66} {exact:>12.3f} s")
    print(f"  {'evenhand, rows counted in fixed bins, as of a large file':<66} {counting:>12.3f} s")
    print(
        f"  {f'evenhand, areas of these {len(counts.scores):,} counts, with DeLong errors':<66} {from_counts:>12.3f} s"
    )
    print(f"  {'sorted against scikit-learn, largest difference':<66} {off:>14.1e}")
    print(f"  {'counted: the most that bins can change, largest':<66} {by_bins.bound.max():>14.1e}")
    print(f"  {'counted against sorted, largest difference':<66} {np.abs(truth.area - by_bins.area).max():>14.1e}")
    met = [
        say("sorted, times faster", f"{theirs / exact:,.1f} times", goal="8 times", met=theirs >= 8 * exact),
        say("counted, times faster", f"{theirs / binned:,.1f} times", goal="100 times", met=theirs >= 100 * binned),
        say("areas of counts are within their bound", str(within), goal="True", met=within),
    ]
    _beside(data)
    small = _two_attributes(50_000)
    whole = seconds(lambda: _audit(small), times=5)
    met.append(
        say(
            "whole audit of scores, 50,000 rows, 2 attributes and both", f"{whole:.2f} s", goal="0.5 s", met=whole < 0.5
        )
    )
    return 0 if all(met) else 1


def _beside(data: ScoreData) -> None:
    """ABROCA of all pairs and the sweep, without and with the one sort that they share."""
    sort = seconds(lambda: sort_rows(data).of("group"), times=3)
    grouped = sort_rows(data).of("group")
    abroca = seconds(lambda: _abroca(data), times=1)
    theirs = seconds(lambda: _abroca_on_a_grid(data), times=1)
    swept = seconds(lambda: _sweep(data), times=3)
    print(f"  {'the one sort, laid out by group (part of each below)':<66} {sort:>12.3f} s")
    print(f"  {'ABROCA, 190 pairs, exact':<66} {abroca:>12.3f} s")
    print(f"  {'ABROCA, 190 pairs, scikit-learn curves on a grid of 10,000':<66} {theirs:>12.3f} s")
    print(f"  {f'threshold sweep, 100 thresholds x {len(grouped.groups)} groups':<66} {swept:>12.3f} s")


def _areas(data: ScoreData) -> Areas:
    return areas(sort_rows(data).of("group"))


def _table(data: ScoreData) -> pa.Table:
    """The rows as a file's batches hold them: groups as dictionary codes."""
    group, values = data.attributes["group"]
    names = pa.DictionaryArray.from_arrays(pa.array(group), pa.array(values))
    return pa.table({"group": names, "label": pa.array(data.label), "score": pa.array(data.scores)})


def _counted(rows: pa.Table) -> ScoreData:
    """Rows counted chunk by chunk, each bin's score in the middle of what lies in it."""
    types = dict(zip(rows.column_names, rows.schema.types, strict=True))
    chunks = Chunks("Arrow", tuple(types), types, iter(rows.to_batches(ROWS_A_CHUNK)))
    asked = Asked(("group", "label"), score="score", histogram=("group", "label"))
    found = count_chunks(chunks, asked, name="rows.arrow", sha256="").scores
    assert found is not None
    group, label = (found.table.groups(name) for name in ("group", "label"))
    return ScoreData(
        (found.lowest + found.highest) / 2,
        {"group": (group.codes, group.values)},
        np.array(label.values).astype(np.int8)[label.codes],
        times=found.table.times,
        reach=(found.highest - found.lowest) / 2,
    )


def _scikit_learn(positives: Floats, negatives: Floats) -> float:
    truth = np.concatenate([np.ones(len(positives)), np.zeros(len(negatives))])
    return float(roc_auc_score(truth, np.concatenate([positives, negatives])))


def _abroca(data: ScoreData) -> list[float]:
    grouped = sort_rows(data).of("group")
    found = [curves.roc_curve(grouped, g) for g in range(len(grouped.groups))]
    return [
        curves.area_between(one, other)
        for i, one in enumerate(found)
        for other in found[:i]
        if one is not None and other is not None
    ]


def _abroca_on_a_grid(data: ScoreData) -> list[float]:
    (group, values), label = data.attributes["group"], np.asarray(data.label)
    grid = np.linspace(0, 1, 10_000)
    heights = [np.interp(grid, *roc_curve(label[group == g], data.scores[group == g])[:2]) for g in range(len(values))]
    return [float(np.abs(one - other).mean()) for i, one in enumerate(heights) for other in heights[:i]]


def _sweep(data: ScoreData) -> Sweep:
    rows = sort_rows(data)
    return sweep(rows.of("group"), thresholds_of(rows.of()), favourable_is_positive=True)


def _audit(data: ScoreData) -> None:
    audit_scores(data, policy=Policy(), family_level=0.95, threshold=0.5, rng=np.random.default_rng(0))


def _rows(n: int, groups: int) -> ScoreData:
    """Logistic scores that know something of the label; groups of about equal size."""
    rng = np.random.default_rng(0)
    label = (rng.random(n) < 0.4).astype(np.int8)
    scores = 1 / (1 + np.exp(-(rng.standard_normal(n) + label)))
    return ScoreData(
        scores, {"group": (rng.integers(0, groups, n).astype(np.int32), tuple(f"{i:02}" for i in range(groups)))}, label
    )


def _two_attributes(n: int) -> ScoreData:
    rng = np.random.default_rng(1)
    one = _rows(n, 2)
    sex, race = rng.integers(0, 2, n), rng.integers(0, 5, n)
    return ScoreData(one.scores, {"sex": (sex, ("a", "b")), "race": (race, tuple("vwxyz"))}, one.label)


if __name__ == "__main__":
    sys.exit(main())
