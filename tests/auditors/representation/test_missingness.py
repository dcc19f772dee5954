"""Empty cells by group: rates, tests and verdicts against scipy and by simulation."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact
from statsmodels.stats.proportion import proportion_confint

from evenhand.auditors.policy import Policy
from evenhand.auditors.report import Finding, MissingByGroup
from evenhand.auditors.representation import audit_representation
from evenhand.auditors.verdict import Gate, Verdict

SIZES = (400, 600)


def groups(*sizes: int) -> tuple[np.ndarray, tuple[str | None, ...]]:
    return np.repeat(np.arange(len(sizes)), sizes).astype(np.int32), tuple("abcdefgh"[: len(sizes)])


def empty(counts: tuple[int, ...], sizes: tuple[int, ...] = SIZES) -> np.ndarray:
    """So many empty cells first in each group."""
    return np.concatenate([np.arange(n) < x for x, n in zip(counts, sizes, strict=True)])


def audited(
    missing: dict[str, np.ndarray], sizes: tuple[int, ...] = SIZES, **check: object
) -> tuple[list[MissingByGroup], list[Finding]]:
    checks = [{"audit": "representation", "metric": "missingness", "within": 0.1} | check] if check else []
    audit, findings = audit_representation(
        {"sex": groups(*sizes)},
        label=None,
        missing_by_column={},
        policy=Policy.model_validate({"check": checks}),
        missing=missing,
    )
    return audit.missing_by_group or [], findings


def test_rate_of_empty_cells_by_group_has_a_wilson_interval() -> None:
    (found,), _ = audited({"income": empty((80, 30))})

    low, high = proportion_confint(80, 400, method="wilson")
    assert [(row.missing, row.n) for row in found.groups] == [(80, 400), (30, 600)]
    assert (found.groups[0].rate.low, found.groups[0].rate.high) == pytest.approx((low, high))


def test_equal_rates_are_tested_by_chi_square() -> None:
    (found,), _ = audited({"income": empty((80, 30))})

    assert found.p_value == pytest.approx(chi2_contingency([[80, 30], [320, 570]], correction=False).pvalue)


def test_few_empty_cells_are_tested_exactly() -> None:
    (found,), _ = audited({"income": empty((4, 0))})

    assert found.p_value == pytest.approx(fisher_exact([[4, 0], [396, 600]]).pvalue)


def test_p_values_are_adjusted_over_columns() -> None:
    """Holm: the smaller of two is doubled."""
    found, _ = audited({"income": empty((80, 30)), "age": empty((40, 55))})

    assert found[0].adjusted_p == pytest.approx(2 * (found[0].p_value or 0))
    assert found[1].adjusted_p == found[1].p_value


def test_columns_without_empty_cells_and_the_attribute_itself_are_left_out() -> None:
    found, findings = audited({"income": empty((0, 0)), "sex": empty((5, 5))})

    assert (found, findings) == ([], [])


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [((200, 60), Verdict.PROVEN_DISPARITY), ((40, 60), Verdict.PROVEN_WITHIN), ((80, 60), Verdict.INCONCLUSIVE)],
)
def test_verdict_compares_the_difference_of_rates_with_the_tolerance(counts: tuple[int, int], verdict: Verdict) -> None:
    """.5, .1 and .2 against .1, with .1 tolerated."""
    _, (finding,) = audited({"income": empty(counts)})

    assert finding.verdict is verdict
    assert finding.gate is Gate.OFF


def test_finding_names_the_column_that_decides() -> None:
    _, (finding,) = audited({"age": empty((40, 55)), "income": empty((200, 60))}, gate="proof")

    assert finding.message.startswith("income is empty in .500 of a and .100 of b")
    assert finding.gate is Gate.PROOF


def test_groups_under_thirty_rows_are_listed_and_not_compared() -> None:
    (found,), _ = audited({"income": empty((20, 60), (20, 600))}, sizes=(20, 600))

    assert len(found.groups) == 2
    assert found.difference.reason == "fewer than two groups have 30 rows"


def test_very_many_groups_are_compared_and_never_shown_within() -> None:
    codes = np.repeat(np.arange(40), 50).astype(np.int32)
    cells = np.zeros(2_000, bool)
    cells[:25] = True

    audit, _ = audit_representation(
        {"place": (codes, tuple(map(str, range(40))))}, label=None, missing_by_column={}, missing={"x": cells}
    )

    assert audit.missing_by_group is not None
    assert audit.missing_by_group[0].verdict is Verdict.PROVEN_DISPARITY


def test_equal_rates_are_seldom_accused() -> None:
    """200 draws, five columns, three groups, no tolerance: more than 19 claims at .05 have a chance of .004."""
    rng = np.random.default_rng(0)
    sizes = (300, 300, 400)

    claims = 0
    for _ in range(200):
        missing = {name: rng.random(1_000) < 0.2 for name in "vwxyz"}
        _, (finding,) = audited(missing, sizes=sizes, within=0.0)
        claims += finding.verdict is Verdict.PROVEN_DISPARITY

    assert claims <= 19
