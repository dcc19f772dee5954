"""Rows with scores for tests: groups by number, scores that know something, ties where asked for."""

import numpy as np

from evenhand.auditors.scores.data import ScoreData
from evenhand.auditors.scores.grouped import GroupedScores, sort_rows


def drawn(
    n: int = 3_000, *, groups: int = 3, decimals: int | None = None, seed: int = 0, labels: bool = True
) -> ScoreData:
    """Scores in [0, 1], higher for positives; group 0 scores a little higher than the others."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n).astype(np.int32)
    label = (rng.random(n) < 0.4).astype(np.int8)
    score = 1 / (1 + np.exp(-(rng.standard_normal(n) + label + 0.4 * (group == 0) - 0.5)))
    if decimals is not None:
        score = np.round(score, decimals)
    return ScoreData(score, {"g": (group, tuple(map(str, range(groups))))}, label=label if labels else None)


def grouped(data: ScoreData) -> GroupedScores:
    return sort_rows(data).of(*data.attributes)


def of_group(data: ScoreData, group: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores of one group."""
    codes, _ = data.attributes["g"]
    assert data.label is not None
    return data.label[codes == group], data.scores[codes == group]


def doubled(data: ScoreData, rng: np.random.Generator) -> tuple[ScoreData, ScoreData]:
    """Rows with weights 1 and 2, and the same with the second kind written twice."""
    twice = rng.random(len(data.scores)) < 0.5
    index = np.concatenate([np.arange(len(twice)), np.flatnonzero(twice)])
    codes, values = data.attributes["g"]
    label = data.label
    weighted = ScoreData(data.scores, data.attributes, label=label, weight=1.0 + twice)
    repeated = ScoreData(
        data.scores[index], {"g": (codes[index], values)}, label=None if label is None else label[index]
    )
    return weighted, repeated
