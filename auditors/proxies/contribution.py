"""Whose gap it is: Shapley values of the group gap over blocks, with intervals.

Whether that makes a proxy belongs to `roles`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.protocols import Progress
from evenhand.auditors.proxies.groups import Contrast
from evenhand.auditors.proxies.interventions import Subjects, checked_scores, orderings

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shares:
    """What each block adds to each row's outcome, and the ends between which the parts lie.

    `by_row`: shape (m, blocks), its sum over blocks is `full` - `empty`. `by_pair`: shape (pairs, contrasts, blocks),
    the gap's parts by each antithetic pair of orderings alone. `row_variance`: shape (contrasts, blocks), over rows, of the
    parts by one pair, the mean over pairs. `full`, `empty`: shape (m,), the outcome as it is, and
    its mean with everything permuted.
    """

    by_row: Floats
    by_pair: Floats
    row_variance: Floats
    full: Floats
    empty: Floats


@dataclass(frozen=True)
class Part:
    """A part of a gap: the estimate and its standard error."""

    estimate: float
    error: float

    def bounds(self, level: float) -> tuple[float, float]:
        """Two-sided interval at `level`."""
        margin = NormalDist().inv_cdf((1 + level) / 2) * self.error
        return self.estimate - margin, self.estimate + margin


@dataclass(frozen=True)
class Contributions:
    """Shapley values of decisions and of scores."""

    decisions: Shares
    scores: Shares


def shapley(
    subjects: Subjects,
    contrasts: Sequence[Contrast],
    *,
    threshold: float,
    pairs: int,
    rng: np.random.Generator,
    progress: Progress,
) -> Contributions:
    """Shapley values over blocks of every row's outcome, absent blocks permuted across rows.

    Args:
        subjects: rows and blocks; a block that never moves a score is better left out.
        contrasts: for which the spread over orderings is kept; positions are rows of `subjects`.
        threshold: decision = score >= threshold.
        pairs: antithetic pairs of orderings, one draw of permutations each.

    The parts of any gap, which is linear in the outcomes, sum to its value less its value with all blocks permuted.

    Source: Shapley (1953); permutation sampling, Castro, Gomez and Tejada (2009); antithetic, Mitchell et al. (2022).
    """
    blocks = len(subjects.blocks)
    scores = checked_scores(subjects.decide, subjects.columns, subjects.rows)
    outcomes = np.stack([(scores >= threshold).astype(np.float64), scores])
    total = np.zeros((2, subjects.rows, blocks))
    empty = np.zeros((2, subjects.rows))
    spread = np.zeros((2, pairs, len(contrasts), blocks))
    row_variance = np.zeros((2, len(contrasts), blocks))
    for index, both in enumerate(orderings(blocks, pairs, rng)):
        draw = subjects.draw(rng)
        parts = np.zeros((2, subjects.rows, blocks))
        for order in both:
            before = outcomes
            for block, permuted in zip(order, draw.scores(_growing(order)), strict=True):
                after = np.stack([(permuted >= threshold).astype(np.float64), permuted])
                parts[:, :, block] += (before - after) / 2
                before = after
            empty += before / (2 * pairs)
        for kind in range(2):
            for place, contrast in enumerate(contrasts):
                spread[kind, index, place] = contrast.difference(parts[kind])
                row_variance[kind, place] += contrast.variance(parts[kind]) / pairs
        total += parts / pairs
        progress((index + 1) / pairs, "sharing the gap among the features")
    return Contributions(
        *(Shares(total[kind], spread[kind], row_variance[kind], outcomes[kind], empty[kind]) for kind in range(2))
    )


def part_of_gap(shares: Shares, contrast: Contrast, place: int, blocks: Sequence[int]) -> Part:
    """The blocks' part of the contrast's gap; the error is over rows, permutations and orderings.

    Args:
        place: position of the contrast among those `shares` was made with.
        blocks: whose parts are summed; none of them: no part.
    """
    if not blocks:
        return Part(0.0, 0.0)
    by_row = shares.by_row[:, list(blocks)].sum(axis=1)
    by_pair = shares.by_pair[:, place, list(blocks)].sum(axis=1)
    rows, draws = float(contrast.variance(by_row)), float(by_pair.var(ddof=1)) / len(by_pair)
    known = _noise(shares, rows, place, blocks[0]) if len(blocks) == 1 else 0.0
    return Part(float(contrast.difference(by_row)), float(np.sqrt(rows + max(0.0, draws - known))))


def sampling_errors(shares: Shares, contrast: Contrast, place: int) -> tuple[float, float]:
    """Standard errors of the least certain block's part of the contrast's gap: of all that was drawn, and of the draws.

    The first is that of `part_of_gap`; the second is over orderings and permutations alone: what another draw would move
    on the same rows. (0, 0) where no block moves a score.
    """
    by_pair = shares.by_pair[:, place]
    if not by_pair.size:
        return 0.0, 0.0
    errors = [part_of_gap(shares, contrast, place, [block]).error for block in range(by_pair.shape[1])]
    widest = int(np.argmax(errors))
    return errors[widest], float(np.sqrt(by_pair[:, widest].var(ddof=1) / len(by_pair)))


def _noise(shares: Shares, of_mean: float, place: int, block: int) -> float:
    """The permutations' part of the variance over rows of the mean over pairs, `of_mean`.

    Permutations differ from row to row, so that they are in both variances; orderings are the same for all rows, and
    in that of the draws alone. What one pair's rows vary by beyond the mean's, over pairs - 1, is the permutations'.
    Of several blocks together it is not known, and counts twice: their error is rather too large.
    """
    return max(0.0, float(shares.row_variance[place, block]) - of_mean) / (len(shares.by_pair) - 1)


def _growing(order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Coalitions in which one block after another is permuted, shape (blocks, blocks); the last has all."""
    absent = np.zeros((len(order), len(order)), bool)
    for step, block in enumerate(order):
        absent[step:, block] = True
    return absent
