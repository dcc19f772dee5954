"""The values that a changed feature may take: numbers within a range, categories among those observed."""

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.errors import PolicyError, listed
from evenhand.auditors.policy import FeatureRule
from evenhand.auditors.robustness.tables.quantiles import Distribution

Floats = NDArray[np.float64]

MOST_NUMBERS = 200
"""Values of an ordered feature, evenly by rank; a search ends at one of them."""
MOST_CATEGORIES = 16
"""Categories of a feature that are tried: the most frequent ones."""
COARSE = 5
"""Values tried first: so many evenly by position, and so many evenly by rank."""


def in_range(name: str, rule: FeatureRule, distribution: Distribution) -> Floats:
    """Observed values between the bounds, and the bounds that the policy names; at most `MOST_NUMBERS`, ascending.

    Raises:
        PolicyError: nothing is left between the bounds.
    """
    low = distribution.quantile(0.01) if rule.low is None else rule.low
    high = distribution.quantile(0.99) if rule.high is None else rule.high
    values = distribution.values
    whole = rule.integer if rule.integer is not None else bool(np.all(values == np.round(values)))
    named = [bound for bound in (rule.low, rule.high) if bound is not None]
    if whole:
        named = [float(np.ceil(bound)) if bound == rule.low else float(np.floor(bound)) for bound in named]
        values = values[values == np.round(values)]
    found = np.union1d(values, np.array(named, dtype=np.float64))
    found = found[(found >= low) & (found <= high)]
    if len(found) == 0:
        raise PolicyError(
            f"robustness.features.{name} allows {low:g} to {high:g}, and nothing lies between. "
            f"Observed are {distribution.values[0]:g} to {distribution.values[-1]:g}; change `low` or `high`."
        )
    if len(found) > MOST_NUMBERS:
        found = found[np.unique(np.linspace(0, len(found) - 1, MOST_NUMBERS).round().astype(np.intp))]
    return found


def named_numbers(name: str, rule: FeatureRule, distribution: Distribution) -> Floats:
    """The numbers that the policy lists, ascending.

    Raises:
        PolicyError: one is no number.
    """
    try:
        numbers = np.unique(np.array([float(text) for text in rule.values or ()], dtype=np.float64))
    except ValueError:
        raise PolicyError(
            f"robustness.features.{name}.values lists {listed(rule.values or ())}, and '{name}' holds numbers. List numbers, "
            "or say that its numbers are names: ",
            ("categorical", name),
            ".",
        ) from None
    low = -np.inf if rule.low is None else rule.low
    high = np.inf if rule.high is None else rule.high
    return numbers[(numbers >= low) & (numbers <= high)]


def named_categories(name: str, texts: list[str], seen: dict[object, int]) -> NDArray[np.object_]:
    """The observed categories that the policy lists.

    Raises:
        PolicyError: one was never observed.
    """
    by_text = {text_of(value): value for value in seen}
    unseen = [text for text in texts if text not in by_text]
    if unseen:
        raise PolicyError(
            f"robustness.features.{name}.values lists '{unseen[0]}', which no row has. Observed: {listed(sorted(by_text))}."
        )
    return _objects([by_text[text] for text in dict.fromkeys(texts)])


def most_frequent(seen: dict[object, int]) -> NDArray[np.object_]:
    """At most `MOST_CATEGORIES`, the most frequent first, equally frequent ones by their text."""
    ranked = sorted(seen, key=lambda value: (-seen[value], text_of(value)))
    return _objects(ranked[:MOST_CATEGORIES])


def coarse(positions: Floats) -> NDArray[np.intp]:
    """Indices of the values tried first: spread by position and by rank, so that a heap at one value hides no others."""
    if len(positions) == 0:
        return np.arange(0)
    wanted = np.linspace(positions[0], positions[-1], COARSE)
    by_position = np.clip(np.searchsorted(positions, wanted), 0, len(positions) - 1)
    by_rank = np.linspace(0, len(positions) - 1, COARSE).round().astype(np.intp)
    return np.union1d(by_position, by_rank).astype(np.intp)


def text_of(value: object) -> str:
    """A category as text: 3.0 as '3'."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _objects(values: list[object]) -> NDArray[np.object_]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
