"""One area against scikit-learn and against DeLong's definition."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from evenhand.auditors import ranks
from evenhand.auditors.ranks import auc_of_scores

TINY = 5e-324
EDGES = (
    0.0,
    -0.0,
    TINY,
    -TINY,
    2.2250738585072014e-308,
    1.0,
    1.0000000000000002,
    -1.0,
    2.0,
    np.nextafter(2.0, 0.0),
    -2.0,
)
FAR = (1.7976931348623157e308, -1.7976931348623157e308, np.inf, -np.inf)


def placements(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Every row of the group against every other row: 1 where it scores higher, a half for a tie."""
    ours, theirs = scores[positive][:, None], scores[~positive][None, :]
    return (ours > theirs) + 0.5 * (ours == theirs)


@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_area_is_scikit_learns_with_and_without_ties(decimals: int) -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(500) < 0.3
    scores = np.round(rng.standard_normal(500) + positive, decimals)

    assert auc_of_scores(scores, positive).area == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


def test_error_is_delongs_by_definition() -> None:
    """Placements of every pair, written out (DeLong 1988)."""
    rng = np.random.default_rng(1)
    positive = rng.random(200) < 0.4
    scores = np.round(rng.standard_normal(200) + positive, 1)

    wins = placements(scores, positive)
    variance = wins.mean(axis=1).var(ddof=1) / positive.sum() + wins.mean(axis=0).var(ddof=1) / (~positive).sum()

    assert auc_of_scores(scores, positive).error == pytest.approx(np.sqrt(variance), rel=1e-9)


def test_separated_groups_keep_an_interval() -> None:
    auc = auc_of_scores(np.arange(60.0), np.arange(60) >= 30)

    assert auc.area == 1
    assert auc.error == pytest.approx(1 / 60)


@given(
    rows=st.lists(st.tuples(st.sampled_from((*EDGES, *FAR)) | st.floats(allow_nan=False), st.booleans()), max_size=60),
    block=st.sampled_from([1, 3, 2**15]),
)
@example(rows=[(score, here) for score in EDGES for here in (True, False)], block=2)
@example(rows=[(score, here) for score in (*EDGES, *FAR[:2]) for here in (True, False)], block=2)
def test_area_and_error_are_the_definitions_for_any_scores(rows: list[tuple[float, bool]], block: int) -> None:
    scores, positive = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=bool)
    smaller = min(positive.sum(), (~positive).sum())

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ranks, "BLOCK", block)
        auc = auc_of_scores(scores, positive)

    if smaller < 2:
        assert (auc.area, auc.error) == (0.5, 0.5)
        return
    wins = placements(scores, positive)
    variance = wins.mean(axis=1).var(ddof=1) / positive.sum() + wins.mean(axis=0).var(ddof=1) / (~positive).sum()
    assert auc.area == wins.sum() / wins.size
    assert auc.error == pytest.approx(max(np.sqrt(variance), 0.5 / smaller), rel=1e-9)


def test_scores_that_differ_in_their_last_bit_are_no_tie() -> None:
    scores = np.repeat([3.0, np.nextafter(3.0, 4.0)], 2)

    assert auc_of_scores(scores, scores > 3.0).area == 1
