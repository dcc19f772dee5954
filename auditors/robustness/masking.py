"""Checks for gradient masking: signs that the attacks fail for reasons other than robustness.

Where one of them strikes, robust accuracy means nothing and no gap is assessed (Carlini et al. 2019).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.policy import Norm
from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.report import Masking, MaskingCheck
from evenhand.auditors.robustness.ball import BALLS
from evenhand.auditors.robustness.draws import CALLS_DIFFER, DRAWS, inside_of
from evenhand.auditors.robustness.ensemble import (
    Outcome,
    Stage,
    Strength,
    Subjects,
    attack,
    black_box_stages,
    scouts,
    white_box_stages,
)
from evenhand.auditors.robustness.noise import sample_keys
from evenhand.auditors.robustness.scores import batches, gives_gradients

ZERO_GRADIENTS = 0.05
BLACK_BOX_STRONGER = 0.01
ROBUST_AT_HALF = 0.02
MORE_STEPS = 0.02
LOGITS_DISAGREE = 0.01
STEPS_TIMES = 3
PLANTED_MISSED = 0.05
MOST_PLANTED = 32
MOST_PICTURES = 256
MOST_SURVIVORS = 96
"""Checks run on at most this many pictures, drawn by the hash of their ids; the longest on fewer."""

NO_GRADIENTS = "the classifier gives no gradients"


@dataclass(frozen=True)
class Setting:
    """What every check needs to know about the run."""

    classifier: ImageClassifier
    strength: Strength
    device: str
    seed: int
    batch_size: int
    norm: Norm = "linf"
    calls_differ: float = 0.0
    """Largest difference between two calls about the same pictures, measured before any averaging."""
    labels_only: bool = False
    """Whether every probability of the clean pictures is 0 or 1, so that scores say no more than labels."""

    @property
    def white(self) -> list[Stage]:
        return white_box_stages(self.classifier, self.strength, device=self.device)

    @property
    def scouts(self) -> list[Stage]:
        return scouts(self.classifier, self.strength, device=self.device)

    @property
    def black(self) -> list[Stage]:
        return black_box_stages(self.classifier, self.strength, labels_only=self.labels_only, norm=self.norm)


def check_masking(subjects: Subjects, outcome: Outcome, *, eps: float, setting: Setting) -> Masking:
    """Run every check at the eps that decides.

    Args:
        subjects: the pictures attacked.
        outcome: what the ensemble achieved at `eps`; not changed.
        eps: size of change at which the gaps are decided.
        setting: classifier and strength, as in the run.
    """
    sample = _sample(np.arange(len(subjects)), subjects, setting.seed)
    checks = [
        two_calls(setting),
        logits_disagree(subjects.take(sample), setting),
        zero_gradients(subjects.take(sample), setting),
        black_box_stronger(subjects, outcome, eps, setting),
        robust_at_half(subjects.take(sample), setting),
        more_steps(subjects, outcome, eps, setting),
        planted_missed(subjects, eps, setting),
    ]
    return Masking(suspected=any(check.suspected for check in checks), checks=checks)


def _sample(rows: NDArray[np.int64], subjects: Subjects, seed: int, most: int = MOST_PICTURES) -> NDArray[np.int64]:
    """At most that many of the rows, the same whatever their order."""
    keys = sample_keys(seed, subjects.ids[rows], "masking checks")
    return np.asarray(rows[np.argsort(keys, kind="stable")[:most]])


def _check(name: str, value: float, limit: float, reason: str) -> MaskingCheck:
    struck = not value <= limit
    return MaskingCheck(name=name, value=value, limit=limit, suspected=struck, reason=reason if struck else None)


def _not_run(name: str, limit: float, reason: str) -> MaskingCheck:
    return MaskingCheck(name=name, value=None, limit=limit, suspected=False, reason=reason)


def two_calls(setting: Setting) -> MaskingCheck:
    """Largest difference between two answers about the same pictures; beyond the limit attacks average over draws."""
    reason = f"two calls on the same pictures give different answers, though attacks average over {DRAWS} draws"
    return _check("two_calls_differ", setting.calls_differ, CALLS_DIFFER, reason)


def logits_disagree(subjects: Subjects, setting: Setting) -> MaskingCheck:
    """Share of pictures on which logits and deployed model disagree: gradients of another model prove nothing."""
    name = "logits_disagree"
    if not gives_gradients(setting.classifier):
        return _not_run(name, LOGITS_DISAGREE, NO_GRADIENTS)
    from evenhand.auditors.robustness.gradients import logits_of

    logits = logits_of(setting.classifier, subjects.clean, batch_size=setting.batch_size, device=setting.device)
    value = float(np.mean(logits.argmax(axis=1) != subjects.scores.argmax(axis=1)))
    return _check(name, value, LOGITS_DISAGREE, "the logits that give gradients disagree with the deployed model")


def zero_gradients(subjects: Subjects, setting: Setting) -> MaskingCheck:
    """Share of correctly read pictures whose cross-entropy has no gradient in any pixel."""
    name = "zero_gradients"
    if not gives_gradients(setting.classifier):
        return _not_run(name, ZERO_GRADIENTS, NO_GRADIENTS)
    correct = np.flatnonzero(subjects.correct)
    if len(correct) == 0:
        return _not_run(name, ZERO_GRADIENTS, "no picture is read correctly")
    oracle = setting.white[0].oracle
    zero = 0
    for part in batches(len(correct), setting.batch_size):
        batch = subjects.batch(correct[part], 0)
        gradient = oracle(batch.clean.copy(), batch).gradient
        if gradient is not None:
            zero += int(np.sum(np.abs(gradient).max(axis=(1, 2, 3)) < np.finfo(np.float32).tiny))
    reason = "the gradient vanishes in every pixel, so gradient attacks go nowhere"
    return _check(name, zero / len(correct), ZERO_GRADIENTS, reason)


def black_box_stronger(subjects: Subjects, outcome: Outcome, eps: float, setting: Setting) -> MaskingCheck:
    """Robust accuracy under the white-box attacks alone minus that under the black box alone.

    The share that the black box broke after the white box had failed bounds it from above; only where that is beyond
    the limit are the two run apart.
    """
    name = "black_box_stronger"
    if not gives_gradients(setting.classifier):
        return _not_run(name, BLACK_BOX_STRONGER, NO_GRADIENTS)
    black_names = [stage.attack.name for stage in setting.black]
    by_black = np.isin(outcome.winner, [index for index, won in enumerate(outcome.names) if won in black_names])
    bound = float(np.mean(by_black & ~outcome.robust(eps)))
    if bound <= BLACK_BOX_STRONGER:
        return _check(name, bound, BLACK_BOX_STRONGER, "")
    part = subjects.take(_sample(np.arange(len(subjects)), subjects, setting.seed))
    alone = [_robust_accuracy(part, stages, eps, setting) for stages in (setting.white, setting.black)]
    reason = "an attack without gradients is stronger than those with gradients, so the gradients mislead"
    return _check(name, alone[0] - alone[1], BLACK_BOX_STRONGER, reason)


def robust_at_half(subjects: Subjects, setting: Setting) -> MaskingCheck:
    """Robust accuracy where every picture can be made the same even grey: eps .5, in L2 .5 times the root of its values."""
    grey = BALLS[setting.norm](1.0).grey(subjects.clean.shape[1:])
    value = _robust_accuracy(subjects, [*setting.white, *setting.black], grey, setting)
    reason = (
        f"pictures stay correct at eps {grey:.3g}, where any picture can become plain grey: the attacks are failing"
    )
    return _check("robust_accuracy_at_half", value, ROBUST_AT_HALF, reason)


def more_steps(subjects: Subjects, outcome: Outcome, eps: float, setting: Setting) -> MaskingCheck:
    """By how much three times the steps lower robust accuracy."""
    name = "three_times_the_steps"
    if not gives_gradients(setting.classifier):
        return _not_run(name, MORE_STEPS, NO_GRADIENTS)
    survivors = np.flatnonzero(outcome.robust(eps))
    if len(survivors) == 0:
        return _check(name, 0.0, MORE_STEPS, "")
    steps = STEPS_TIMES * setting.strength.steps
    stages = scouts(setting.classifier, setting.strength, device=setting.device, steps=steps)
    part = subjects.take(_sample(survivors, subjects, setting.seed, MOST_SURVIVORS))
    lowered = (1 - _robust_accuracy(part, stages, eps, setting)) * len(survivors) / len(subjects)
    return _check(name, lowered, MORE_STEPS, "three times the steps break more pictures: the attacks had not converged")


def planted_missed(subjects: Subjects, eps: float, setting: Setting) -> MaskingCheck:
    """Share of adversarial examples, planted by a new last layer, that the attack does not find (Zimmermann 2022)."""
    name = "planted_examples_missed"
    if not gives_gradients(setting.classifier):
        return _not_run(name, PLANTED_MISSED, NO_GRADIENTS)
    from evenhand.auditors.robustness import planted

    layer = planted.last_layer(inside_of(setting.classifier))
    if layer is None:
        return _not_run(name, PLANTED_MISSED, "the classifier shows no last linear layer to plant an example in")
    part = subjects.take(_sample(np.arange(len(subjects)), subjects, setting.seed, MOST_PLANTED))
    value = planted.missed(
        layer,
        part.clean,
        part.ids,
        ball_of=BALLS[setting.norm],
        eps=eps,
        steps=setting.strength.steps,
        seed=setting.seed,
        device=setting.device,
    )
    if value is None:
        return _not_run(name, PLANTED_MISSED, "what the last layer reads hardly changes, so no example can be planted")
    return _check(name, value, PLANTED_MISSED, "adversarial examples that are known to be there were not found")


def _robust_accuracy(subjects: Subjects, stages: list[Stage], eps: float, setting: Setting) -> float:
    outcome = Outcome.before(subjects)
    attack(
        subjects,
        outcome,
        classifier=setting.classifier,
        stages=stages,
        eps=eps,
        seed=setting.seed,
        batch_size=setting.batch_size,
        norm=setting.norm,
    )
    return float(np.mean(outcome.robust(eps)))
