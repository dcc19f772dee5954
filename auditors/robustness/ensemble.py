"""The ensemble of attacks on what survives the ones before, for one size of change after another.

A picture counts as broken only when the deployed model itself is wrong about a candidate inside the ball.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.policy import Norm
from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.robustness.apgd import Apgd
from evenhand.auditors.robustness.ball import BALLS, Ball, Pictures, inside
from evenhand.auditors.robustness.blind import RandomNoise, Square
from evenhand.auditors.robustness.loop import Attack, Batch, Oracle, run
from evenhand.auditors.robustness.rays import RayS
from evenhand.auditors.robustness.scores import BATCH_SIZE, ScoreOracle, batches, gives_gradients, probabilities
from evenhand.auditors.robustness.surfree import SurFree

TARGETS_APART = 1000
"""Between the random starts of one restart of a targeted attack and those of the next; more than there are targets."""


@dataclass(frozen=True)
class Strength:
    """How hard the attacks try."""

    steps: int = 40
    restarts: int = 1
    targets: int = 3
    queries: int = 200
    label_queries: int = 500
    noise_draws: int = 10

    @classmethod
    def thorough(cls) -> "Strength":
        return cls(steps=100, restarts=5, targets=9, queries=5000, label_queries=5000, noise_draws=50)


@dataclass(frozen=True)
class Stage:
    """One attack and the oracle it asks; `target_rank` 0 is the most probable other class of the clean picture."""

    attack: Attack
    oracle: Oracle
    target_rank: int = 0
    black_box: bool = False


@dataclass(frozen=True)
class Subjects:
    """Pictures to attack, with the deployed model's probabilities (n, K) of the clean ones."""

    clean: Pictures
    label: NDArray[np.int64]
    ids: NDArray[np.int64]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.clean)

    @property
    def correct(self) -> NDArray[np.bool_]:
        return np.asarray(self.scores.argmax(axis=1) == self.label)

    def batch(self, rows: NDArray[np.int64], target_rank: int) -> Batch:
        others = self.scores[rows].copy()
        others[np.arange(len(rows)), self.label[rows]] = -np.inf
        target = np.argsort(-others, axis=1, kind="stable")[:, target_rank]
        return Batch(self.clean[rows], self.label[rows], target.astype(np.int64), self.ids[rows])

    def take(self, rows: NDArray[np.int64]) -> "Subjects":
        return Subjects(self.clean[rows], self.label[rows], self.ids[rows], self.scores[rows])


@dataclass
class Outcome:
    """What the attacks achieved so far, picture by picture.

    Attributes:
        smallest: smallest eps of the run that broke the picture; 0 where it is misread without any change,
            infinity where every attack failed; shape (n,).
        example: the changed picture that broke it, else the clean one.
        winner: index into `names` of the attack that broke it, else -1.
        tried: which pictures an attack has met at an eps; the noise is fixed, so meeting it again changes nothing.
    """

    smallest: NDArray[np.float64]
    example: Pictures
    winner: NDArray[np.int64]
    names: list[str]
    tried: dict[tuple[Attack, int, float], NDArray[np.bool_]]

    @classmethod
    def before(cls, subjects: Subjects) -> "Outcome":
        n = len(subjects)
        smallest = np.where(subjects.correct, np.inf, 0.0)
        return cls(smallest=smallest, example=subjects.clean.copy(), winner=np.full(n, -1), names=[], tried={})

    def robust(self, eps: float) -> NDArray[np.bool_]:
        """Correct without a change and under every attack of at most eps."""
        return np.asarray(self.smallest > eps)

    def record(self, rows: NDArray[np.int64], pictures: Pictures, *, eps: float, name: str) -> None:
        if name not in self.names:
            self.names.append(name)
        broken = eps < self.smallest[rows]
        rows, pictures = rows[broken], pictures[broken]
        self.smallest[rows] = eps
        self.example[rows] = pictures
        self.winner[rows] = self.names.index(name)


def white_box_stages(
    classifier: ImageClassifier, strength: Strength, *, device: str, steps: int | None = None
) -> list[Stage]:
    """APGD on cross-entropy, then on the margin (fewer than 4 classes) or DLR, then targeted from 3 classes up."""
    if not gives_gradients(classifier):
        return []
    from evenhand.auditors.robustness import gradients

    classes = len(classifier.classes)
    steps = steps or strength.steps
    few = classes < 4
    untargeted = gradients.margin if few else gradients.difference_of_logits_ratio
    targeted = gradients.targeted_margin if few else gradients.targeted_difference_of_logits_ratio
    ask = {
        loss: gradients.GradientOracle(classifier, loss, device=device)
        for loss in (gradients.cross_entropy, untargeted, targeted)
    }
    stages = [
        Stage(Apgd(name, steps, restart), ask[loss])
        for name, loss in (("APGD-CE", gradients.cross_entropy), ("APGD-margin" if few else "APGD-DLR", untargeted))
        for restart in range(strength.restarts)
    ]
    targets = range(min(strength.targets, classes - 1)) if classes >= 3 else ()
    return stages + [
        Stage(Apgd("APGD-T", steps, rank + TARGETS_APART * restart), ask[targeted], target_rank=rank)
        for restart in range(strength.restarts)
        for rank in targets
    ]


def scouts(classifier: ImageClassifier, strength: Strength, *, device: str, steps: int | None = None) -> list[Stage]:
    """One attack for curves and checks: APGD on margin or DLR, which does not vanish where cross-entropy does."""
    white = white_box_stages(classifier, strength, device=device, steps=steps)
    return [stage for stage in white if stage.attack.name in ("APGD-margin", "APGD-DLR")][:1]


def black_box_stages(
    classifier: ImageClassifier, strength: Strength, *, labels_only: bool = False, norm: Norm = "linf"
) -> list[Stage]:
    """Square; before it random noise where there are no gradients; where there are labels alone, in its place RayS or SurFree."""
    ask = ScoreOracle(classifier)
    noise = Stage(RandomNoise(strength.noise_draws), ask, black_box=True)
    if labels_only:
        search = (RayS if norm == "linf" else SurFree)(strength.label_queries)
        return [noise, Stage(search, ask, black_box=True)]
    square = Stage(Square(strength.queries), ask, black_box=True)
    if gives_gradients(classifier):
        return [square]
    return [noise, square]


def attack(
    subjects: Subjects,
    outcome: Outcome,
    *,
    classifier: ImageClassifier,
    stages: Sequence[Stage],
    eps: float,
    seed: int,
    spare: NDArray[np.bool_] | None = None,
    batch_size: int = BATCH_SIZE,
    norm: Norm = "linf",
) -> None:
    """Run every stage at this eps on what is still robust, and record in `outcome` what the deployed model misreads.

    Pictures in `spare`, shape (n,), are left alone.
    """
    ball = BALLS[norm](eps)
    for stage in stages:
        tried = outcome.tried.setdefault((stage.attack, stage.target_rank, eps), np.zeros(len(subjects), dtype=bool))
        left = outcome.robust(eps) & ~tried
        survivors = np.flatnonzero(left if spare is None else left & ~spare)
        tried[survivors] = True
        for part in batches(len(survivors), batch_size):
            rows = survivors[part]
            batch = subjects.batch(rows, stage.target_rank)
            found = run(batch, attack=stage.attack, oracle=stage.oracle, ball=ball, seed=seed)
            kept = confirmed(batch, found.rows, found.pictures, classifier=classifier, ball=ball)
            outcome.record(rows[found.rows[kept]], found.pictures[kept], eps=eps, name=stage.attack.name)


def confirmed(
    batch: Batch, rows: NDArray[np.int64], pictures: Pictures, *, classifier: ImageClassifier, ball: Ball
) -> NDArray[np.bool_]:
    """Which candidates lie inside the ball and inside [0, 1] and fool the deployed model."""
    if len(rows) == 0:
        return np.empty(0, dtype=bool)
    allowed = inside(ball, pictures - batch.clean[rows])
    allowed &= (pictures.min(axis=(1, 2, 3)) >= 0) & (pictures.max(axis=(1, 2, 3)) <= 1)
    wrong = probabilities(classifier, pictures).argmax(axis=1) != batch.label[rows]
    return np.asarray(allowed & wrong)
