"""What must not matter: the order of groups, the names of classes, how many pictures are scored at once, threads of torch."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from evenhand.auditors.perception.checks import Answer, class_gap, paired_counterfactual
from evenhand.auditors.perception.concepts import tcav
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.cues import cue_conflict
from evenhand.auditors.perception.dreaming import dreams_and_drift
from evenhand.auditors.robustness import ImageData
from evenhand.auditors.robustness.data import unit_interval
from evenhand.auditors.robustness.scores import probabilities
from tests.auditors.perception.test_tcav import by_channels, pictures
from tests.auditors.robustness.toys import Torch

CLOSE = 1e-6


def data_of() -> ImageData:
    return pictures(units=32)


def network() -> Torch:
    """Decides by shape and group alike, half of the pictures each way."""
    classifier = by_channels(shape=1.0, cue=1.0)
    with torch.no_grad():
        batch = torch.from_numpy(np.ascontiguousarray(unit_interval(data_of().images).transpose(0, 3, 1, 2)))
        logits = classifier.logits(batch)
        classifier.module.head.bias[1] -= (logits[:, 1] - logits[:, 0]).mean()  # type: ignore[index, union-attr]
    return classifier


def answers(data: ImageData, classifier: Torch, *, batch_size: int = 64) -> dict[str, Answer]:
    scores = probabilities(classifier, unit_interval(data.images), batch_size=batch_size)
    context = Context(
        data=data,
        classifier=classifier,
        attributes=("tone",),
        scores=scores,
        prediction=scores.argmax(axis=1).astype(np.int64),
        seed=1,
        device="cpu",
        batch_size=batch_size,
        tolerances={},
    )
    return {answer.name: answer for answer in _asked(context)}


def _asked(context: Context) -> Iterator[Answer]:
    yield paired_counterfactual(context.data, "tone", context.prediction, tolerance=0.05, seed=context.seed)
    yield class_gap(context.data, "tone", context.prediction, tolerance=0.10, seed=context.seed)
    yield from dreams_and_drift(context)
    yield from tcav(context)
    yield from cue_conflict(context)


@pytest.fixture(scope="module")
def usual() -> dict[str, Answer]:
    return answers(data_of(), network())


def test_the_case_has_something_to_lose(usual: dict[str, Answer]) -> None:
    """The network reads the group, and every check says so: an answer that is never given could not change either."""
    assert {name for name, answer in usual.items() if answer.estimate is None} == set()
    assert usual["paired_counterfactual"].verdict == "proven_disparity"
    assert usual["dream"].verdict == "proven_disparity"


def test_one_picture_or_all_at_once(usual: dict[str, Answer]) -> None:
    for batch_size in (1, 512):
        for name, answer in answers(data_of(), network(), batch_size=batch_size).items():
            same(answer, usual[name])


def test_one_thread_or_two(usual: dict[str, Answer]) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        found = answers(data_of(), network())
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)

    for name, answer in found.items():
        same(answer, usual[name])


def test_classes_by_other_names(usual: dict[str, Answer]) -> None:
    classifier = network()
    classifier.classes = ("0", "1")

    for name, answer in answers(replace(data_of(), classes=("0", "1")), classifier).items():
        same(answer, usual[name], directions=False)
        if usual[name].direction:
            assert answer.direction == usual[name].direction.replace("woman", "1").replace("man", "0")  # type: ignore[union-attr]


def test_groups_in_another_order(usual: dict[str, Answer]) -> None:
    data = data_of()
    codes, texts = data.attributes["tone"]
    turned = replace(data, attributes={"tone": ((1 - codes).astype(np.int32), texts[::-1])})

    for name, answer in answers(turned, network()).items():
        same(answer, usual[name])


def same(answer: Answer, before: Answer, *, directions: bool = True) -> None:
    assert answer.verdict == before.verdict, answer.name
    assert answer.direction == before.direction or not directions, answer.name
    assert answer.estimate == pytest.approx(before.estimate, abs=CLOSE), answer.name
    assert (answer.p_value or 0) == pytest.approx(before.p_value or 0, abs=CLOSE), answer.name
