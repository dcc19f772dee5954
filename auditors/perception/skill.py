"""Whether a classifier is shown to tell the classes of real pictures apart: what it dreams of them says little else."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.clusters import Counts, Interval, Spread, generator, resampled, unit_table
from evenhand.auditors.robustness.gaps import TEST_LEVEL


@dataclass(frozen=True)
class Skill:
    """Accuracy with classes counting alike, its interval at .99 over units, and what guessing would reach."""

    balanced_accuracy: float
    interval: Interval
    by_chance: float

    @property
    def shown(self) -> bool:
        return self.interval.known and self.interval.low > self.by_chance

    def in_words(self) -> str:
        """Why nothing can be read off the classifier, where its skill is not shown."""
        known = f" [{self.interval.low:.2f}, {self.interval.high:.2f}] at 99 %" if self.interval.known else ""
        return (
            f"the classifier is not shown to tell the classes apart: balanced accuracy {self.balanced_accuracy:.2f}{known}, "
            f"and more than {self.by_chance:.2f} would have to be shown"
        )


def skill_of(decided: NDArray[np.int64], label: NDArray[np.int64], unit: NDArray[np.int64], *, seed: int) -> Skill:
    """Of decisions about pictures, all of shape (n,); by chance one over the number of classes that are there."""
    classes, own = np.unique(label, return_inverse=True)
    own = own.reshape(-1).astype(np.int64)
    table = unit_table(decided == label, unit=unit, label=own, group=np.zeros_like(own), classes=len(classes), groups=1)
    draws = _balanced(*resampled(table, generator(seed, "skill")))
    estimate = float(_balanced(*table.sums())[0])
    spread = Spread(estimate=estimate, draws=draws[np.isfinite(draws)], units=table.units)
    return Skill(estimate, spread.interval(TEST_LEVEL), 1 / len(classes))


def _balanced(right: Counts, total: Counts) -> NDArray[np.float64]:
    """Mean over classes of the share decided rightly; NaN where a draw lacks a class."""
    rates = np.full(right.shape, np.nan)
    np.divide(right, total, out=rates, where=total > 0)
    return np.asarray(rates[:, :, 0].mean(axis=1), dtype=np.float64)
