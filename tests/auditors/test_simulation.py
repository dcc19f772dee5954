"""The claims of the verdicts, checked by drawing audits whose truth is known (METHODS 2).

What takes minutes is marked slow; a smaller draw of the same always runs. Tolerances are two standard errors of the draw
beyond the claim, or what METHODS states.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from evenhand.auditors.counts import CountTable, GroupCounts
from evenhand.auditors.disparity import Meaning, audit_group_disparity
from evenhand.auditors.disparity.answer import answer
from evenhand.auditors.disparity.entropy import entropy_finding, generalized_entropy_between
from evenhand.auditors.disparity.evidence import Evidence
from evenhand.auditors.disparity.plan import PlannedCheck, planned
from evenhand.auditors.disparity.versus import Reference, against_reference, against_rest
from evenhand.auditors.exact_tests import exact
from evenhand.auditors.intervals import difference_interval, ratio_interval
from evenhand.auditors.metrics import COUNT_METRICS
from evenhand.auditors.policy import Check, Policy
from evenhand.auditors.strata import StratifiedTable, common_odds, conditional_disparity
from evenhand.auditors.verdict import Comparison, Gate, Verdict

MEANING = Meaning("1", "1", "y", "yhat", favourable_is_positive=True)
Z = 1.959963984540054
ALPHA = 0.05


def two_errors(share: float, draws: int) -> float:
    return 2 * float(np.sqrt(share * (1 - share) / draws))


def check_of(metric: str, within: float) -> PlannedCheck:
    """Not gated, which spares listing the pairs and changes no error: alone it has all of alpha either way."""
    policy = Policy(check=[Check(metric=metric, within=within, gate=Gate.OFF)])
    return planned(policy, sensitive=("g",), with_labels=True, favourable_is_positive=True)[0]


def counts_of(cells: np.ndarray) -> GroupCounts:
    cells = cells.astype(np.float64)
    groups = tuple({"g": str(i)} for i in range(len(cells)))
    return GroupCounts(("g",), groups, cells.sum(axis=(1, 2)).astype(np.int64), cells, cells)


def drawn(
    rng: np.random.Generator,
    rows: Sequence[int],
    *,
    true_positive_rate: Sequence[float],
    false_positive_rate: Sequence[float],
    base: float = 0.5,
) -> np.ndarray:
    """Cells of groups with these rates; how many are labelled positive is fixed. Shape (k, 2, 2).

    A selection rate drawn so has the spread of independent rows only where both rates are one: fixed labels that matter
    take chance away.
    """
    positives = np.rint(np.asarray(rows) * base).astype(np.int64)
    negatives = np.asarray(rows) - positives
    tp, fp = rng.binomial(positives, true_positive_rate), rng.binomial(negatives, false_positive_rate)
    return np.stack([np.stack([negatives - fp, fp], axis=-1), np.stack([positives - tp, tp], axis=-1)], axis=-2)


# --- intervals of one comparison ---

SETTINGS = [(n1, n2, p1, p2) for n1, n2 in ((30, 30), (100, 100), (50, 500)) for p1, p2 in ((0.5, 0.5), (0.3, 0.2))]


@pytest.mark.parametrize(("n1", "n2", "p1", "p2"), SETTINGS)
@pytest.mark.parametrize("comparison", [Comparison.DIFFERENCE, Comparison.RATIO])
def test_score_interval_covers_within_a_point_and_a_half(
    n1: int, n2: int, p1: float, p2: float, comparison: Comparison
) -> None:
    rng = np.random.default_rng(1)
    x1, x2 = rng.binomial(n1, p1, 20_000), rng.binomial(n2, p2, 20_000)
    interval, truth = (
        (difference_interval, p1 - p2) if comparison is Comparison.DIFFERENCE else (ratio_interval, p1 / p2)
    )

    bounds = interval(x1, n1, x2, n2, z=Z)
    defined = np.isfinite(bounds.low)
    covered = (bounds.low[defined] <= truth) & (truth <= bounds.high[defined])

    assert covered.mean() == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_fisher_and_boschloo_hold_their_level_and_mid_p_nearly(rate: float) -> None:
    """All tables of 12 and 18 rows at one rate, each with its probability."""
    n1, n2 = 12, 18
    first, second = _binomial(n1, rate), _binomial(n2, rate)
    level = dict.fromkeys(("fisher", "boschloo", "mid_p"), 0.0)
    for x1 in range(n1 + 1):
        for x2 in range(n2 + 1):
            found = exact(x1, n1, x2, n2)
            for name in level:
                level[name] += first[x1] * second[x2] * (getattr(found, name) <= ALPHA)

    assert level["fisher"] <= level["boschloo"] <= ALPHA
    assert level["mid_p"] <= 0.06


def _binomial(n: int, rate: float) -> np.ndarray:
    from scipy.stats import binom

    return np.asarray(binom.pmf(np.arange(n + 1), n, rate))


# --- false proofs of a whole audit ---


def _tables(audits: int, *, seed: int, groups: tuple[int, int], rate: float) -> Iterator[CountTable]:
    """Rows of two independent attributes, all groups with one rate of being selected, whatever the label."""
    rng = np.random.default_rng(seed)
    k, m = groups
    values = tuple(map(str, range(k))), tuple(map(str, range(m)))
    for _ in range(audits):
        n = rng.multinomial(400 * k, np.full(k * m, 1 / (k * m))).reshape(k, m)
        label = rng.binomial(n, 0.5)
        cells = np.zeros((k, m, 2, 2), dtype=np.int64)
        for value, rows in ((0, n - label), (1, label)):
            x = rng.binomial(rows, rate)
            cells[:, :, value, 1], cells[:, :, value, 0] = x, rows - x
        yield CountTable(("a", "b"), values, cells)


def _accused(tables: Iterable[CountTable], policy: Policy) -> float:
    """Share of audits in which a gated check proves a disparity."""
    checks = gated_of(policy)
    return float(
        np.mean(
            [
                any(
                    answer(check, Evidence(table.of(*check.attributes))).composite.verdict is Verdict.PROVEN_DISPARITY
                    for check in checks
                )
                for table in tables
            ]
        )
    )


def gated_of(policy: Policy) -> list[PlannedCheck]:
    """The gated checks of two attributes with the error that each has, no longer gated, so that no pairs are listed."""
    checks = planned(policy, sensitive=("a", "b"), with_labels=True, favourable_is_positive=True)
    return [replace(check, gate=Gate.OFF) for check in checks if check.gate is not Gate.OFF]


BEYOND_NOTHING = Policy.model_validate(
    {
        "data": {"intersections": 1},
        "check": [
            {"metric": "demographic_parity_difference", "within": 0.0},
            {"metric": "equalized_odds_difference", "within": 0.0},
        ],
    }
)
"""The hardest tolerance for false proofs: the truth lies on it."""


def test_equal_groups_are_hardly_ever_accused() -> None:
    tables = _tables(25, seed=3, groups=(3, 2), rate=0.4)

    assert _accused(tables, BEYOND_NOTHING) <= ALPHA + two_errors(ALPHA, 25)


def test_checks_alone_say_what_the_whole_audit_says() -> None:
    """So that the draws here, which spare the rest of the audit, speak for it."""
    for table in _tables(5, seed=15, groups=(3, 2), rate=0.4):
        findings = audit_group_disparity(table, policy=BEYOND_NOTHING, meaning=MEANING, rng=np.random.default_rng(0))[1]

        alone = [answer(check, Evidence(table.of(*check.attributes))).composite for check in gated_of(BEYOND_NOTHING)]

        whole = {f.id: (f.low, f.high, f.verdict) for f in findings if f.gate is not Gate.OFF}
        assert {f.id: (f.low, f.high, f.verdict) for f in alone} == whole


@pytest.mark.slow
@pytest.mark.parametrize("groups", [(2, 2), (5, 3)])
def test_no_gap_is_proven_in_at_most_alpha_of_2_000_audits(groups: tuple[int, int]) -> None:
    tables = _tables(2000, seed=4, groups=groups, rate=0.4)

    assert _accused(tables, BEYOND_NOTHING) <= ALPHA + two_errors(ALPHA, 2000)


@pytest.mark.slow
def test_default_policy_accuses_equal_groups_in_at_most_alpha_of_2_000_audits() -> None:
    tables = _tables(2000, seed=5, groups=(3, 2), rate=0.4)

    assert _accused(tables, Policy()) <= ALPHA


AT_THE_TOLERANCE = Policy.model_validate(
    {
        "data": {"intersections": 1},
        "check": [
            {"metric": "demographic_parity_difference", "within": 0.1},
            {"metric": "equalized_odds_difference", "within": 0.1},
        ],
    }
)


def _falsely_within(audits: int, *, seed: int) -> float:
    """Share of audits that show a check of the first attribute within, though both its gaps lie on the tolerance."""
    rng = np.random.default_rng(seed)
    checks = gated_of(AT_THE_TOLERANCE)
    wrong = 0
    for _ in range(audits):
        attributes = [
            counts_of(drawn(rng, [1500, 1500], true_positive_rate=[0.5, 0.4], false_positive_rate=[0.5, 0.4]))
            for _ in ("a", "b")
        ]
        wrong += any(
            answer(check, Evidence(attributes[check.attributes == ("b",)])).composite.verdict is Verdict.PROVEN_WITHIN
            for check in checks
        )
    return wrong / audits


def test_gap_on_the_tolerance_is_hardly_ever_shown_within() -> None:
    """Two metrics on two attributes, all four gaps on their tolerance."""
    assert _falsely_within(40, seed=6) <= ALPHA + two_errors(ALPHA, 40)


@pytest.mark.slow
def test_gap_on_the_tolerance_is_shown_within_in_at_most_alpha_of_2_000_audits() -> None:
    assert _falsely_within(2000, seed=7) <= ALPHA + two_errors(ALPHA, 2000)


@pytest.mark.slow
def test_gap_on_the_tolerance_of_five_groups_is_proven_beyond_in_at_most_alpha() -> None:
    """Two groups lie .1 apart and three between them."""
    rng = np.random.default_rng(8)
    check = check_of("selection_rate", 0.1)
    rates = [0.45, 0.35, 0.4, 0.4, 0.4]

    wrong = sum(
        answer(
            check, Evidence(counts_of(drawn(rng, [300] * 5, true_positive_rate=rates, false_positive_rate=rates)))
        ).composite.verdict
        is Verdict.PROVEN_DISPARITY
        for _ in range(1000)
    )

    assert wrong / 1000 <= ALPHA


# --- the rest and a reference ---


def _covered_together(kind: str, draws: int) -> float:
    """Share of draws in which all intervals of five unequal groups cover the truth at once."""
    rng = np.random.default_rng(9)
    check = check_of("selection_rate", 0.1)
    rows, rates = [150, 200, 250, 300, 600], np.array([0.3, 0.35, 0.4, 0.4, 0.5])
    total = np.array(rows) @ rates
    truth_of_rest = {
        str(i): p - (total - n * p) / (sum(rows) - n) for i, (n, p) in enumerate(zip(rows, rates, strict=True))
    }
    hits = 0
    compared = np.ones(5, dtype=bool)
    for _ in range(draws):
        evidence = Evidence(counts_of(drawn(rng, rows, true_positive_rate=rates, false_positive_rate=rates)))
        metric = COUNT_METRICS["selection_rate"]
        if kind == "rest":
            found = against_rest(check, evidence, metric, compared)
            hits += all(f.low <= truth_of_rest[f.group["g"]] <= f.high for f in found)
        else:
            found = against_reference(check, evidence, metric, compared, Reference(4, "declared"))
            hits += all(f.low <= rates[int(f.group["g"])] - rates[4] <= f.high for f in found)
    return hits / draws


@pytest.mark.parametrize("kind", ["rest", "reference"])
def test_intervals_against_the_rest_and_a_reference_cover_together(kind: str) -> None:
    assert _covered_together(kind, 100) >= 0.95 - two_errors(0.95, 100)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "least", "most"), [("rest", 0.94, 0.985), ("reference", 0.935, 0.965)])
def test_intervals_against_the_rest_and_a_reference_cover_in_2_000_draws(kind: str, least: float, most: float) -> None:
    """Bonferroni over the rest errs on the safe side; Dunnett's quantile is exact but for the normal approximation."""
    assert least <= _covered_together(kind, 2000) <= most


# --- strata and entropy ---


def test_common_odds_ratio_covers_within_a_point_and_a_half() -> None:
    rng = np.random.default_rng(10)
    n, others, base, odds = (
        np.array([60, 80, 40, 120]),
        np.array([90, 50, 100, 70]),
        np.array([0.2, 0.4, 0.6, 0.5]),
        0.7,
    )
    rate = odds * base / (1 - base + odds * base)
    hits = 0
    for _ in range(4000):
        x, y = rng.binomial(n, rate), rng.binomial(others, base)
        found = common_odds(StratifiedTable.of(x, n - x, y, others - y))
        hits += found.low(Z) <= odds <= found.high(Z)

    assert hits / 4000 == pytest.approx(0.95, abs=0.015)


def test_conditional_disparity_covers_within_a_point_and_a_half() -> None:
    """People of each stratum are refused or favoured; the group's share differs between the two by a known amount."""
    rng = np.random.default_rng(11)
    refused, favoured = np.array([80, 150, 60]), np.array([120, 100, 90])
    share_refused, share_favoured = np.array([0.5, 0.35, 0.2]), np.array([0.4, 0.35, 0.25])
    size = refused + favoured
    truth = float(size @ (share_refused - share_favoured) / size.sum())
    hits = 0
    for _ in range(4000):
        r, f = rng.binomial(refused, share_refused), rng.binomial(favoured, share_favoured)
        found = conditional_disparity(StratifiedTable.of(f, r, favoured - f, refused - r))
        hits += abs(found.estimate - truth) <= Z * found.error

    assert hits / 4000 == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("rates", [([0.7, 0.5], [0.3, 0.2]), ([0.7, 0.6, 0.5, 0.6], [0.2, 0.2, 0.3, 0.4])])
def test_between_group_entropy_covers(rates: tuple[list[float], list[float]]) -> None:
    """Within two points: the noncentral chi-squared takes the groups' spreads as one."""
    rng = np.random.default_rng(12)
    check = check_of("generalized_entropy_between", 0.01)
    rows = [400, 800, 300, 500][: len(rates[0])]
    positives = np.rint(np.array(rows) * 0.5)
    truth_cells = np.stack(
        [
            np.stack([(rows - positives) * (1 - np.array(rates[1])), (rows - positives) * np.array(rates[1])], axis=-1),
            np.stack([positives * (1 - np.array(rates[0])), positives * np.array(rates[0])], axis=-1),
        ],
        axis=-2,
    )
    truth, hits = generalized_entropy_between(truth_cells), 0
    for _ in range(2000):
        cells = drawn(rng, rows, true_positive_rate=rates[0], false_positive_rate=rates[1])
        finding = entropy_finding(check, Evidence(counts_of(cells)))
        hits += finding.low <= truth <= finding.high

    assert hits / 2000 >= 0.93


# --- power that rows_needed and detectable promise ---


def _power(
    check: PlannedCheck, rows: Sequence[int], tpr: Sequence[float], fpr: Sequence[float], want: Verdict, draws: int
) -> float:
    rng = np.random.default_rng(13)
    hits = 0
    for _ in range(draws):
        cells = drawn(rng, rows, true_positive_rate=tpr, false_positive_rate=fpr)
        hits += answer(check, Evidence(counts_of(cells))).composite.verdict is want
    return hits / draws


def _promised(
    check: PlannedCheck,
    rows: Sequence[int],
    tpr: Sequence[float],
    fpr: Sequence[float],
    *,
    promise: str = "rows_needed",
) -> list[int]:
    """Rows of every group at the promise of an audit that shows exactly these rates."""
    positives = np.rint(np.asarray(rows) * 0.5)
    negatives = rows - positives
    cells = np.stack(
        [
            np.stack([negatives * (1 - np.array(fpr)), negatives * np.array(fpr)], axis=-1),
            np.stack([positives * (1 - np.array(tpr)), positives * np.array(tpr)], axis=-1),
        ],
        axis=-2,
    )
    needed = getattr(answer(check, Evidence(counts_of(cells))).composite, promise)
    assert needed is not None
    return [int(x) for x in np.rint(needed * np.asarray(rows) / min(rows))]


DISPARITIES = {
    "difference of two groups": ("selection_rate", 0.1, [60, 60], [0.45, 0.3], [0.45, 0.3]),
    "difference, the smaller group higher": ("selection_rate", 0.1, [40, 160], [0.45, 0.3], [0.45, 0.3]),
    "difference, the smaller group lower": ("selection_rate", 0.1, [160, 40], [0.45, 0.3], [0.45, 0.3]),
    "ratio of two groups": ("impact_ratio", 0.8, [60, 60], [0.5, 0.3], [0.5, 0.3]),
    "ratio, the smaller group lower": ("impact_ratio", 0.8, [160, 40], [0.5, 0.3], [0.5, 0.3]),
    "ratio, the smaller group higher": ("impact_ratio", 0.8, [40, 160], [0.5, 0.3], [0.5, 0.3]),
    "five groups, some pairs beyond": (
        "selection_rate",
        0.1,
        [60] * 5,
        [0.5, 0.3, 0.3, 0.4, 0.4],
        [0.5, 0.3, 0.3, 0.4, 0.4],
    ),
    "two rates, both beyond": ("equalized_odds_difference", 0.1, [100, 100], [0.7, 0.5], [0.4, 0.2]),
    "two rates of three unequal groups": (
        "equalized_odds_difference",
        0.1,
        [60, 120, 40],
        [0.7, 0.5, 0.6],
        [0.3, 0.15, 0.2],
    ),
}


def test_rows_needed_of_two_groups_prove_the_disparity_in_eighty_per_cent() -> None:
    metric, within, rows, tpr, fpr = DISPARITIES["ratio of two groups"]
    check = check_of(metric, within)

    power = _power(check, _promised(check, rows, tpr, fpr), tpr, fpr, Verdict.PROVEN_DISPARITY, 300)

    assert power == pytest.approx(0.8, abs=0.03 + two_errors(0.8, 300))


@pytest.mark.slow
@pytest.mark.parametrize("case", DISPARITIES)
def test_rows_needed_prove_the_disparity_in_eighty_per_cent(case: str) -> None:
    metric, within, rows, tpr, fpr = DISPARITIES[case]
    check = check_of(metric, within)

    power = _power(check, _promised(check, rows, tpr, fpr), tpr, fpr, Verdict.PROVEN_DISPARITY, 2000)

    assert power == pytest.approx(0.8, abs=0.03)


EQUALITIES = {
    "difference of two groups": ("selection_rate", 0.1, [60, 60], 0.4, 0.4),
    "difference of two unequal groups": ("selection_rate", 0.1, [40, 160], 0.4, 0.4),
    "ratio of two groups": ("impact_ratio", 0.8, [60, 60], 0.4, 0.4),
    "ratio of four unequal groups": ("impact_ratio", 0.8, [40, 40, 80, 160], 0.4, 0.4),
    "two rates of two groups": ("equalized_odds_difference", 0.1, [60, 60], 0.7, 0.3),
    "two rates of four groups": ("equalized_odds_difference", 0.1, [60, 60, 90, 180], 0.7, 0.3),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", EQUALITIES)
def test_rows_needed_show_equality_within_in_eighty_per_cent(case: str) -> None:
    metric, within, rows, tpr, fpr = EQUALITIES[case]
    check, k = check_of(metric, within), len(EQUALITIES[case][2])

    promised = _promised(check, rows, [tpr] * k, [fpr] * k)
    power = _power(check, promised, [tpr] * k, [fpr] * k, Verdict.PROVEN_WITHIN, 2000)

    assert power == pytest.approx(0.8, abs=0.03)


NEAR_THE_TOLERANCE = {
    "difference of two groups": ("selection_rate", 0.1, [60, 60], [0.48, 0.4], [0.48, 0.4]),
    "difference of two unequal groups": ("selection_rate", 0.1, [40, 160], [0.36, 0.4], [0.36, 0.4]),
    "difference almost on the tolerance": ("selection_rate", 0.1, [60, 60], [0.495, 0.4], [0.495, 0.4]),
    "ratio of two groups": ("impact_ratio", 0.8, [60, 60], [0.35, 0.4], [0.35, 0.4]),
    "ratio of four unequal groups": (
        "impact_ratio",
        0.8,
        [40, 40, 80, 160],
        [0.36, 0.4, 0.42, 0.38],
        [0.36, 0.4, 0.42, 0.38],
    ),
    "two rates of two groups": ("equalized_odds_difference", 0.1, [60, 60], [0.7, 0.65], [0.3, 0.36]),
    "two rates of four groups": (
        "equalized_odds_difference",
        0.1,
        [60, 60, 90, 180],
        [0.7, 0.66, 0.68, 0.72],
        [0.3, 0.36, 0.33, 0.3],
    ),
}


def _power_at_estimate(case: str, draws: int) -> float:
    metric, within, rows, tpr, fpr = NEAR_THE_TOLERANCE[case]
    check = check_of(metric, within)
    promised = _promised(check, rows, tpr, fpr, promise="rows_needed_at_estimate")
    return _power(check, promised, tpr, fpr, Verdict.PROVEN_WITHIN, draws)


@pytest.mark.parametrize("case", ["difference almost on the tolerance", "two rates of two groups"])
def test_rows_needed_at_the_estimate_show_it_within_in_eighty_per_cent(case: str) -> None:
    assert _power_at_estimate(case, 300) == pytest.approx(0.8, abs=0.03 + two_errors(0.8, 300))


@pytest.mark.slow
@pytest.mark.parametrize("case", NEAR_THE_TOLERANCE)
def test_rows_needed_at_the_estimate_show_it_within_in_eighty_per_cent_of_2_000_audits(case: str) -> None:
    assert _power_at_estimate(case, 2000) == pytest.approx(0.8, abs=0.03)


DETECTABLES = {
    "difference of two groups": ("selection_rate", 0.1, [160, 160], [0.5, 0.45]),
    "difference of two unequal groups": ("selection_rate", 0.1, [100, 900], [0.5, 0.45]),
    "ratio of two groups": ("impact_ratio", 0.8, [160, 160], [0.45, 0.5]),
    "ratio, the smaller group lower": ("impact_ratio", 0.8, [100, 900], [0.45, 0.5]),
    "ratio, the larger group lower": ("impact_ratio", 0.8, [900, 100], [0.45, 0.5]),
    "four groups, the others between": ("selection_rate", 0.1, [300, 300, 160, 200], [0.5, 0.45, 0.44, 0.47]),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", DETECTABLES)
def test_detectable_gap_is_proven_in_eighty_per_cent(case: str) -> None:
    """The reference of the deciding pair keeps its rate, the other moves to the gap promised, further groups lie between."""
    metric, within, rows, rates = DETECTABLES[case]
    check = check_of(metric, within)
    cells = np.array([[[n * (1 - p) / 2, n * p / 2]] * 2 for n, p in zip(rows, rates, strict=True)])
    counts = counts_of(cells)
    finding = answer(check, Evidence(counts)).composite
    assert finding.detectable is not None
    moved, held = counts.groups.index(finding.group), counts.groups.index(finding.reference)
    difference = check.comparison is Comparison.DIFFERENCE
    far = rates[held] + finding.detectable if difference else rates[held] * finding.detectable
    truth = [(far + rates[held]) / 2] * len(rows)
    truth[moved], truth[held] = far, rates[held]

    power = _power(check, rows, truth, truth, Verdict.PROVEN_DISPARITY, 2000)

    assert power == pytest.approx(0.8, abs=0.03)
