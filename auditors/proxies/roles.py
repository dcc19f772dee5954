"""What a block is to an attribute, and what that lets a finding claim.

The numbers come from `encoding` and `contribution`.
"""

from dataclasses import dataclass

from evenhand.auditors.intervals import normal_quantile
from evenhand.auditors.proxies.contribution import Part
from evenhand.auditors.report import Role
from evenhand.auditors.verdict import Verdict

USED = 0.01
"""Share of decisions that must change when a block is permuted."""

ROLE_ORDER: tuple[Role, ...] = ("neutral", "latent_proxy", "masking", "joint_proxy", "proxy")
"""From what asks for least to what asks for most."""

SMALLEST_TOLERANCE = 0.01
TOLERATED_SHARE = 0.10
POWER = 0.80


@dataclass(frozen=True)
class Claim:
    """A contribution against its tolerance.

    `level` is that of the deciding interval, shared over everything that could be claimed.
    """

    part: Part
    tolerance: float
    level: float
    alpha: float

    @property
    def low(self) -> float:
        return self.part.bounds(self.level)[0]

    @property
    def high(self) -> float:
        return self.part.bounds(self.level)[1]

    @property
    def equivalence(self) -> tuple[float, float]:
        """One-sided alpha each way."""
        return self.part.bounds(1 - 2 * self.alpha)

    @property
    def widens(self) -> bool:
        return self.low > self.tolerance

    @property
    def narrows(self) -> bool:
        return self.high < -self.tolerance

    @property
    def within(self) -> bool:
        low, high = self.equivalence
        return -self.tolerance < low and high < self.tolerance


def tolerance_of(gap: float) -> float:
    """A contribution counts beyond .01 and beyond a tenth of the gap."""
    return max(SMALLEST_TOLERANCE, TOLERATED_SHARE * abs(gap))


def role_of(*, encodes: bool, used: bool, claim: Claim | None, joint: bool = False) -> Role:
    """Proxy: encodes, is used, widens the gap. Masking: narrows it. Latent: encodes, without being shown to do either.

    Args:
        encodes: the block, or with `joint` the set it belongs to, tells the groups apart.
        used: permuting it changes at least 1 % of the decisions.
        claim: its contribution; None without a model.
        joint: it encodes only together with others.

    Source: black-box form of Datta et al. (2017), Use Privacy in Data-Driven Systems, CCS.
    """
    if not encodes:
        return "neutral"
    if used and claim is not None and claim.widens:
        return "joint_proxy" if joint else "proxy"
    if used and claim is not None and claim.narrows:
        return "masking"
    return "latent_proxy"


def verdict_of(role: Role, claim: Claim | None) -> Verdict:
    """Only a proxy is proven against, only a neutral block proven within; whatever else is left to people."""
    if claim is None:
        return Verdict.INCONCLUSIVE
    if role in ("proxy", "joint_proxy") and claim.widens:
        return Verdict.PROVEN_DISPARITY
    if role == "neutral" and claim.within:
        return Verdict.PROVEN_WITHIN
    return Verdict.INCONCLUSIVE


def detectable(claim: Claim) -> float:
    """The smallest true contribution that this error would have proven with 80 % power."""
    return claim.tolerance + _reach(claim.level) * claim.part.error


def rows_needed(role: Role, claim: Claim, rows: int) -> int | None:
    """Rows at which the role's claim would be proven with 80 % power; None where none can be.

    A block that encodes: if the estimate is the truth and lies beyond the tolerance. A neutral one: if the truth is 0
    and the estimate lies within.
    """
    if role == "neutral":
        # both one-sided tests must pass
        reach = normal_quantile(1 - claim.alpha) + normal_quantile((1 + POWER) / 2)
        distance = claim.tolerance if abs(claim.part.estimate) < claim.tolerance else 0.0
    else:
        reach, distance = _reach(claim.level), claim.part.estimate - claim.tolerance
    if claim.part.error == 0 or distance <= 0:
        return None
    return max(1, int(-(-rows * (reach * claim.part.error / distance) ** 2 // 1)))


def _reach(level: float) -> float:
    return normal_quantile((1 + level) / 2) + normal_quantile(POWER)
