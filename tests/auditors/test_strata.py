"""Strata: Berkeley 1973 as published, and the tests of statsmodels on other tables."""

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable as Reference

from evenhand.auditors.strata import (
    StratifiedTable,
    common_odds,
    conditional_disparity,
    demographic_disparity,
    homogeneity,
)

# Bickel, Hammel and O'Connell (1975), Science 187: admitted and applicants of the six largest departments.
MEN = ((512, 825), (353, 560), (120, 325), (138, 417), (53, 191), (22, 373))
WOMEN = ((89, 108), (17, 25), (202, 593), (131, 375), (94, 393), (24, 341))


def berkeley(departments: slice = slice(None)) -> StratifiedTable:
    """Women as the group, men as the comparison."""
    women, men = np.array(WOMEN[departments]), np.array(MEN[departments])
    return StratifiedTable.of(women[:, 0], women[:, 1] - women[:, 0], men[:, 0], men[:, 1] - men[:, 0])


def test_berkeley_demographic_disparity_over_all_departments() -> None:
    """METHODS 8.8."""
    assert demographic_disparity(berkeley().pooled())[0] == pytest.approx(0.1438, abs=5e-5)


def test_berkeley_demographic_disparity_by_department() -> None:
    published = [-0.0909, -0.0087, 0.0287, -0.0204, 0.0448, -0.0472]

    assert demographic_disparity(berkeley()) == pytest.approx(published, abs=5e-5)


def test_berkeley_conditional_disparity() -> None:
    assert conditional_disparity(berkeley()).estimate == pytest.approx(-0.0193, abs=5e-5)


def test_berkeley_common_odds_ratio_with_interval_and_tests() -> None:
    odds = common_odds(berkeley())

    assert odds.odds_ratio == pytest.approx(1.105, abs=5e-4)
    assert (odds.low(1.959964), odds.high(1.959964)) == pytest.approx((0.943, 1.295), abs=5e-4)
    assert odds.p_value == pytest.approx(0.217, abs=5e-4)
    assert odds.p_value_corrected == pytest.approx(0.232, abs=5e-4)


def test_berkeley_departments_differ_by_tarone() -> None:
    found = homogeneity(berkeley())

    assert found.statistic == pytest.approx(18.83, abs=5e-3)
    assert found.p_value == pytest.approx(0.0021, abs=5e-5)


def test_berkeley_without_department_a() -> None:
    assert common_odds(berkeley(slice(1, None))).odds_ratio == pytest.approx(0.970, abs=5e-4)


@pytest.mark.parametrize("seed", range(12))
def test_odds_ratio_and_both_tests_equal_those_of_statsmodels(seed: int) -> None:
    cells = np.random.default_rng(seed).integers(1, 40, (5, 4)).astype(float)

    reference = Reference([row.reshape(2, 2) for row in cells])
    table = StratifiedTable.of(*cells.T)
    odds, agreement = common_odds(table), homogeneity(table)

    assert odds.odds_ratio == pytest.approx(reference.oddsratio_pooled)
    assert odds.log_error == pytest.approx(reference.logodds_pooled_se)
    assert odds.p_value == pytest.approx(reference.test_null_odds(correction=False).pvalue, abs=1e-12)
    if odds.p_value_corrected < 1:  # statsmodels corrects past zero, R's mantelhaen.test and this stop there
        assert odds.p_value_corrected == pytest.approx(reference.test_null_odds(correction=True).pvalue, abs=1e-12)
    assert agreement.statistic == pytest.approx(reference.test_equal_odds(adjust=True).statistic)
    assert agreement.p_value == pytest.approx(reference.test_equal_odds(adjust=True).pvalue)


def test_stratum_in_which_everybody_is_favoured_is_left_out_by_name() -> None:
    table = StratifiedTable.of([10, 5], [0, 5], [10, 5], [0, 5])

    found = conditional_disparity(table)

    assert found.left_out.tolist() == [True, False]
    assert found.estimate == 0.0


def test_no_stratum_with_both_outcomes_is_undefined() -> None:
    table = StratifiedTable.of([10], [0], [10], [0])

    assert np.isnan(conditional_disparity(table).estimate)
    assert np.isnan(common_odds(table).p_value)
    assert np.isnan(homogeneity(table).p_value)


def test_no_odds_ratio_where_nobody_of_either_group_is_refused() -> None:
    assert np.isnan(common_odds(StratifiedTable.of([10], [0], [10], [0])).odds_ratio)


def test_swapping_the_groups_inverts_the_odds_ratio_and_turns_the_disparity() -> None:
    table = berkeley()
    swapped = StratifiedTable(table.others_favoured, table.others_refused, table.favoured, table.refused)

    assert common_odds(swapped).odds_ratio == pytest.approx(1 / common_odds(table).odds_ratio)
    assert conditional_disparity(swapped).estimate == pytest.approx(-conditional_disparity(table).estimate)
