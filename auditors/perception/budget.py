"""What may be asked where each answer costs: every step is counted before the first is taken. Counts belong to the checks.

Answers are counted, gradients are not: a classifier that gives them is at hand.
"""

from collections.abc import Iterable
from dataclasses import dataclass

DECISIONS = "the pictures themselves"
"""The first step of every plan, that all others stand on."""
OF_ENDPOINT = 20_000
"""Pictures asked about in all where the classifier is an endpoint, and the policy says nothing."""


@dataclass(frozen=True)
class Step:
    """One thing to ask, in words, and the most pictures that it is asked with."""

    name: str
    queries: int


@dataclass(frozen=True)
class Plan:
    """What is asked and what is not.

    Attributes:
        limit: pictures asked about in all; None: as many as there are to ask, and nothing was counted.
        steps: all there are, those that decide first before the others.
        refused: names of those that do not fit.
    """

    limit: int | None = None
    steps: tuple[Step, ...] = ()
    refused: frozenset[str] = frozenset()

    @property
    def queries(self) -> int:
        """Pictures that the steps taken ask about, at most."""
        return sum(step.queries for step in self.steps if step.name not in self.refused)

    def refuses(self, name: str) -> bool:
        return name in self.refused

    def refusal(self, name: str) -> str | None:
        """Why a step is not taken; None where it is."""
        if not self.refuses(name):
            return None
        return (
            f"asking about {name} would need a budget of {self.needed(name):,} queries, and {self.limit:,} are allowed; "
            "`queries` under [perception] in the policy allows more"
        )

    def needed(self, name: str) -> int:
        """A limit under which this step fits, with all before it."""
        place = [step.name for step in self.steps].index(name)
        return sum(step.queries for step in self.steps[: place + 1])

    def in_words(self) -> list[str]:
        """What was asked and what was not, as sentences for the report; none without a limit."""
        if self.limit is None:
            return []
        taken = [f"{step.name} {step.queries:,}" for step in self.steps if step.name not in self.refused]
        left = [
            f"{step.name} {step.queries:,} (a budget of {self.needed(step.name):,})"
            for step in self.steps
            if step.name in self.refused
        ]
        sentences = [
            f"The classifier was asked about at most {self.queries:,} pictures, of {self.limit:,} allowed"
            f"{': ' if taken else ''}{', '.join(taken)}. This was planned from counts, in the order of what decides first; "
            "a step that does not fit in what is left is not taken."
        ]
        return sentences + ([f"Not asked, for the queries it would take: {', '.join(left)}."] if left else [])


UNPLANNED = Plan()


def planned(steps: Iterable[Step], *, limit: int) -> Plan:
    """In their order, each step whole where it fits in what is left; where the first does not fit, none.

    Args:
        steps: those that decide first; steps without a picture are dropped.
        limit: pictures asked about in all.
    """
    asked = tuple(step for step in steps if step.queries)
    refused: set[str] = set()
    left = limit
    for step in asked:
        if step.queries > left or DECISIONS in refused:
            refused.add(step.name)
        else:
            left -= step.queries
    return Plan(limit, asked, frozenset(refused))


def limit_of(*, endpoint: bool, queries: int | None, pictures: int) -> int | None:
    """What was asked for; where nothing was, an endpoint's is 20,000, or each picture once where there are more."""
    if queries is None and endpoint:
        return max(OF_ENDPOINT, pictures)
    return queries
