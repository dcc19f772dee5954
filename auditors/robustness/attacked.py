"""Attacking at one size of change after another, and which size decides. Groups play no part here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.errors import Part, PolicyError
from evenhand.auditors.policy import Norm
from evenhand.auditors.protocols import Progress
from evenhand.auditors.robustness.ball import NORM_WORDS
from evenhand.auditors.robustness.data import ImageData, unit_interval
from evenhand.auditors.robustness.ensemble import Outcome, Stage, Subjects, attack
from evenhand.auditors.robustness.masking import Setting
from evenhand.auditors.robustness.scores import probabilities
from evenhand.auditors.robustness.words import size_in_words

COLOUR_EPS = (2 / 255, 8 / 255)
COLOUR_BETWEEN = (1 / 255, 3 / 255, 4 / 255, 6 / 255, 12 / 255, 16 / 255)
GREY_EPS = (0.06, 0.12)
GREY_BETWEEN = (0.03, 0.045, 0.09, 0.18)
L2_SHARE = 0.5 / (8 / 255 * math.sqrt(32 * 32 * 3))
"""An L2 size over its L-infinity size times the root of the values: gives the .5 that is usual beside 8/255 for 32 × 32
colours (Croce et al. 2021, RobustBench)."""

GREY_SIDE = 32
"""Grey pictures of at most this many pixels a side take the sizes for grey ones."""

FLOOR, CEILING = 0.2, 0.85
"""Overall robust accuracy outside these leaves no room for a gap to show."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of change: those that may decide, and those in between that complete the curve."""

    deciding: tuple[float, ...]
    between: tuple[float, ...] = ()

    @property
    def ascending(self) -> tuple[float, ...]:
        return tuple(sorted({*self.deciding, *self.between}))


@dataclass(frozen=True)
class Attacked:
    """What the attacks achieved, and the size that decides."""

    subjects: Subjects
    outcome: Outcome
    sizes: Sizes
    eps: float

    @property
    def overall(self) -> float:
        """Robust accuracy of all pictures at the deciding eps."""
        return float(np.mean(self.outcome.robust(self.eps)))


def sizes_for(data: ImageData, eps: Sequence[float] | None, norm: Norm = "linf") -> Sizes:
    """The sizes asked for, else the defaults of the norm; sizes in L2 grow with the root of the picture's values.

    Raises:
        PolicyError: none, or one that no change can have.
    """
    _, height, width, channels = data.images.shape
    longest = 1.0 if norm == "linf" else math.sqrt(height * width * channels)
    if eps is not None:
        wrong = [size for size in eps if not 0 < size <= longest]
        if wrong or not eps:
            raise PolicyError(*_no_size(wrong, norm, longest))
        return Sizes(tuple(sorted(set(map(float, eps)))))
    grey = channels == 1 and max(height, width) <= GREY_SIDE
    deciding, between = (GREY_EPS, GREY_BETWEEN) if grey else (COLOUR_EPS, COLOUR_BETWEEN)
    if norm == "linf":
        return Sizes(deciding, between)
    return Sizes(*(tuple(size * L2_SHARE * longest for size in sizes) for sizes in (deciding, between)))


def _no_size(wrong: Sequence[float], norm: Norm, longest: float) -> tuple[Part, ...]:
    found = wrong[0] if wrong else "(none)"
    if norm == "linf":
        right = "a fraction of the whole range in (0, 1], such as 0.0314 for 8 of 255"
    else:
        right = f"a length in (0, {longest:.4g}], the largest between two such pictures"
    key = "robustness.eps" if norm == "linf" else "robustness.eps_l2"
    return f"eps {found} is no size of change in {NORM_WORDS[norm]}; right would be {right}. Change ", (key, None), "."


def subjects_of(data: ImageData, setting: Setting) -> Subjects:
    """The pictures with what the deployed model says of them unchanged."""
    clean = unit_interval(data.images)
    return Subjects(
        clean=clean,
        label=data.label.astype(np.int64),
        ids=data.ids,
        scores=probabilities(setting.classifier, clean, batch_size=setting.batch_size),
    )


def attack_all(subjects: Subjects, setting: Setting, sizes: Sizes, progress: Progress) -> Attacked:
    """Attack at every size from the largest down, then with the whole ensemble at the size that decides.

    What survives a large change is not attacked with a smaller one, so each picture resists in full length about once.
    The size that decides gets everything: there every picture that is still robust is attacked by every stage.
    """
    outcome = Outcome.before(subjects)
    survived = np.zeros(len(subjects), dtype=bool)
    first = setting.scouts or setting.black
    for index, size in enumerate(reversed(sizes.ascending)):
        progress(0.4 * index / len(sizes.ascending), f"attacking with {size_in_words(size, setting.norm)}")
        _attack(subjects, outcome, first, size, setting, spare=survived)
        survived |= outcome.robust(size)
    return Attacked(subjects, outcome, sizes, _settle(subjects, outcome, sizes, setting, progress))


def _settle(subjects: Subjects, outcome: Outcome, sizes: Sizes, setting: Setting, progress: Progress) -> float:
    """Run the whole ensemble at the size that decides, and again where what it breaks makes a smaller one decide."""
    settled: set[float] = set()
    while (eps := _deciding(outcome, sizes)) not in settled:
        progress(0.45, f"attacking with every attack and {size_in_words(eps, setting.norm)}")
        _attack(subjects, outcome, [*setting.white, *setting.black], eps, setting)
        settled.add(eps)
    return eps


def _attack(
    subjects: Subjects,
    outcome: Outcome,
    stages: Sequence[Stage],
    eps: float,
    setting: Setting,
    *,
    spare: NDArray[np.bool_] | None = None,
) -> None:
    attack(
        subjects,
        outcome,
        classifier=setting.classifier,
        stages=stages,
        eps=eps,
        seed=setting.seed,
        spare=spare,
        batch_size=setting.batch_size,
        norm=setting.norm,
    )


def _deciding(outcome: Outcome, sizes: Sizes) -> float:
    """The largest deciding size at which overall robust accuracy is at least .2, else the smallest.

    Where that leaves floor or ceiling and a size in between does not, the largest such size. Groups play no part.
    """
    overall = {size: float(np.mean(outcome.robust(size))) for size in sizes.ascending}
    above_floor = [size for size in sizes.deciding if overall[size] >= FLOOR]
    eps = max(above_floor) if above_floor else min(sizes.deciding)
    if informative(overall[eps]):
        return eps
    return max((size for size in sizes.between if informative(overall[size])), default=eps)


def informative(overall: float) -> bool:
    return FLOOR <= overall <= CEILING
