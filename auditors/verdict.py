"""The three verdicts and the two rules that reach them. Where an interval comes from belongs in `intervals`."""

from enum import StrEnum


class Verdict(StrEnum):
    """What a check can say. Undefined and not assessed findings are inconclusive with a message."""

    PROVEN_DISPARITY = "proven_disparity"
    PROVEN_WITHIN = "proven_within"
    INCONCLUSIVE = "inconclusive"


class Gate(StrEnum):
    """How a check counts for the exit code: must be proven within, fails only on a proof, or not at all."""

    STRICT = "strict"
    PROOF = "proof"
    OFF = "off"


class Comparison(StrEnum):
    DIFFERENCE = "difference"
    RATIO = "ratio"
    VALUE = "value"


class Rule(StrEnum):
    """How a finding was decided."""

    INTERVAL = "interval"
    EFFECT_AND_TEST = "effect_and_test"


def effect_and_test(*, estimate: float | None, tolerance: float, p_value: float | None, level: float) -> Verdict:
    """Disparity where |estimate| reaches the tolerance and the stated test rejects.

    Args:
        estimate: the effect, signed; None where it is undefined.
        tolerance: the smallest effect that counts.
        p_value: of the stated test; None where it could not run.
        level: 1 - alpha of that test, as a fraction (.99 rejects below .01).

    Never proven within: an effect below the tolerance shows nothing without an equivalence interval.
    """
    if estimate is None or p_value is None:
        return Verdict.INCONCLUSIVE
    if abs(estimate) >= tolerance and p_value < 1 - level:
        return Verdict.PROVEN_DISPARITY
    return Verdict.INCONCLUSIVE
