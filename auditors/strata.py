"""Two groups within strata: conditional demographic disparity, the common odds ratio, and whether the strata agree.

Pure statistics of counts by stratum. What they mean for an audit belongs in `disparity`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, ndtr

Floats = NDArray[np.float64]

HOMOGENEITY_LEVEL = 0.05
"""Tarone's test below this says that the strata differ: then they are shown, not one number."""


@dataclass(frozen=True)
class StratifiedTable:
    """Favoured and not favoured people of one group and of its comparison, by stratum; four arrays of shape (strata,).

    Attributes:
        favoured, refused: of the group.
        others_favoured, others_refused: of those it is compared with.
    """

    favoured: Floats
    refused: Floats
    others_favoured: Floats
    others_refused: Floats

    @classmethod
    def of(
        cls, favoured: ArrayLike, refused: ArrayLike, others_favoured: ArrayLike, others_refused: ArrayLike
    ) -> "StratifiedTable":
        columns = (favoured, refused, others_favoured, others_refused)
        return cls(*(np.asarray(column, dtype=np.float64) for column in columns))

    @property
    def n(self) -> Floats:
        """People by stratum."""
        return self.favoured + self.refused + self.others_favoured + self.others_refused

    def pooled(self) -> "StratifiedTable":
        """All strata as one."""
        return StratifiedTable.of(
            *([x.sum()] for x in (self.favoured, self.refused, self.others_favoured, self.others_refused))
        )


def demographic_disparity(table: StratifiedTable) -> Floats:
    """By stratum, the group's share among those refused minus its share among those favoured.

    Returns:
        Shape (strata,), in [-1, 1]; above 0 the group is refused more than its part. NaN where nobody is refused or
        nobody favoured.

    Source: Wachter, Mittelstadt and Russell (2021), Computer Law & Security Review 41.
    """
    refused, favoured = table.refused + table.others_refused, table.favoured + table.others_favoured
    with np.errstate(divide="ignore", invalid="ignore"):
        return table.refused / refused - table.favoured / favoured


@dataclass(frozen=True)
class Conditional:
    """Conditional demographic disparity with its standard error; both NaN where no stratum has it.

    Attributes:
        left_out: shape (strata,), strata with people in which nobody is refused or nobody favoured.
    """

    estimate: float
    error: float
    left_out: NDArray[np.bool_]


def conditional_disparity(table: StratifiedTable, *, weights: Floats | None = None) -> Conditional:
    """Mean of the strata's demographic disparity, weighted by their people.

    Args:
        weights: shape (strata,), people behind each stratum where the table holds effective counts.

    The standard error takes the shares among refused and among favoured as independent proportions, with one person
    added to each side so that an empty cell does not claim certainty (Agresti and Caffo 2000).
    """
    refused, favoured = table.refused + table.others_refused, table.favoured + table.others_favoured
    each = demographic_disparity(table)
    known = ~np.isnan(each)
    size = (table.n if weights is None else weights).astype(np.float64)
    left_out = ~known & (size > 0)
    if not known.any() or size[known].sum() <= 0:
        return Conditional(np.nan, np.nan, left_out)
    share = size[known] / size[known].sum()
    variance = np.zeros(int(known.sum()))
    for part, whole in ((table.refused[known], refused[known]), (table.favoured[known], favoured[known])):
        p = (part + 1) / (whole + 2)
        variance += p * (1 - p) / (whole + 2)
    return Conditional(float(share @ each[known]), float(np.sqrt(share**2 @ variance)), left_out)


@dataclass(frozen=True)
class CommonOdds:
    """The odds ratio common to all strata, and the test that it is 1; NaN where no stratum can say.

    Attributes:
        odds_ratio: of being favoured, group over comparison; 0 or infinite where a cell is empty in every stratum.
        log_error: standard error of its logarithm.
        p_value: of the Cochran-Mantel-Haenszel test; p_value_corrected with the continuity correction.
    """

    odds_ratio: float
    log_error: float
    p_value: float
    p_value_corrected: float

    def low(self, z: float) -> float:
        return float(np.exp(np.log(self.odds_ratio) - z * self.log_error)) if self.odds_ratio > 0 else np.nan

    def high(self, z: float) -> float:
        return float(np.exp(np.log(self.odds_ratio) + z * self.log_error)) if self.odds_ratio > 0 else np.nan


def common_odds(table: StratifiedTable) -> CommonOdds:
    """Mantel and Haenszel's odds ratio with the interval of Robins, Breslow and Greenland, and the test of 1.

    Sources: Mantel and Haenszel (1959), JNCI 22; Robins, Breslow and Greenland (1986), Biometrics 42.
    """
    n = table.n
    keep = n > 1
    a, b, c, d, n = (x[keep] for x in (table.favoured, table.refused, table.others_favoured, table.others_refused, n))
    if not len(n):
        return CommonOdds(np.nan, np.nan, np.nan, np.nan)
    r, s = a * d / n, b * c / n
    p, q = (a + d) / n, (b + c) / n
    big_r, big_s = float(r.sum()), float(s.sum())
    odds = big_r / big_s if big_s > 0 else (np.inf if big_r > 0 else np.nan)
    error = np.nan
    if big_r > 0 and big_s > 0:
        error = float(
            np.sqrt(
                (p * r).sum() / (2 * big_r**2)
                + (p * s + q * r).sum() / (2 * big_r * big_s)
                + (q * s).sum() / (2 * big_s**2)
            )
        )
    expected = (a + b) * (a + c) / n
    variance = float(((a + b) * (c + d) * (a + c) * (b + d) / (n**2 * (n - 1))).sum())
    away = abs(float((a - expected).sum()))
    if variance <= 0:
        return CommonOdds(odds, error, np.nan, np.nan)
    plain, corrected = away / np.sqrt(variance), max(away - 0.5, 0.0) / np.sqrt(variance)
    return CommonOdds(odds, error, float(2 * ndtr(-plain)), float(2 * ndtr(-corrected)))


@dataclass(frozen=True)
class Homogeneity:
    """Tarone's test that the odds ratio is the same in all strata; NaN where fewer than two strata can say."""

    statistic: float
    p_value: float
    strata: int


def homogeneity(table: StratifiedTable) -> Homogeneity:
    """Breslow and Day's statistic with Tarone's correction, chi-squared with one degree fewer than informative strata.

    Source: Tarone (1985), Biometrika 72.
    """
    odds = common_odds(table).odds_ratio
    a, b, c, d = table.favoured, table.refused, table.others_favoured, table.others_refused
    informative = (a + b > 0) & (c + d > 0) & (a + c > 0) & (b + d > 0)
    strata = int(informative.sum())
    if strata < 2 or not np.isfinite(odds) or odds <= 0:
        return Homogeneity(np.nan, np.nan, strata)
    a, b, c, d = (x[informative] for x in (a, b, c, d))
    expected = _expected(a + b, a + c, c + d, odds)
    corner = a + b - expected, a + c - expected, d - a + expected
    with np.errstate(divide="ignore"):
        variance = 1 / (1 / expected + 1 / corner[0] + 1 / corner[1] + 1 / corner[2])
    statistic = float(((a - expected) ** 2 / variance).sum() - (a - expected).sum() ** 2 / variance.sum())
    return Homogeneity(statistic, float(chdtrc(strata - 1, max(statistic, 0.0))), strata)


def _expected(row: Floats, column: Floats, other_row: Floats, odds: float) -> Floats:
    """The first cell of 2 × 2 tables with these margins and this odds ratio: the root of a quadratic in range."""
    if abs(odds - 1) < 1e-12:
        exact: Floats = row * column / (row + other_row)
        return exact
    square = 1 - odds
    linear = other_row - column + odds * (row + column)
    constant = -odds * row * column
    root = np.sqrt(linear**2 - 4 * square * constant)
    first, second = (-linear + root) / (2 * square), (-linear - root) / (2 * square)
    least, most = np.maximum(0.0, column - other_row), np.minimum(row, column)
    inside = (first >= least - 1e-9) & (first <= most + 1e-9)
    return np.clip(np.where(inside, first, second), least, most)
