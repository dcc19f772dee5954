"""Sets of features that give the attribute away together though no member does alone.

Confirming them belongs to `encoding`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.proxies.groups import Groups

BINS = 8
MOST_CANDIDATES = 20
FAMILY_ALPHA = 0.05
PAIR_OPERATIONS = 3e11
"""Multiplications for all pairs at most: some seconds on one core."""

TRIPLE_WORDS = 200_000_000
"""64-bit words for all triples at most."""

CHUNK_ROWS = 16_384
CELL_ROWS = 10


@dataclass(frozen=True)
class Candidate:
    """Indices of features that are suspect together, and how far beyond the threshold (1 is the threshold)."""

    features: tuple[int, ...]
    excess: float


def pair_tables(
    cells: Sequence[NDArray[np.uint8]], groups: NDArray[np.int32], *, n_groups: int, bins: int = BINS
) -> NDArray[np.float32]:
    """Rows by group and the cells of every two features, shape (n_groups, p, bins, p, bins)."""
    p, n = len(cells), len(groups)
    tables = np.zeros((n_groups, p * bins, p * bins), np.float32)
    for start in range(0, n, CHUNK_ROWS):
        chunk = slice(start, start + CHUNK_ROWS)
        indicators = np.zeros((len(groups[chunk]), p * bins), np.float32)
        for i, codes in enumerate(cells):
            indicators[np.arange(len(indicators)), i * bins + codes[chunk].astype(np.int64)] = 1
        for group in range(n_groups):
            of_group = indicators[groups[chunk] == group]
            tables[group] += of_group.T @ of_group
    return tables.reshape(n_groups, p, bins, p, bins)


def pair_rows(features: int) -> int:
    """Rows on which the tables of all pairs of so many features are affordable."""
    limit = int(PAIR_OPERATIONS / (2 * (max(1, features) * BINS) ** 2))
    return max(1_000, min(limit, 100_000))


def pair_information(
    cells: Sequence[NDArray[np.uint8]], groups: NDArray[np.int32], *, n_groups: int, bins: int = BINS
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Interaction information of all pairs with the attribute: I(A; both) - I(A; one) - I(A; other), in nats.

    Args:
        cells: p features as codes in [0, bins), each of shape (n,).
        groups: codes of shape (n,) in [0, n_groups); no row is left out here.

    Returns:
        Two matrices of shape (p, p): the information, and the degrees of freedom of 2 n I under independence.
        Positive: together they say more than the sum; negative: they say the same. The diagonal means nothing.

    All tables come from one product of indicator matrices a group, so that 1,225 pairs cost as much as a handful.
    """
    n = len(groups)
    by_pair = pair_tables(cells, groups, n_groups=n_groups, bins=bins)
    group_sizes = np.bincount(groups, minlength=n_groups).astype(np.float64)
    # group by group: the tables of many groups in double precision would not fit
    both = sum(
        (_sum_x_log_x(of_group.astype(np.float64), (1, 3)) for of_group in by_pair),
        start=-_sum_x_log_x(by_pair.sum(axis=0, dtype=np.float64), (1, 3)),
    )
    own_by_group = np.einsum("gibib->gib", by_pair).astype(np.float64)
    own = own_by_group.sum(axis=0)
    alone = _sum_x_log_x(own_by_group, (0, 2)) - _sum_x_log_x(own, (1,))
    constant = float(_sum_x_log_x(group_sizes, (0,))) - n * np.log(max(n, 1))
    # n I(A; X) = sum n_ax log n_ax - sum n_x log n_x - sum n_a log n_a + n log n
    information = (both - constant) - (alone[:, None] - constant) - (alone[None, :] - constant)
    steps = (own > 0).sum(axis=1) - 1
    freedom = steps[:, None] * steps[None, :] * (int((group_sizes > 0).sum()) - 1)
    return information / max(n, 1), freedom


def pair_candidates(
    cells: Sequence[NDArray[np.uint8]],
    groups: Groups,
    rows: NDArray[np.int64],
    *,
    bins: int = BINS,
    looks: int = 1,
) -> list[Candidate]:
    """Pairs whose information passes a chi-squared threshold, Bonferroni over all pairs, strongest first.

    Args:
        looks: in how many places the same pairs are looked at; Bonferroni is over those as well.
    """
    from scipy.stats import chi2

    p = len(cells)
    if p < 2:
        return []
    kept = compared_rows(groups, rows)[: pair_rows(p)]
    information, freedom = pair_information(
        [codes[kept] for codes in cells], groups.take(kept), n_groups=len(groups.names), bins=bins
    )
    pairs = looks * p * (p - 1) // 2
    threshold = chi2.ppf(1 - FAMILY_ALPHA / pairs, np.maximum(freedom, 1)) / (2 * max(1, len(kept)))
    excess = np.where(freedom > 0, information / threshold, 0.0)
    found = [Candidate((i, j), float(excess[i, j])) for i, j in combinations(range(p), 2) if excess[i, j] > 1]
    return sorted(found, key=lambda candidate: -candidate.excess)


def triple_candidates(
    cells: Sequence[NDArray[np.uint8]],
    groups: Groups,
    rows: NDArray[np.int64],
    *,
    known: Iterable[tuple[int, int]] = (),
    looks: int = 1,
) -> list[Candidate]:
    """Triples of halved features whose parity follows the attribute, by packed bits, strongest first.

    A parity of three is invisible in every single feature and every pair. Triples with a `known` pair are left out.
    `looks`: in how many places the same triples are looked at.
    """
    from scipy.stats import norm

    p = len(cells)
    kept = compared_rows(groups, rows)
    if p < 3 or len(kept) < 64:
        return []
    triples = p * (p - 1) * (p - 2) // 6
    kept = kept[: min(100_000, max(640, 64 * (TRIPLE_WORDS // (triples * len(groups.tested)))))]
    signs = np.stack([halved(codes[kept]) for codes in cells])
    threshold = float(norm.isf(FAMILY_ALPHA / (2 * looks * triples * len(groups.tested)))) * np.sqrt(len(kept))
    pairs = set(known)
    best: dict[tuple[int, ...], float] = {}
    for group in groups.tested:
        of_group = groups.take(kept) == group
        for triple in _parities_beyond(signs, of_group, threshold):
            if pairs.isdisjoint(combinations(triple, 2)):
                strength = parity_strength(signs, of_group, triple) / threshold
                best[triple] = max(best.get(triple, 0.0), strength)
    found = [Candidate(triple, excess) for triple, excess in best.items() if excess > 1]
    return sorted(found, key=lambda candidate: -candidate.excess)[:MOST_CANDIDATES]


def cell_codes(
    cells: Sequence[NDArray[np.uint8]], features: Sequence[int], *, rows: int
) -> tuple[NDArray[np.int32], int]:
    """One code for the combination of the features' cells, shape (n,), and how many codes there are.

    Args:
        rows: on which the cells' rates are made. Each feature has 8, 4 or 2 cells, so many that a combination holds ten
            rows; of four features 4 at most, of more 2.
    """
    levels = BINS if len(features) <= 3 else 4 if len(features) == 4 else 2
    while levels > 2 and CELL_ROWS * levels ** len(features) > rows:
        levels //= 2
    codes = np.zeros(len(cells[features[0]]), np.int32)
    for feature in features:
        codes = codes * np.int32(levels) + _coarser(cells[feature], levels)
    return codes, int(levels ** len(features))


def _coarser(codes: NDArray[np.uint8], levels: int) -> NDArray[np.uint8]:
    return halved(codes).astype(np.uint8) if levels == 2 else codes // np.uint8(BINS // levels)


def compared_rows(groups: Groups, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return rows[groups.take(rows) >= 0]


def _sum_x_log_x(counts: NDArray[np.float64], axes: tuple[int, ...]) -> NDArray[np.float64]:
    from scipy.special import xlogy

    total: NDArray[np.float64] = xlogy(counts, counts).sum(axis=axes)
    return total


def halved(codes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The upper half of the cells, cut where the halves are nearest to equal."""
    above = 1 - np.cumsum(np.bincount(codes, minlength=BINS)) / len(codes)
    return codes > int(np.argmin(np.abs(above - 0.5)))


def _parities_beyond(
    signs: NDArray[np.bool_], of_group: NDArray[np.bool_], threshold: float
) -> list[tuple[int, int, int]]:
    n, padding = len(of_group), -len(of_group) % 64
    packed = np.packbits(np.pad(signs, ((0, 0), (0, padding))), axis=1).view(np.uint64)
    target = np.packbits(np.pad(of_group, (0, padding))).view(np.uint64)
    expected = expected_parity(of_group)
    found = []
    for i, j in combinations(range(len(signs) - 1), 2):
        odd = np.bitwise_count(packed[j + 1 :] ^ (packed[i] ^ packed[j] ^ target)).sum(axis=1, dtype=np.int64)
        free = np.bitwise_count(packed[j + 1 :] ^ (packed[i] ^ packed[j])).sum(axis=1, dtype=np.int64)
        # what the parity without the attribute and the attribute's share explain is taken off
        excess = np.abs((n - 2 * odd) - (n - 2 * free) * expected)
        found += [(i, j, j + 1 + int(k)) for k in np.flatnonzero(excess > threshold)]
    return found


def expected_parity(of_group: NDArray[np.bool_]) -> float:
    return float(1 - 2 * of_group.mean())


def parity_strength(signs: NDArray[np.bool_], of_group: NDArray[np.bool_], members: tuple[int, ...]) -> float:
    """Sum over rows of the product of group and members, each centred and scaled: lower-order dependence drops out."""
    product = _scaled(of_group)
    for feature in members:
        product = product * _scaled(signs[feature])
    return abs(float(product.sum()))


def _scaled(bits: NDArray[np.bool_]) -> NDArray[np.float64]:
    spread = bits.std()
    centred: NDArray[np.float64] = bits - bits.mean()
    return centred / spread if spread > 0 else centred
