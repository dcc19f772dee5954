"""Joint proxies: candidates searched for on one half, confirmed on the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.proxies.columns import quantile_bins
from evenhand.auditors.proxies.encoding import Encoding, EncodingTest, category_areas, decide_encodings
from evenhand.auditors.proxies.groups import Groups
from evenhand.auditors.proxies.joint import BINS, MOST_CANDIDATES, cell_codes, pair_candidates, triple_candidates
from evenhand.auditors.proxies.prepare import Prepared


@dataclass(frozen=True)
class JointSet:
    """Blocks (by position) that encode the attribute together and not alone."""

    blocks: tuple[int, ...]
    encoding: Encoding


@dataclass(frozen=True)
class Found:
    """Confirmed sets, and for the leakage model the cells of every candidate: codes of shape (m,), and how many."""

    sets: tuple[JointSet, ...]
    cells: tuple[tuple[NDArray[np.int32], int], ...]


def find_sets(
    prepared: Prepared, groups: Groups, encodings: Mapping[str, Encoding], searched: Sequence[int], *, level: float
) -> Found:
    """Pairs and triples of the `searched` blocks.

    Args:
        encodings: unit to what it says alone.
        searched: positions of the blocks to combine.
        level: of all confirmations together; pairs and triples share its alpha.

    A member that encodes alone makes no joint proxy, but its pairs go to the leakage model.
    """
    cells = [quantile_bins(prepared.blocks[block].column, BINS) for block in searched]
    quiet = [place for place, block in enumerate(searched) if not any_encodes(prepared, encodings, block)]
    pairs = [candidate.features for candidate in pair_candidates(cells, groups, prepared.halves.search)]
    quiet_pairs = [features for features in pairs if set(features) <= set(quiet)][:MOST_CANDIDATES]
    half = (1 + level) / 2
    of_pairs = _confirmed(prepared, groups, cells, quiet_pairs, level=half, looked_at=comb(len(quiet), 2))
    found = triple_candidates(
        [cells[place] for place in quiet],
        groups,
        prepared.halves.search,
        known=[(quiet.index(pair[0]), quiet.index(pair[1])) for pair in of_pairs],
    )
    triples = [tuple(quiet[i] for i in candidate.features) for candidate in found]
    of_triples = _confirmed(prepared, groups, cells, triples, level=half, looked_at=comb(len(quiet), 3))
    candidates = dict.fromkeys((*pairs[:MOST_CANDIDATES], *quiet_pairs, *triples))
    return Found(
        tuple(
            JointSet(tuple(searched[place] for place in features), encoding)
            for features, encoding in (of_pairs | of_triples).items()
        ),
        tuple(cell_codes(cells, features) for features in candidates),
    )


def any_encodes(prepared: Prepared, encodings: Mapping[str, Encoding], block: int) -> bool:
    """Whether a member of the block encodes the attribute."""
    names = {prepared.unit_of[member] for member in prepared.blocks[block].members}
    return any(name in encodings and encodings[name].encodes for name in names)


def _confirmed(
    prepared: Prepared,
    groups: Groups,
    cells: Sequence[NDArray[np.uint8]],
    candidates: Sequence[tuple[int, ...]],
    *,
    level: float,
    looked_at: int,
) -> dict[tuple[int, ...], Encoding]:
    """Candidates that encode on the estimating half, each by the rates of its cells."""
    by_name = {",".join(map(str, features)): features for features in candidates}
    tests = [test for name, features in by_name.items() for test in _tests(prepared, groups, name, cells, features)]
    # on the same rows every set that was looked at counts, not the candidates alone
    family = 0 if prepared.halves.apart else looked_at * len(groups.tested)
    decided = decide_encodings(tests, level=level, family=family)
    return {features: decided[name] for name, features in by_name.items() if decided[name].encodes}


def _tests(
    prepared: Prepared, groups: Groups, name: str, cells: Sequence[NDArray[np.uint8]], features: tuple[int, ...]
) -> list[EncodingTest]:
    codes, levels = cell_codes(cells, features)
    rows = prepared.halves.estimate
    compared = rows[groups.take(rows) >= 0]
    members = [compared[groups.take(compared) == group] for group in groups.tested]
    areas = category_areas(codes, levels, compared, members, prepared.folds)
    return [
        EncodingTest(name, groups.names[group], "category", area)
        for group, area in zip(groups.tested, areas, strict=True)
    ]
