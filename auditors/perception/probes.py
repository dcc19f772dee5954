"""Attribute probes: does a picture look more like one group or the other? Trained on the audit set, cross-fitted by unit.

A probe judges what a network dreams of, so it must see the group in pictures of people it has never seen: each picture
has a score of probes that learned without its unit, and the accuracy stated is on unseen units.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.probe_networks import fit_convnet, fit_linear
from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.noise import sample_keys

FOLDS = 3
MOST_ROWS = 1200
"""Pictures that one fit learns from at most; it is judged on all that it has not seen."""
LEAST_BALANCED_ACCURACY = 0.75

Scorer = Callable[[Pictures], NDArray[np.float64]]
"""Pictures (n, height, width, channels) in [0, 1] to logits of the second group, shape (n,)."""

Fit = Callable[[Pictures, NDArray[np.float32], NDArray[np.float32], int], Scorer]
"""(pictures, target 0 or 1, weights of mean 1, seed) to a scorer."""

PROBES: tuple[tuple[str, Fit], ...] = (("linear", fit_linear), ("convnet", fit_convnet))
"""A linear one on 8 x 8 pooled pixels, and a small adversarially trained ConvNet (METHODS section 6)."""


@dataclass(frozen=True)
class Probe:
    """One kind of probe, fitted once a fold; scores are in standard deviations of that fold's unseen real pictures.

    Attributes:
        name: "linear" or "convnet".
        balanced_accuracy: on pictures of unseen units, all class x group cells counted alike, in [0, 1].
        members: a scorer a fold.
        spreads: standard deviation of each member's logit on the real pictures of its fold.
    """

    name: str
    balanced_accuracy: float
    members: tuple[Scorer, ...]
    spreads: tuple[float, ...]

    @property
    def good(self) -> bool:
        return self.balanced_accuracy >= LEAST_BALANCED_ACCURACY

    def scores(self, pictures: Pictures) -> NDArray[np.float64]:
        """Standardised logit of every member, shape (folds, n)."""
        return np.stack([member(pictures) / spread for member, spread in zip(self.members, self.spreads, strict=True)])

    def unseen(self, pictures: Pictures, fold: NDArray[np.int64]) -> NDArray[np.float64]:
        """Standardised logit of each picture by the member that has not seen its unit, shape (n,)."""
        return self.scores(pictures)[fold, np.arange(len(pictures))]


def folds_of(unit: NDArray[np.int64], *, seed: int) -> NDArray[np.int64]:
    """Fold of each picture, shape (n,): whole units, as even as can be, in an order drawn from the seed."""
    codes, index = np.unique(unit, return_inverse=True)
    order = np.argsort(sample_keys(seed, codes, "fold"), kind="stable")
    fold = np.empty(len(codes), dtype=np.int64)
    fold[order] = np.arange(len(codes)) % FOLDS
    return fold[index.reshape(-1)]


def fit_probes(
    pictures: Pictures,
    target: NDArray[np.bool_],
    *,
    stratum: NDArray[np.int64],
    fold: NDArray[np.int64],
    ids: NDArray[np.int64],
    seed: int,
    purpose: str,
) -> list[Probe]:
    """Fit both probes of one group against another.

    Args:
        pictures: shape (n, height, width, channels), in [0, 1].
        target: whether a picture shows the second group, shape (n,), as are the following.
        stratum: class of each picture; every class x group cell weighs the same, so that a probe learns the group and
            not the class that goes with it.
        fold: from `folds_of`; every cell must occur outside each fold (see `cells_outside_every_fold`).
        ids: stable sample ids; of more than MOST_ROWS pictures a probe learns from those drawn by a hash of them.
        seed: of first weights, batches and attacks.
        purpose: what is asked; with the seed it fixes all draws.
    """
    cell = 2 * stratum + target
    order = np.argsort(sample_keys(seed, ids, "probe"), kind="stable")
    probes = []
    for name, fit in PROBES:
        members, spreads = [], []
        logits = np.zeros(len(pictures))
        for part in range(FOLDS):
            seen, held = np.sort(order[fold[order] != part][:MOST_ROWS]), fold == part
            weights = cell_weights(cell[seen]).astype(np.float32)
            member = fit(pictures[seen], target[seen].astype(np.float32), weights, _seed(seed, purpose, name, part))
            logits[held] = member(pictures[held])
            members.append(member)
            spreads.append(float(max(np.std(logits[held]), np.finfo(np.float32).tiny)))
        accuracy = balanced_accuracy(logits > 0, target, cell)
        probes.append(Probe(name, accuracy, tuple(members), tuple(spreads)))
    return probes


def _seed(seed: int, *words: str | int) -> int:
    return zlib.crc32(repr((seed, *words)).encode())


def cell_weights(cell: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights of mean 1 that give every cell that occurs the same total, shape (n,)."""
    _, index, counts = np.unique(cell, return_inverse=True, return_counts=True)
    weights = 1 / counts[index.reshape(-1)]
    return np.asarray(weights / weights.mean(), dtype=np.float64)


def balanced_accuracy(said: NDArray[np.bool_], target: NDArray[np.bool_], cell: NDArray[np.int64]) -> float:
    """Mean over class x group cells of the share of pictures told right."""
    return float(np.mean([np.mean(said[cell == one] == target[cell == one]) for one in np.unique(cell)]))


def cells_outside_every_fold(cell: NDArray[np.int64], fold: NDArray[np.int64]) -> bool:
    """Whether every cell occurs outside each fold, so that each probe has pictures of it to learn from."""
    every = len(np.unique(cell))
    return all((fold == part).any() and len(np.unique(cell[fold != part])) == every for part in range(FOLDS))
