"""Two selection rates as whole people: four-fifths in exact numbers, and what one person more or less does to it."""

from dataclasses import dataclass
from fractions import Fraction

FOUR_FIFTHS = Fraction(4, 5)


@dataclass(frozen=True)
class Selected:
    """So many of so many people; `of` above 0."""

    people: int
    of: int

    @property
    def rate(self) -> Fraction:
        return Fraction(self.people, self.of)


def ratio(group: Selected, reference: Selected) -> Fraction | None:
    """Impact ratio, exact; None where nobody of the reference is selected."""
    return group.rate / reference.rate if reference.people else None


def with_one_swapped(group: Selected, reference: Selected) -> tuple[Selected, Selected] | None:
    """The same people, one of the group selected instead of one of the reference; None where nobody is left to swap.

    Source: Questions and Answers on the Uniform Guidelines (1979), 44 FR 11996, number 21.
    """
    if group.people == group.of or reference.people == 0:
        return None
    return Selected(group.people + 1, group.of), Selected(reference.people - 1, reference.of)


def one_person_turns(group: Selected, reference: Selected) -> bool:
    """Whether the group is selected less often than the reference, and by one person swapped more often."""
    swapped = with_one_swapped(group, reference)
    return group.rate < reference.rate and swapped is not None and swapped[0].rate > swapped[1].rate


def one_person_crosses(group: Selected, reference: Selected) -> bool:
    """Whether the ratio lies below four fifths, and by one person swapped no longer."""
    swapped = with_one_swapped(group, reference)
    if swapped is None or not below_four_fifths(group.rate, reference.rate):
        return False
    return not below_four_fifths(swapped[0].rate, swapped[1].rate)


def below_four_fifths(rate: Fraction, reference: Fraction) -> bool:
    """Strictly: .48 over .60 is four fifths and not below. Decided in fractions, since .48 / .60 < .8 in floating point."""
    return rate < FOUR_FIFTHS * reference
