"""One area against scikit-learn and against DeLong's definition."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from evenhand.auditors.ranks import auc_of_scores


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

    difference = scores[positive][:, None] - scores[~positive][None, :]
    wins = (difference > 0) + 0.5 * (difference == 0)
    variance = wins.mean(axis=1).var(ddof=1) / positive.sum() + wins.mean(axis=0).var(ddof=1) / (~positive).sum()

    assert auc_of_scores(scores, positive).error == pytest.approx(np.sqrt(variance), rel=1e-9)


def test_separated_groups_keep_an_interval() -> None:
    auc = auc_of_scores(np.arange(60.0), np.arange(60) >= 30)

    assert auc.area == 1
    assert auc.error == pytest.approx(1 / 60)
