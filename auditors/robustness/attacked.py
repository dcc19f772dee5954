"""Attacking at one size of change after another, and which size decides. Groups play no part here."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.errors import PolicyError
from evenhand.auditors.protocols import Progress
from evenhand.auditors.robustness.data import ImageData, unit_interval
from evenhand.auditors.robustness.ensemble import Outcome, Stage, Subjects, attack
from evenhand.auditors.robustness.masking import Setting
from evenhand.auditors.robustness.scores import probabilities
from evenhand.auditors.robustness.words import size_in_words

COLOUR_EPS = (2 / 255, 8 / 255)
COLOUR_BETWEEN = (1 / 255, 3 / 255, 4 / 255, 6 / 255, 12 / 255, 16 / 255)
GREY_EPS = (0.06, 0.12)
GREY_BETWEEN = (0.03, 0.045, 0.09, 0.18)
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


def sizes_for(data: ImageData, eps: Sequence[float] | None) -> Sizes:
    if eps is not None:
        wrong = [size for size in eps if not 0 < size <= 1]
        if wrong or not eps:
            raise PolicyError(
                f"eps {wrong[0] if wrong else '(none)'} is no size of change; right would be a fraction of the whole "
                "range in (0, 1], such as 0.0314 for 8 of 255. Change `eps` of the robustness check."
            )
        return Sizes(tuple(sorted(set(map(float, eps)))))
    _, height, width, channels = data.images.shape
    if channels == 1 and max(height, width) <= GREY_SIDE:
        return Sizes(GREY_EPS, GREY_BETWEEN)
    return Sizes(COLOUR_EPS, COLOUR_BETWEEN)


def attack_all(data: ImageData, setting: Setting, sizes: Sizes, progress: Progress) -> Attacked:
    """Attack at every size from the largest down, then with the whole ensemble at the size that decides.

    What survives a large change is not attacked with a smaller one, so each picture resists in full length about once.
    The size that decides gets everything: there every picture that is still robust is attacked by every stage.
    """
    clean = unit_interval(data.images)
    subjects = Subjects(
        clean=clean,
        label=data.label.astype(np.int64),
        ids=data.ids,
        scores=probabilities(setting.classifier, clean, batch_size=setting.batch_size),
    )
    outcome = Outcome.before(subjects)
    survived = np.zeros(len(subjects), dtype=bool)
    first = setting.scouts or setting.black
    for index, size in enumerate(reversed(sizes.ascending)):
        progress(0.4 * index / len(sizes.ascending), f"attacking with {size_in_words(size)}")
        _attack(subjects, outcome, first, size, setting, spare=survived)
        survived |= outcome.robust(size)
    return Attacked(subjects, outcome, sizes, _settle(subjects, outcome, sizes, setting, progress))


def _settle(subjects: Subjects, outcome: Outcome, sizes: Sizes, setting: Setting, progress: Progress) -> float:
    """Run the whole ensemble at the size that decides, and again where what it breaks makes a smaller one decide."""
    settled: set[float] = set()
    while (eps := _deciding(outcome, sizes)) not in settled:
        progress(0.45, f"attacking with every attack and {size_in_words(eps)}")
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
