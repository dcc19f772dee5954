"""Pictures and queries are few where each is a request: which are drawn, what is asked, what the report says."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from evenhand.auditors.robustness import Budget, audit_robustness
from evenhand.auditors.robustness.budget import UNLIMITED, taken
from evenhand.auditors.robustness.ensemble import Strength
from tests.auditors.robustness.toys import BlackBox, brightness, people

DATA = people(near=0.03, far=0.08, bias=0.95, units=120)


class Counting(BlackBox):
    asked = 0

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        self.asked += len(images)
        return super().predict_proba(images)


def test_units_are_drawn_whole_and_by_their_id_alone() -> None:
    budget = Budget(pictures_per_group=30)
    backwards = taken(DATA, np.arange(len(DATA))[::-1])

    drawn, other = (budget.drawn(data, attributes=("tone",), seed=1) for data in (DATA, backwards))

    assert len(drawn) == 120  # 30 times two classes and two tones
    assert sorted(drawn.ids) == sorted(other.ids)
    assert drawn.unit is not None
    assert np.all(np.bincount(drawn.unit)[np.unique(drawn.unit)] == 4)
    assert np.array_equal(drawn.images, DATA.images[drawn.ids])
    assert sorted(budget.drawn(DATA, attributes=("tone",), seed=2).ids) != sorted(drawn.ids)


def test_each_unit_is_as_likely_as_any_other() -> None:
    budget, n = Budget(pictures_per_group=30), 400
    drawn = [np.unique(budget.drawn(DATA, attributes=("tone",), seed=seed).unit) for seed in range(n)]  # type: ignore[arg-type]

    share = np.bincount(np.concatenate(drawn), minlength=120) / n

    assert share.mean() == pytest.approx(30 / 120)
    assert np.abs(share - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / n)


def test_counterparts_stay_together_where_no_unit_is_named() -> None:
    drawn = Budget(pictures_per_group=30).drawn(replace(DATA, unit=None), attributes=("tone",), seed=1)

    assert drawn.pair is not None
    assert set(np.bincount(drawn.pair)) == {0, 2}


def test_few_pictures_are_all_attacked_and_without_a_budget_nothing_changes() -> None:
    assert Budget(pictures_per_group=200).drawn(DATA, attributes=("tone",), seed=1) is DATA
    assert UNLIMITED.drawn(DATA, attributes=("tone",), seed=1) is DATA
    assert UNLIMITED.applied(Strength()) == Strength()


def test_an_endpoint_is_asked_less_and_a_policy_may_ask_for_more() -> None:
    few = Budget.of(endpoint=True, pictures_per_group=None, queries=None)
    more = Budget.of(endpoint=True, pictures_per_group=80, queries=900)
    thorough = few.applied(Strength.thorough())

    assert (few.pictures_per_group, thorough.queries, thorough.label_queries, thorough.noise_draws) == (50, 100, 300, 5)
    assert (more.pictures_per_group, more.queries, more.label_queries) == (80, 900, 900)
    assert Budget.of(endpoint=False, pictures_per_group=None, queries=None) == UNLIMITED


def test_the_report_states_pictures_and_queries_and_asks_no_more() -> None:
    budget, classifier = Budget.of(endpoint=True, pictures_per_group=None, queries=None), Counting(brightness())
    everything = Counting(brightness())

    settings = {"attributes": ["tone"], "eps": (0.05,), "seed": 1}
    report, _ = audit_robustness(DATA, classifier, budget=budget, **settings)  # type: ignore[arg-type]
    audit_robustness(DATA, everything, **settings)  # type: ignore[arg-type]

    assert any("200 of 480 pictures were attacked, about 50 for each class and group" in note for note in report.notes)
    assert any("with 100 queries a picture" in note for note in report.notes)
    assert report.attack.queries == 105
    assert sum(row.n for row in report.groups if row.label is None) == 200
    assert classifier.asked < 0.45 * everything.asked
