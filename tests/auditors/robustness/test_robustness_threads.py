"""Threads and batches are no part of the result: the same verdicts, and every number of the report to 1e-6."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from evenhand.auditors.policy import Norm
from evenhand.auditors.report import Finding, Robustness
from evenhand.auditors.robustness import audit_robustness
from evenhand.auditors.robustness.distances import distances
from evenhand.auditors.robustness.ensemble import Outcome, Strength, Subjects, attack, white_box_stages
from evenhand.auditors.robustness.scores import probabilities
from tests.auditors.robustness.toys import SIDE, Torch, convnet, people

DATA = people(near=0.03, far=0.08, bias=0.9, units=8)


@pytest.fixture(scope="module")
def trained() -> Torch:
    """A small ConvNet that has learned to tell these people by brightness."""
    module = convnet(2, channels=1, side=SIDE)
    pictures = torch.from_numpy((DATA.images / np.float32(255)).transpose(0, 3, 1, 2).copy())
    label = torch.from_numpy(DATA.label.astype(np.int64))
    optimiser = torch.optim.Adam(module.parameters(), 1e-2)
    for _ in range(80):
        optimiser.zero_grad()
        nn.functional.cross_entropy(module(pictures), label).backward()
        optimiser.step()
    return Torch(module, (SIDE, SIDE, 1))


@contextmanager
def with_threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def audited(classifier: Torch, *, threads: int, batch_size: int) -> tuple[Robustness, list[Finding]]:
    sizes: dict[str, Any] = {"norms": ("linf", "l2"), "eps": (0.04,), "eps_l2": (0.32,)}
    with with_threads(threads):
        return audit_robustness(DATA, classifier, attributes=["tone"], seed=1, batch_size=batch_size, **sizes)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from leaves(inside, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, inside in enumerate(value):
            yield from leaves(inside, f"{path}[{index}]")
    else:
        yield path, value


@pytest.fixture(scope="module")
def alone(trained: Torch) -> tuple[Robustness, list[Finding]]:
    return audited(trained, threads=1, batch_size=512)


@pytest.mark.parametrize(("threads", "batch_size"), [pytest.param(2, 512, marks=pytest.mark.slow), (1, 1)])
def test_one_and_two_threads_and_any_batch_size_give_the_same_report(
    trained: Torch, alone: tuple[Robustness, list[Finding]], threads: int, batch_size: int
) -> None:
    report, findings = alone
    other, other_findings = audited(trained, threads=threads, batch_size=batch_size)

    assert 0.1 < np.mean(report.pictures.robust if report.pictures else 0) < 0.9
    assert [finding.verdict for finding in findings] == [finding.verdict for finding in other_findings]
    one, two = (dict(leaves(part.model_dump(exclude={"panels"}))) for part in (report, other))
    assert one.keys() == two.keys()
    different = [
        (path, value, two[path])
        for path, value in one.items()
        if (abs(value - two[path]) > 1e-6 if isinstance(value, float) and two[path] is not None else value != two[path])
    ]
    assert not different
    assert sum(isinstance(value, float) for value in one.values()) > 100


@pytest.mark.parametrize(("norm", "eps"), [("linf", 0.04), ("l2", 0.32)])
def test_two_threads_break_the_same_pictures_at_the_same_distance(trained: Torch, norm: Norm, eps: float) -> None:
    clean = (DATA.images / np.float32(255)).astype(np.float32)
    subjects = Subjects(clean, DATA.label.astype(np.int64), DATA.ids, probabilities(trained, clean))
    stages = white_box_stages(trained, Strength(steps=10), device="cpu")
    found = []
    for threads in (1, 2):
        outcome = Outcome.before(subjects)
        with with_threads(threads):
            attack(subjects, outcome, classifier=trained, stages=stages, eps=eps, seed=1, norm=norm)
            found.append(distances(subjects, outcome, classifier=trained, norm=norm))

    assert 0.1 < np.isinf(found[0]).mean() < 0.9
    assert np.array_equal(np.isinf(found[0]), np.isinf(found[1]))
    assert found[1] == pytest.approx(found[0], abs=1e-6)
