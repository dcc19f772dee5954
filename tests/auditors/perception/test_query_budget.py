"""Where each answer costs: what is asked is planned from counts, never more than is allowed, and the report says it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from evenhand.auditors.perception import audit_perception, limit_of
from evenhand.auditors.perception.budget import DECISIONS, OF_ENDPOINT, UNPLANNED, Step, planned
from evenhand.auditors.report import Finding, Perception, PerceptionCheck
from evenhand.auditors.robustness import ImageData

SIDE, UNITS = 8, 45
EDITS = ("mirror", "grey")


class Counting:
    """Two classes by the red of a picture, without gradients; counts the pictures it is asked about."""

    classes, image_shape = ("man", "woman"), (SIDE, SIDE, 3)

    def __init__(self) -> None:
        self.asked = 0

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        self.asked += len(images)
        red = 1 / (1 + np.exp(-20 * (images[..., 0].mean(axis=(1, 2), dtype=np.float64) - 0.5)))
        return np.stack([1 - red, red], axis=1)


def people() -> ImageData:
    """Of each of 45 people a dark and a light picture in colour: 90."""
    rng = np.random.default_rng(0)
    unit, tone = np.repeat(np.arange(UNITS), 2), np.tile([0, 1], UNITS)
    label = unit % 2
    pictures = rng.uniform(0.1, 0.3, (len(unit), SIDE, SIDE, 3))
    pictures[..., 0] += (0.3 * label + 0.1 * tone)[:, None, None]
    return ImageData(
        images=np.rint(pictures * 255).astype(np.uint8),
        label=label.astype(np.int32),
        classes=("man", "woman"),
        attributes={"tone": (tone.astype(np.int32), ("dark", "light"))},
        unit=unit.astype(np.int32),
        pair=unit.astype(np.int32),
        ids=np.arange(len(unit), dtype=np.int64),
    )


N = 2 * UNITS
COSTS = {
    "decisions": N,
    "edits": 2 * 2 * N,
    "style": 2 * 32,
    "noise": 3 * 200,
    "scrambled": 2 * N,  # tiles of 4 and of 2 pixels; of 1 there are none
    "occlusion": N * (1 + 64),
}
"""Counted by hand; the order is that of what decides first."""
EVERYTHING = sum(COSTS.values())


def audited(queries: int | None) -> tuple[Perception, list[Finding], int]:
    classifier = Counting()
    report, findings = audit_perception(
        people(), classifier, attributes=["tone"], seed=0, edits=EDITS, queries=queries, batch_size=32
    )
    return report, findings, classifier.asked


def check(report: Perception, name: str, attribute: str = "tone") -> PerceptionCheck:
    (one,) = [row for row in report.checks if row.name == name and row.attribute == attribute]
    return one


def test_without_a_budget_everything_is_asked_and_nothing_said_of_it() -> None:
    report, _, asked = audited(None)

    assert asked == EVERYTHING
    assert not any("allowed" in note for note in report.notes)


def test_a_budget_that_holds_everything_changes_no_answer() -> None:
    free, planned_for = audited(None)[0], audited(EVERYTHING)

    assert planned_for[0].checks == free.checks
    assert planned_for[2] == EVERYTHING
    assert any(f"at most {EVERYTHING:,} pictures, of {EVERYTHING:,} allowed" in note for note in planned_for[0].notes)


@pytest.mark.parametrize("queries", [1, N - 1, N, N + 179, N + 180, 500, 700, 1500, 2000, EVERYTHING - 1])
def test_no_more_is_asked_than_is_allowed_and_what_is_asked_is_what_the_report_says(queries: int) -> None:
    report, _, asked = audited(queries)

    assert asked <= queries
    assert any(f"asked about at most {asked:,} pictures, of {queries:,} allowed" in note for note in report.notes)


def test_what_decides_first_is_asked_first_and_the_rest_says_what_it_would_need() -> None:
    report, findings, asked = audited(N + 2 * N)

    assert asked == N + 2 * N
    for name in ("paired_counterfactual", "class_gap", "cue_conflict"):
        assert check(report, name).verdict != "not_assessed"
    assert check(report, "paired_counterfactual", "edit: mirror").verdict != "not_assessed"
    grey = check(report, "paired_counterfactual", "edit: grey")
    assert grey.verdict == "not_assessed"
    assert "would need a budget of 450 queries, and 270 are allowed" in (grey.reason or "")
    style = check(report, "style_swap")
    assert style.verdict == "not_assessed"
    assert "514 queries" in (style.reason or "")
    assert any("450 queries" in one.message and one.estimate is None for one in findings)
    assert {panel.name for panel in report.panels}.isdisjoint({"fooling_noise", "scrambled_pictures", "occlusion"})
    assert any("occlusion maps 5,850 (a budget of 7,144)" in note for note in report.notes)


@pytest.mark.parametrize(
    ("attribute", "name", "needed"), [("edit: grey", "paired_counterfactual", 450), ("tone", "style_swap", 514)]
)
def test_the_number_that_a_check_would_need_is_enough(attribute: str, name: str, needed: int) -> None:
    assert check(audited(needed)[0], name, attribute).verdict != "not_assessed"
    assert check(audited(needed - 1)[0], name, attribute).verdict == "not_assessed"


def test_where_not_every_picture_fits_no_check_of_decisions_is_made() -> None:
    report, findings, asked = audited(N - 1)

    assert asked == 0
    assert {row.verdict for row in report.checks} == {"not_assessed"}
    for name in ("paired_counterfactual", "class_gap", "tcav", "cue_conflict", "style_swap"):
        assert "would need a budget of 90 queries, and 89 are allowed" in (check(report, name).reason or "")
    assert {row.attribute for row in report.checks if row.name == "paired_counterfactual"} == {
        "tone",
        "edit: mirror",
        "edit: grey",
    }
    assert report.panels == []
    assert [one.metric for one in findings] == [row.name for row in report.checks]


def test_steps_are_taken_whole_in_their_order_where_they_fit_in_what_is_left() -> None:
    steps = [Step(DECISIONS, 10), Step("large", 50), Step("nothing", 0), Step("small", 5)]

    plan = planned(steps, limit=20)

    assert plan.refused == {"large"}
    assert plan.queries == 15
    assert plan.needed("large") == 60
    assert plan.needed("small") == 65
    assert UNPLANNED.refusal("large") is None


def test_an_endpoint_has_a_limit_and_a_policy_may_set_another() -> None:
    assert limit_of(endpoint=True, queries=None, pictures=500) == OF_ENDPOINT
    assert limit_of(endpoint=True, queries=None, pictures=50_000) == 50_000
    assert limit_of(endpoint=True, queries=300, pictures=500) == 300
    assert limit_of(endpoint=False, queries=None, pictures=500) is None
    assert limit_of(endpoint=False, queries=300, pictures=500) == 300
