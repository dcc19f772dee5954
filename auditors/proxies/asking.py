"""Everything that is asked of the classifier, once for all attributes: scores as they are, use, and contribution."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.protocols import Progress
from evenhand.auditors.proxies.contribution import Contributions, Part, part_of_gap, sampling_errors, shapley
from evenhand.auditors.proxies.data import ProxyData
from evenhand.auditors.proxies.groups import Contrast, contrast, widest_contrast
from evenhand.auditors.proxies.interventions import Decide, Subjects, Use, measure_use, score_rows
from evenhand.auditors.proxies.plan import REPEATS, Budget, contribution_size, use_rows
from evenhand.auditors.proxies.prepare import Prepared

PAIR_ROWS = 50_000
"""Rows of the searching half on which the pair of groups is chosen."""

Place = tuple[str, str | None]
"""An attribute, and a stratum or None for all rows."""


@dataclass(frozen=True)
class Answers:
    """What the classifier answered.

    `kept`: positions of the blocks that move any score, in the order of the contributions' last axis. `contrasts`:
    place to the contrast on the contribution rows. `influence`: attribute to the gap's change by block permuted alone,
    and `influence_error`: its standard error over rows.
    """

    use: Use
    kept: tuple[int, ...]
    contrasts: Mapping[Place, Contrast]
    contributions: Contributions
    influence: Mapping[str, NDArray[np.float64]]
    influence_error: Mapping[str, NDArray[np.float64]]
    use_rows: int
    rows: int
    pairs: int

    def gap(self, place: Place) -> float:
        return float(self.contrasts[place].difference(self.contributions.decisions.full))

    def gap_all_permuted(self, place: Place) -> float:
        return float(self.contrasts[place].difference(self.contributions.decisions.empty))

    def part(self, place: Place, blocks: Sequence[int], *, of_scores: bool = False) -> Part:
        """The blocks' part of the gap at this place, of decisions or of scores."""
        shares = self.contributions.scores if of_scores else self.contributions.decisions
        columns = [self.kept.index(block) for block in blocks if block in self.kept]
        return part_of_gap(shares, self.contrasts[place], list(self.contrasts).index(place), columns)

    def sampling_errors(self, place: Place) -> tuple[float, float]:
        """Standard errors of the least certain part of the gap of decisions here: of everything, and of the draws alone."""
        return sampling_errors(self.contributions.decisions, self.contrasts[place], list(self.contrasts).index(place))


def choose_pairs(
    prepared: Prepared, rows: NDArray[np.int64], positive: NDArray[np.float64]
) -> dict[str, tuple[str, str]]:
    """Attribute to the groups with the highest and the lowest rate of positive decisions (values at `rows`)."""
    chosen = ((groups.attribute, widest_contrast(groups, positive, rows)) for groups in prepared.groups)
    return {attribute: pair for attribute, pair in chosen if pair is not None}


def contrasts_on(
    prepared: Prepared, pairs: Mapping[str, tuple[str, str]], rows: NDArray[np.int64]
) -> dict[Place, Contrast]:
    """The contrasts that `rows` can bear, for all of them and within each stratum."""
    found: dict[Place, Contrast] = {}
    for groups in prepared.groups:
        if groups.attribute not in pairs:
            continue
        pair = pairs[groups.attribute]
        whole = contrast(groups, pair, rows)
        parts = [
            contrast(groups, pair, rows, within=stratum.rows[rows], stratum=stratum.name)
            for stratum in (*prepared.strata, *prepared.regions.get(groups.attribute, ()))
        ]
        found |= {(groups.attribute, some.stratum): some for some in (whole, *parts) if some is not None}
    return found


def ask(
    data: ProxyData,
    prepared: Prepared,
    decide: Decide,
    *,
    threshold: float,
    budget: Budget,
    rng: np.random.Generator,
    progress: Progress,
) -> Answers:
    """Choose the pairs of groups on the searching half, then permute on the estimating half."""
    search, estimate = prepared.halves.search[:PAIR_ROWS], prepared.halves.estimate
    scores = score_rows(decide, data.columns, prepared.rows[search])
    pairs = choose_pairs(prepared, search, (scores >= threshold).astype(np.float64))
    blocks = tuple(block.members for block in prepared.blocks)

    asked = estimate[: use_rows(len(estimate), len(blocks), budget)]
    use = measure_use(
        _subjects(data, prepared, decide, asked, blocks),
        threshold=threshold,
        repeats=REPEATS,
        rng=rng,
        progress=lambda fraction, message: progress(0.3 * fraction, message),
    )
    kept = tuple(int(block) for block in np.flatnonzero(use.moves))

    rows, orderings = contribution_size(len(estimate), len(kept), budget)
    contrasts = contrasts_on(prepared, pairs, estimate[:rows])
    contributions = shapley(
        _subjects(data, prepared, decide, estimate[:rows], tuple(blocks[block] for block in kept)),
        list(contrasts.values()),
        threshold=threshold,
        pairs=orderings,
        rng=rng,
        progress=lambda fraction, message: progress(0.3 + 0.7 * fraction, message),
    )
    alone = {place[0]: some for place, some in contrasts_on(prepared, pairs, asked).items() if place[1] is None}
    return Answers(
        use=use,
        kept=kept,
        contrasts=contrasts,
        contributions=contributions,
        influence={attribute: some.difference(use.influence) for attribute, some in alone.items()},
        influence_error={attribute: np.sqrt(some.variance(use.influence)) for attribute, some in alone.items()},
        use_rows=len(asked),
        rows=rows,
        pairs=orderings,
    )


def _subjects(
    data: ProxyData,
    prepared: Prepared,
    decide: Decide,
    rows: NDArray[np.int64],
    blocks: tuple[tuple[str, ...], ...],
) -> Subjects:
    taken = prepared.rows[rows]
    return Subjects(decide, {name: values[taken] for name, values in data.columns.items()}, blocks, len(rows))
