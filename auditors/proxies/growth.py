"""Sets of any shape up to six features, grown on the searching half: one feature after another, or along a tree's paths.

No exhaustive search: it finds what shows itself step by step. Parities belong in `joint` and `quadruples`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.proxies.encoding import ENCODES, category_areas
from evenhand.auditors.proxies.groups import Groups
from evenhand.auditors.proxies.joint import MOST_CANDIDATES, cell_codes, compared_rows
from evenhand.auditors.ranks import Auc

LARGEST = 6
GROWTH_ROWS = 10_000
GROWTH_FEATURES = 40
STARTS = 6
GROUPS = 5
STEP_ERRORS = 2.0
"""A feature is added where the area rises by so many standard errors."""

TREES = 20
TREE_DEPTH = 4
PATHS = 40

Members = tuple[int, ...]


@dataclass(frozen=True)
class Ground:
    """Rows of the searching half on which sets are tried: cells, groups and folds at those rows alone."""

    cells: tuple[NDArray[np.uint8], ...]
    codes: NDArray[np.int32]
    tested: tuple[int, ...]
    folds: NDArray[np.int8]

    def area(self, features: Members) -> Auc:
        """The area furthest from .5 of the set's cross-fitted cells, over the groups."""
        codes, levels = cell_codes(self.cells, features, rows=len(self.codes))
        members = [np.flatnonzero(self.codes == group) for group in self.tested]
        return max(category_areas(codes, levels, slice(None), members, self.folds), key=lambda auc: auc.area)


def ground(
    cells: Sequence[NDArray[np.uint8]], groups: Groups, rows: NDArray[np.int64], folds: NDArray[np.int8]
) -> Ground:
    """At most 10,000 rows of compared groups, and the five largest groups."""
    kept = compared_rows(groups, rows)[:GROWTH_ROWS]
    codes = groups.take(kept)
    sizes = np.bincount(codes, minlength=len(groups.names))
    tested = sorted(sorted(groups.tested, key=lambda group: -sizes[group])[:GROUPS])
    return Ground(tuple(cell[kept] for cell in cells), codes, tuple(tested), folds[kept])


def grown_sets(on: Ground, starts: Iterable[Members]) -> list[Members]:
    """Sets grown from the starts and from the strongest single features, that encode on these rows.

    A start of several features that encodes already is left alone: sets are reported as small as they are found.
    """
    alone = {feature: on.area((feature,)).area for feature in range(len(on.cells))}
    strongest = sorted(alone, key=lambda feature: -alone[feature])[:GROWTH_FEATURES]
    begin = [start for start in starts if len(start) > 1 and on.area(start).area < ENCODES][:STARTS]
    begin += [(feature,) for feature in strongest[:STARTS]]
    grown = [pruned(on, _grown(on, start, strongest)) for start in begin]
    return _encoding(on, grown)


def path_sets(on: Ground, *, seed: int) -> list[Members]:
    """Features on one path of a tree of a small random forest for the attribute, that encode together on these rows."""
    from sklearn.ensemble import RandomForestClassifier

    if len(on.cells) < 2 or len(np.unique(on.codes)) < 2:
        return []
    forest: Any = RandomForestClassifier(
        n_estimators=TREES, max_depth=TREE_DEPTH, min_samples_leaf=20, random_state=seed, n_jobs=1
    )
    forest.fit(np.stack(on.cells, axis=1), on.codes)
    weights: dict[Members, float] = {}
    for tree in forest.estimators_:
        for members, gain in _paths(tree.tree_):
            weights[members] = weights.get(members, 0.0) + gain
    heaviest = sorted(weights, key=lambda members: (-weights[members], members))[:PATHS]
    return _encoding(on, [pruned(on, members) for members in heaviest if on.area(members).area >= ENCODES])


def pruned(on: Ground, members: Members) -> Members:
    """Without the features that the area can spare; pairs are left as they are."""
    reached = on.area(members)
    for feature in members:
        rest = tuple(other for other in members if other != feature)
        if len(members) > 2 and reached.area - on.area(rest).area < STEP_ERRORS * reached.error:
            return pruned(on, rest)
    return tuple(sorted(members))


def apart(on: Ground, sets: Iterable[Members]) -> list[Members]:
    """The strongest sets of which no two share more than one member: variations on one set would say it many times."""
    chosen: list[Members] = []
    for members in _encoding(on, sets):
        if all(len(set(members) & set(other)) <= 1 for other in chosen):
            chosen.append(members)
    return chosen


def _grown(on: Ground, start: Members, features: Sequence[int]) -> Members:
    members, reached = start, on.area(start)
    while len(members) < LARGEST:
        tried = {feature: on.area((*members, feature)) for feature in features if feature not in members}
        if not tried:
            break
        best = max(tried, key=lambda feature: tried[feature].area)
        if tried[best].area - reached.area <= STEP_ERRORS * reached.error:
            break
        members, reached = (*members, best), tried[best]
    return members


def _encoding(on: Ground, sets: Iterable[Members]) -> list[Members]:
    areas = {members: on.area(members).area for members in dict.fromkeys(sets) if len(members) > 1}
    reach = [members for members, area in areas.items() if area >= ENCODES]
    return sorted(reach, key=lambda members: -areas[members])[:MOST_CANDIDATES]


def _paths(tree: Any) -> Iterator[tuple[Members, float]]:
    """Distinct features from the root to each leaf, with the rows of the leaf times how pure it is."""

    def down(node: int, above: frozenset[int]) -> Iterator[tuple[Members, float]]:
        left = int(tree.children_left[node])
        if left < 0:
            purity = float(tree.impurity[0] - tree.impurity[node])
            if len(above) > 1:
                yield tuple(sorted(above)), purity * float(tree.weighted_n_node_samples[node])
            return
        inside = above | {int(tree.feature[node])}
        yield from down(left, inside)
        yield from down(int(tree.children_right[node]), inside)

    yield from down(0, frozenset())
