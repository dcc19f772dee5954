"""What attacks may cost where each picture is a request: which pictures are attacked, and with how many queries."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.data import ImageData, levels_of
from evenhand.auditors.robustness.ensemble import Strength
from evenhand.auditors.robustness.noise import sample_keys


@dataclass(frozen=True)
class Budget:
    """Limits on what attacks ask; None: every picture, and what the strength says.

    Attributes:
        pictures_per_group: pictures for each class and group of the attribute with most groups, on average.
        queries: of the search on one picture at one size.
        label_queries: the same where the classifier answers with labels alone.
        noise_draws: draws of random noise on one picture at one size.
    """

    pictures_per_group: int | None = None
    queries: int | None = None
    label_queries: int | None = None
    noise_draws: int | None = None

    @classmethod
    def of(cls, *, endpoint: bool, pictures_per_group: int | None, queries: int | None) -> "Budget":
        """What was asked for; where nothing was, an endpoint's pictures and queries are few."""
        if endpoint:
            return cls(pictures_per_group or 50, queries or 100, queries or 300, noise_draws=5)
        return cls(pictures_per_group, queries, queries)

    def applied(self, strength: Strength) -> Strength:
        return replace(
            strength,
            queries=self.queries or strength.queries,
            label_queries=self.label_queries or strength.label_queries,
            noise_draws=self.noise_draws or strength.noise_draws,
        )

    def drawn(self, data: ImageData, *, attributes: tuple[str, ...], seed: int) -> ImageData:
        """A simple random sample of whole units (of pairs where no unit is named), which depends on seed and ids alone.

        Units are drawn until they have the pictures that are wanted, whatever their groups: shares stay those of the data.
        """
        if self.pictures_per_group is None:
            return data
        known = (sum(level.comparable for level in levels_of(data, attribute)) for attribute in attributes)
        most = self.pictures_per_group * len(data.classes) * max(known)
        if len(data) <= most:
            return data
        unit = _kept_together(data)
        order = np.lexsort((unit, sample_keys(seed, unit, "pictures drawn")))
        whole = unit[order]
        # the unit that the last wanted picture belongs to is taken in full
        until = np.flatnonzero(whole == whole[most - 1])[-1] + 1
        return taken(data, np.sort(order[:until]))


UNLIMITED = Budget()


def _kept_together(data: ImageData) -> NDArray[np.int64]:
    """What is drawn or left as a whole, shape (n,)."""
    for together in (data.unit, data.pair):
        if together is not None:
            return together.astype(np.int64)
    return data.ids


def taken(data: ImageData, rows: NDArray[np.intp]) -> ImageData:
    """Some of the pictures."""
    return replace(
        data,
        images=data.images[rows],
        label=data.label[rows],
        attributes={name: (codes[rows], texts) for name, (codes, texts) in data.attributes.items()},
        unit=None if data.unit is None else data.unit[rows],
        pair=None if data.pair is None else data.pair[rows],
        ids=data.ids[rows],
    )


def drawn_in_words(data: ImageData, whole: ImageData, budget: Budget) -> list[str]:
    """A sentence on the sample; none where every picture was attacked."""
    if len(data) == len(whole):
        return []
    together = "units" if whole.unit is not None else "pairs" if whole.pair is not None else "pictures"
    return [
        f"{len(data):,} of {len(whole):,} pictures were attacked, about {budget.pictures_per_group} for each class and "
        f"group: a random sample of whole {together}, drawn from the seed. Every number here is about these pictures; "
        "pictures_per_group under [robustness] in the policy asks for more."
    ]
