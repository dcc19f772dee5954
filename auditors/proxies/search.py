"""Joint proxies: candidates searched for on one half, confirmed on the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import comb

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.proxies.columns import quantile_bins
from evenhand.auditors.proxies.encoding import Encoding, EncodingTest, decide_encodings, set_tests
from evenhand.auditors.proxies.groups import Groups
from evenhand.auditors.proxies.growth import Ground, apart, ground, grown_sets, path_sets, pruned
from evenhand.auditors.proxies.joint import (
    BINS,
    MOST_CANDIDATES,
    cell_codes,
    compared_rows,
    pair_candidates,
    triple_candidates,
)
from evenhand.auditors.proxies.prepare import Prepared
from evenhand.auditors.proxies.quadruples import affordable_rows, quadruple_candidates

SOURCES = 4
"""Pairs, triples, quadruples, and sets that are grown or lie on a tree's path: they share alpha equally."""

TREE_SEED = 0
"""The forest only proposes; one seed gives the same sets for the same rows."""

FIVE = "A parity of five or more features, of which no part shows, is not searched for and would not be found."

Members = tuple[int, ...]


@dataclass(frozen=True)
class JointSet:
    """Blocks (by position) that encode the attribute together and not alone."""

    blocks: tuple[int, ...]
    encoding: Encoding


@dataclass(frozen=True)
class Found:
    """Confirmed sets; for the leakage model the cells of every candidate: codes of shape (m,), and how many.

    `notes`: what was not searched.
    """

    sets: tuple[JointSet, ...]
    cells: tuple[tuple[NDArray[np.int32], int], ...]
    notes: tuple[str, ...] = ()


def find_sets(
    prepared: Prepared, groups: Groups, encodings: Mapping[str, Encoding], searched: Sequence[int], *, level: float
) -> Found:
    """Sets of two to six of the `searched` blocks.

    Args:
        encodings: unit to what it says alone.
        searched: positions of the blocks to combine.
        level: of all confirmations together; the four sources share its alpha.

    A member that encodes alone makes no joint proxy, but its pairs go to the leakage model. A set that holds a smaller
    confirmed one is not reported.
    """
    cells = [quantile_bins(prepared.blocks[block].column, BINS) for block in searched]
    quiet = [place for place, block in enumerate(searched) if not any_encodes(prepared, encodings, block)]
    look = _Look(prepared, groups, cells, tuple(quiet), 1 - (1 - level) / SOURCES)
    pairs = [candidate.features for candidate in pair_candidates(cells, groups, prepared.halves.search)]
    quiet_pairs = [features for features in pairs if set(features) <= set(quiet)][:MOST_CANDIDATES]
    confirmed = look.confirmed(quiet_pairs, looked_at=comb(len(quiet), 2))
    triples = look.triples(confirmed)
    confirmed |= look.confirmed(triples, looked_at=comb(len(quiet), 3))
    fours = look.quadruples(confirmed)
    confirmed |= look.confirmed(fours, looked_at=comb(len(quiet), 4))
    grown = look.grown([*quiet_pairs, *triples], confirmed)
    confirmed |= look.confirmed(grown, looked_at=0)
    candidates = dict.fromkeys((*pairs[:MOST_CANDIDATES], *quiet_pairs, *triples, *fours, *grown))
    return Found(
        tuple(
            JointSet(tuple(searched[place] for place in features), encoding) for features, encoding in confirmed.items()
        ),
        tuple(cell_codes(cells, features, rows=look.rows) for features in candidates),
        look.notes(),
    )


def encode_together(
    prepared: Prepared, groups: Groups, sets: Sequence[Members], *, level: float
) -> dict[Members, Encoding]:
    """What given sets of blocks encode on the estimating half, Holm over all of them; a set without two groups is left out.

    Args:
        groups: perhaps of one stratum, with every other row left out.
    """
    tests = []
    rows = len(compared_rows(groups, prepared.halves.estimate))
    for place, blocks in enumerate(sets):
        tests += set_tests(
            str(place), *set_codes(prepared, blocks, rows=rows), groups, prepared.halves.estimate, prepared.folds
        )
    decided = decide_encodings(tests, level=level)
    return {blocks: decided[str(place)] for place, blocks in enumerate(sets) if str(place) in decided}


def set_codes(prepared: Prepared, blocks: Members, *, rows: int) -> tuple[NDArray[np.int32], int]:
    """`cell_codes` of the blocks over the sample, shape (m,)."""
    cells = [quantile_bins(prepared.blocks[block].column, BINS) for block in blocks]
    return cell_codes(cells, range(len(cells)), rows=rows)


def any_encodes(prepared: Prepared, encodings: Mapping[str, Encoding], block: int) -> bool:
    """Whether a member of the block encodes the attribute."""
    return any(name in encodings and encodings[name].encodes for name in prepared.units_of(block))


@dataclass(frozen=True)
class _Look:
    """Where is looked: cells of the searched blocks, and those (by place) that do not encode alone."""

    prepared: Prepared
    groups: Groups
    cells: Sequence[NDArray[np.uint8]]
    quiet: Members
    level: float

    @cached_property
    def rows(self) -> int:
        """Rows on which sets are confirmed."""
        return len(compared_rows(self.groups, self.prepared.halves.estimate))

    @property
    def quiet_cells(self) -> list[NDArray[np.uint8]]:
        return [self.cells[place] for place in self.quiet]

    def triples(self, known: Mapping[Members, Encoding]) -> list[Members]:
        pairs = [(self.quiet.index(pair[0]), self.quiet.index(pair[1])) for pair in known]
        found = triple_candidates(self.quiet_cells, self.groups, self.prepared.halves.search, known=pairs)
        return self._placed(self._without_spares([candidate.features for candidate in found]))

    def quadruples(self, known: Mapping[Members, Encoding]) -> list[Members]:
        inside = [tuple(self.quiet.index(place) for place in features) for features in known]
        found = quadruple_candidates(self.quiet_cells, self.groups, self.prepared.halves.search, known=inside)
        return self._placed(self._without_spares([candidate.features for candidate in found]))

    def grown(self, starts: Sequence[Members], known: Mapping[Members, Encoding]) -> list[Members]:
        """Sets of unknown number are looked at, so that they need rows of their own to be confirmed on."""
        if not self.prepared.halves.apart or len(self.quiet) < 2:
            return []
        on = self._ground()
        inside = [tuple(self.quiet.index(place) for place in start) for start in starts if start not in known]
        found = apart(on, [*grown_sets(on, inside), *path_sets(on, seed=TREE_SEED)])
        return [one for one in self._placed(found) if not any(set(some) <= set(one) for some in known)]

    def confirmed(self, candidates: Sequence[Members], *, looked_at: int) -> dict[Members, Encoding]:
        """Candidates that encode on the estimating half, each by the rates of its cells."""
        by_name = {",".join(map(str, features)): features for features in candidates}
        tests = [test for name, features in by_name.items() for test in self._tests(name, features)]
        # on the same rows every set that was looked at counts, not the candidates alone
        family = 0 if self.prepared.halves.apart else looked_at * len(self.groups.tested)
        decided = decide_encodings(tests, level=self.level, family=family)
        return {
            features: decided[name] for name, features in by_name.items() if name in decided and decided[name].encodes
        }

    def notes(self) -> tuple[str, ...]:
        said = []
        if len(self.quiet) >= 4 and not affordable_rows(len(self.quiet), len(self.groups.tested)):
            said.append(
                f"{self.groups.attribute}: a parity of four among the {len(self.quiet)} features that do not encode "
                "alone was not searched for, since they are too many: fours were found only where a part of them shows."
            )
        if len(self.quiet) >= 5:
            said.append(FIVE)
        return tuple(said)

    def _ground(self) -> Ground:
        return ground(self.quiet_cells, self.groups, self.prepared.halves.search, self.prepared.folds)

    def _without_spares(self, found: Sequence[Members]) -> list[Members]:
        """Sets of which every member is needed: with a spare one a chance find would ride on a smaller set."""
        on = self._ground() if found else None
        return [features for features in found if on is not None and pruned(on, features) == tuple(sorted(features))]

    def _placed(self, found: Sequence[Members]) -> list[Members]:
        return [tuple(self.quiet[i] for i in features) for features in found]

    def _tests(self, name: str, features: Members) -> list[EncodingTest]:
        codes, levels = cell_codes(self.cells, features, rows=self.rows)
        return set_tests(name, codes, levels, self.groups, self.prepared.halves.estimate, self.prepared.folds)
