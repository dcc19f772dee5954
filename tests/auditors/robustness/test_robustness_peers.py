"""Attacks beside torchattacks and foolbox: on trained networks ours leave no more pictures standing than theirs."""

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import binomtest

from evenhand.auditors.policy import Norm
from evenhand.auditors.robustness.ensemble import Strength, white_box_stages

if TYPE_CHECKING:
    from benchmarks.robustness import Case, Name

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> "dict[Name, Case]":
    # imported here alone: the benchmarks set how many threads this process and its children have
    from benchmarks.attack_peers import installed
    from benchmarks.robustness import case

    if (problem := installed()) is not None:
        pytest.skip(f"the peers' environment could not be made: {problem}")
    names: tuple[Name, ...] = ("digits", "emoji-people")
    return {name: case(name, tmp_path_factory.mktemp(name)) for name in names}


@pytest.mark.parametrize(
    ("name", "norm", "eps"),
    [
        ("digits", "linf", 0.06),
        ("digits", "linf", 0.12),
        ("digits", "l2", 1.0),
        ("digits", "l2", 2.0),
        ("emoji-people", "linf", 8 / 255),
        ("emoji-people", "l2", 2.0),
    ],
)
def test_robust_accuracy_is_not_above_that_of_all_peers_together(
    cases: "dict[Name, Case]", name: "Name", norm: Norm, eps: float
) -> None:
    """The same network, pictures, norm, eps, steps and targets, gradients alone; 95 % by Clopper and Pearson."""
    from benchmarks.robustness import STEPS, TARGETS, peers_of

    one = cases[name]
    stages = white_box_stages(one.classifier, Strength(steps=STEPS, targets=TARGETS), device="cpu")

    ours = one.robust(stages, norm=norm, eps=eps).robust
    peers = peers_of(one, norm=norm, eps=eps)

    assert not isinstance(peers, str), peers
    theirs = np.logical_and.reduce([answer.robust for answer in peers.values()])
    assert 0 < theirs.mean() < 0.95
    assert theirs.mean() < one.subjects.correct.mean()
    assert ours.mean() <= binomtest(int(theirs.sum()), len(theirs)).proportion_ci(0.95).high
