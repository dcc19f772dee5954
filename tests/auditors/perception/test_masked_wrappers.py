"""Behind a wrapper that hides gradients a planted bias is found as before, and robustness is not assessed."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from evenhand.auditors.perception import audit_perception
from evenhand.auditors.protocols import DifferentiableImageClassifier
from evenhand.auditors.report import Finding, PerceptionCheck, Robustness
from evenhand.auditors.robustness import ImageData, audit_robustness
from tests.auditors.perception import planted
from tests.auditors.perception.masked import WRAPPERS, wrapped
from tests.auditors.perception.test_dream_checks import SIDE, toy
from tests.auditors.robustness.toys import Torch

OF_DECISIONS = ("paired_counterfactual", "class_gap")
STRUCK = {"quantised input": "zero_gradients", "logits times 1000": "zero_gradients", "input noise": "two_calls_differ"}


class ByClassAndTone(nn.Module):
    """The class's row of `toy`, and twice as strongly the tone's column."""

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        shape = (batch[:, :, 2] - batch[:, :, 0]).mean(dim=(1, 2))
        tone = 2 * (batch[..., 5].mean(dim=(1, 2)) - 0.5)
        margin = 5 * (shape + tone)
        return torch.stack([-margin, margin], dim=1)


@dataclass(frozen=True)
class Audited:
    """The whole audit of pictures of one classifier."""

    checks: dict[str, PerceptionCheck]
    robustness: Robustness
    findings: list[Finding]


def audited(data: ImageData, classifier: DifferentiableImageClassifier) -> Audited:
    attributes = list(data.attributes)
    perception, found = audit_perception(data, classifier, attributes=attributes, seed=0)
    robustness, of_attacks = audit_robustness(data, classifier, attributes=attributes, seed=0)
    checks = {check.name: check for check in perception.checks if check.attribute in attributes}
    return Audited(checks, robustness, found + of_attacks)


def toy_of_counterparts() -> ImageData:
    data = toy()
    assert data.unit is not None
    return replace(data, pair=(2 * data.unit + data.label).astype(np.int32))


@cache
def bare_toy() -> Audited:
    return audited(toy_of_counterparts(), Torch(ByClassAndTone(), (SIDE, SIDE, 1)))


def stands_as(bare: Audited, masked: Audited, wrapper: str) -> None:
    """What the decisions say is as it was; what needs gradients says nothing."""
    for name in OF_DECISIONS:
        before, after = bare.checks[name], masked.checks[name]
        assert before.verdict == after.verdict == "proven_disparity"
        if wrapper == "input noise":
            assert before.low is not None
            assert before.high is not None
            assert after.effect is not None
            assert before.low <= after.effect <= before.high
        else:
            assert after == before
    assert masked.robustness.masking.suspected
    assert STRUCK[wrapper] in {check.name for check in masked.robustness.masking.checks if check.suspected}
    for row in masked.robustness.gaps:
        if row.decides:
            assert row.verdict == "not_assessed"
            assert (row.reason or "").startswith("gradient masking suspected")
    decided = [finding for finding in masked.findings if finding.metric == "aligned"]
    assert all(finding.estimate is None and "masking suspected" in finding.message for finding in decided)
    assert decided


def test_bare_model_is_planted_and_its_gradients_are_taken_at_their_word() -> None:
    assert {bare_toy().checks[name].verdict for name in OF_DECISIONS} == {"proven_disparity"}
    assert not bare_toy().robustness.masking.suspected
    assert "not_assessed" not in {row.verdict for row in bare_toy().robustness.gaps if row.decides}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrapper_changes_nothing_about_decisions_and_robustness_is_not_assessed(wrapper: str) -> None:
    masked = audited(toy_of_counterparts(), wrapped(Torch(ByClassAndTone(), (SIDE, SIDE, 1)), wrapper))

    stands_as(bare_toy(), masked, wrapper)


@cache
def bare_drawings() -> Audited:
    return audited(planted.audit_set("background"), planted.network("background", 0.95, epochs=6))


@pytest.mark.slow
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrapped_network_of_drawings_is_judged_as_the_bare_one(wrapper: str) -> None:
    masked = audited(planted.audit_set("background"), wrapped(planted.network("background", 0.95, epochs=6), wrapper))

    assert not bare_drawings().robustness.masking.suspected
    stands_as(bare_drawings(), masked, wrapper)
