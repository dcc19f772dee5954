"""Planted structures, their innocent twins, and bad data."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from planted_proxies import Columns, audited, by_feature, few_of, known_model, known_score, roles, two_groups

from evenhand.auditors.errors import LengthMismatch, UndefinedScores
from evenhand.auditors.proxies import ProxyData
from evenhand.auditors.verdict import Verdict

N = 4_000


def coin(rng: np.random.Generator, rows: int = N) -> NDArray[np.int32]:
    return rng.integers(0, 2, rows).astype(np.int32)


def weighing(**weights: float) -> Any:
    def score(x: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        return np.sum([weight * x[name] for name, weight in weights.items()], axis=0)

    return score


def test_copy_of_a_proxy_is_in_its_block_and_takes_no_credit_away() -> None:
    columns, a = known_model(N, 0)
    columns["copy"] = columns["x1"] * 2 + 1

    audit, findings = audited(
        two_groups(columns, a), lambda x: known_score({**x, "x1": (x["x1"] + (x["copy"] - 1) / 2) / 2})
    )

    rows = by_feature(audit)
    assert rows["x1"].block == rows["copy"].block == ["copy", "x1"]
    assert rows["x1"].role == rows["copy"].role == "proxy"
    assert rows["copy"].contribution.estimate == pytest.approx(0.294, abs=0.05)
    assert sum(finding.id.endswith("copy + x1") for finding in findings) == 1


def test_same_category_under_two_names_is_one_block() -> None:
    rng = np.random.default_rng(1)
    school = rng.integers(0, 9, N)
    columns: Columns = {"school": np.array([f"s{i}" for i in school], object), "number": school[::1] * 7.0 % 9}

    audit, _ = audited(two_groups(columns, coin(rng)), lambda x: x["number"] - 4)

    assert by_feature(audit)["school"].block == ["number", "school"]


def test_one_hot_columns_are_one_variable() -> None:
    """No single column encodes; the variable does."""
    rng = np.random.default_rng(2)
    a = coin(rng)
    zone = np.where(a == 1, rng.integers(0, 14, N), rng.integers(6, 20, N))
    columns = {f"zone_{i}": (zone == i).astype(float) for i in range(20)} | {"x": rng.standard_normal(N)}

    audit, _ = audited(two_groups(columns, a), lambda x: x["x"] + 2 * sum(x[f"zone_{i}"] for i in range(10)) - 1)

    rows = by_feature(audit)
    assert len(rows["zone_3"].block) == 20
    assert rows["zone_3"].role == "proxy"
    assert rows["x"].role == "neutral"


def test_random_id_with_many_levels_does_not_encode() -> None:
    """In-sample rates of the levels would show .76."""
    rng = np.random.default_rng(3)
    columns: Columns = {"id": np.array([f"p{i}" for i in rng.integers(0, N // 5, N)], object)}

    audit, _ = audited(two_groups(columns, coin(rng)), lambda x: np.zeros(len(x["id"])))

    row = by_feature(audit)["id"]
    assert row.encodes.auc == pytest.approx(0.5, abs=0.03)
    assert row.role == "neutral"


def test_category_without_order_is_a_proxy() -> None:
    rng = np.random.default_rng(4)
    lean = rng.random(200)
    zipcode = rng.integers(0, 200, N)
    a = (rng.random(N) < lean[zipcode]).astype(np.int32)
    columns: Columns = {
        "zip": np.array([f"z{i}" for i in zipcode], object),
        "x": rng.standard_normal(N),
    }

    def score(x: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        return x["x"] + 3 * lean[[int(text[1:]) for text in x["zip"]]] - 1.5

    audit, _ = audited(two_groups(columns, a), score)

    assert roles(audit) == {"zip": "proxy", "x": "neutral"}


def test_declared_category_of_numbers_is_read_without_its_order() -> None:
    rng = np.random.default_rng(5)
    a = coin(rng)
    code = np.where(a == 1, rng.choice([1, 4, 9], N), rng.choice([0, 5, 8], N)).astype(float)

    audit, _ = audited(two_groups({"code": code}, a, categorical=frozenset({"code"})), lambda x: x["code"] - 5)

    assert by_feature(audit)["code"].encodes.auc == 1.0
    assert "without error" in (by_feature(audit)["code"].note or "")


def test_number_with_two_tails_encodes_as_a_category() -> None:
    rng = np.random.default_rng(6)
    a = coin(rng)
    spread = rng.standard_normal(N) * np.where(a == 1, 3.0, 0.5)

    audit, _ = audited(two_groups({"spread": spread}, a), lambda x: np.abs(x["spread"]) - 1)

    assert by_feature(audit)["spread"].role == "proxy"
    assert (by_feature(audit)["spread"].encodes.auc or 0) > 0.8


def test_missing_can_be_the_signal() -> None:
    rng = np.random.default_rng(7)
    a = coin(rng)
    income = rng.standard_normal(N)
    income[rng.random(N) < np.where(a == 1, 0.6, 0.1)] = np.nan

    audit, _ = audited(two_groups({"income": income}, a), lambda x: np.isnan(x["income"]) - 0.5)

    row = by_feature(audit)["income"]
    assert row.role == "proxy"
    assert row.encodes.auc == pytest.approx(0.75, abs=0.03)
    assert "missing" in (row.note or "")


def test_feature_that_encodes_and_is_not_used_is_latent_and_says_so() -> None:
    rng = np.random.default_rng(8)
    a = coin(rng)
    columns = {"twin": rng.standard_normal(N) + 1.2 * a, "merit": rng.standard_normal(N)}

    audit, findings = audited(two_groups(columns, a), weighing(merit=1.0))

    assert roles(audit) == {"twin": "latent_proxy", "merit": "neutral"}
    assert "does not use it" in next(finding.message for finding in findings if finding.id.endswith("twin"))
    assert not any(finding.verdict is Verdict.PROVEN_DISPARITY for finding in findings)


def test_parity_of_three_is_found_where_singles_and_pairs_are_blind() -> None:
    rng = np.random.default_rng(9)
    a = coin(rng)
    signs = rng.integers(0, 2, (3, N))
    signs[2] = signs[0] ^ signs[1] ^ a ^ (rng.random(N) < 0.05)
    columns = {f"p{i}": np.abs(rng.standard_normal(N)) * (2 * signs[i] - 1) for i in range(3)}
    columns |= {f"n{i}": rng.standard_normal(N) for i in range(3)}

    def score(x: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        return x["n0"] + 1.5 * np.sign(x["p0"] * x["p1"] * x["p2"])

    audit, _ = audited(two_groups(columns, a), score)

    assert [found.features for found in audit.sets] == [["p0", "p1", "p2"]]
    assert roles(audit) == dict.fromkeys(["p0", "p1", "p2"], "joint_proxy") | dict.fromkeys(
        ["n0", "n1", "n2"], "neutral"
    )
    assert (audit.leakage[0].features.auc or 0) > 0.9


@pytest.mark.parametrize("seed", few_of(range(20), always=(0, 9)))
def test_nothing_is_claimed_where_nothing_is_planted(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    n = 1_500 + 60 * seed
    columns: Columns = {f"x{i}": rng.standard_normal(n) for i in range(4)}
    columns["c"] = np.array(list("abcdefgh"), object)[rng.integers(0, 8, n)]
    columns["id"] = np.array([f"p{i}" for i in rng.integers(0, n // 5, n)], object)
    race = rng.choice(5, n, p=[0.5, 0.2, 0.15, 0.1, 0.05]).astype(np.int32)
    data = ProxyData(
        columns, attributes={"A": (coin(rng, n), ("0", "1")), "race": (race, ("a", "b", "c", "d", "e", None))}
    )

    audit, findings = audited(data, weighing(x0=1.0, x1=0.5, x2=0.2), seed)

    assert {row.role for row in audit.features} == {"neutral"}
    assert audit.sets == []
    assert not any(finding.verdict is Verdict.PROVEN_DISPARITY for finding in findings)


def test_group_furthest_from_the_rest_is_named_among_three() -> None:
    rng = np.random.default_rng(10)
    race = rng.integers(0, 3, N).astype(np.int32)
    columns = {"zip": rng.standard_normal(N) + 1.5 * (race == 1), "x": rng.standard_normal(N)}
    data = ProxyData(columns, attributes={"race": (race, ("a", "b", "c", None))})

    audit, findings = audited(data, weighing(zip=1.0, x=1.0))

    row = by_feature(audit, attribute="race")["zip"]
    finding = next(finding for finding in findings if finding.id == "proxy/contribution/race/zip")
    assert (row.role, row.encodes.group) == ("proxy", "b")
    assert finding.reference == {"race": "b"}
    assert "for b against the rest" in finding.message


def test_ids_of_findings_are_unique() -> None:
    columns, a = known_model(N, 3)

    _, findings = audited(two_groups(columns, a), known_score)

    assert len({finding.id for finding in findings}) == len(findings)


def test_attribute_among_the_features_is_said_first() -> None:
    rng = np.random.default_rng(11)
    a = coin(rng)
    columns: Columns = {"a_merit": rng.standard_normal(N), "sex": np.where(a == 1, "F", "M").astype(object)}
    data = ProxyData(columns, attributes={"sex": (a, ("M", "F", None))})

    audit, findings = audited(data, lambda x: x["a_merit"] + (x["sex"] == "M") - 0.5)

    assert audit.notes[0] == "the model receives sex."
    assert findings[0].message.startswith("The model receives sex: sex strongly encodes sex (AUC 1.00)")
    assert by_feature(audit, attribute="sex")["sex"].role == "proxy"


def test_gap_has_the_same_parts_when_positive_is_unfavourable() -> None:
    columns, a = known_model(N, 4)

    helped, _ = audited(two_groups(columns, a), known_score, favourable_is_positive=True)
    harmed, _ = audited(two_groups(columns, a), known_score, favourable_is_positive=False)

    assert helped.features == harmed.features
    assert any("(disfavoured)" in note for note in harmed.notes)


def test_proxy_in_one_stratum_is_found_there_and_vanishes_elsewhere() -> None:
    rng = np.random.default_rng(12)
    n = 8_000
    a, region = coin(rng, n), rng.integers(0, 2, n).astype(np.int32)
    columns = {"w": rng.standard_normal(n) + 1.5 * a * region, "x": rng.standard_normal(n)}
    data = two_groups(columns, a, strata=(region, ("north", "south", None)))

    audit, _ = audited(data, weighing(w=1.0, x=1.0))

    assert by_feature(audit, stratum="south")["w"].role == "proxy"
    assert by_feature(audit, stratum="north")["w"].role == "neutral"


def test_predictions_alone_show_encoding_and_nothing_more() -> None:
    """Half of them are coin flips, so that no surrogate decides as they do: the gap of .366 is halved."""
    columns, a = known_model(N, 5)
    rng = np.random.default_rng(5)
    flipped = np.where(rng.random(N) < 0.5, rng.standard_normal(N), known_score(columns))

    audit, findings = audited(two_groups(columns, a), None, scores=flipped)

    assert roles(audit) == {
        name: "latent_proxy" if name in ("x1", "x2", "x5", "x6", "x7", "x8") else "neutral" for name in columns
    }
    assert audit.gap["A"] == pytest.approx(0.183, abs=0.04)
    assert {finding.verdict for finding in findings} == {Verdict.INCONCLUSIVE}
    assert all(row.contribution.reason for row in audit.features)


def test_constant_and_wholly_missing_features_are_neutral() -> None:
    rng = np.random.default_rng(13)
    columns: Columns = {
        "same": np.full(N, 3.0),
        "nothing": np.full(N, np.nan),
        "none": np.full(N, None, dtype=object),
        "x": rng.standard_normal(N),
    }

    audit, _ = audited(two_groups(columns, coin(rng)), weighing(x=1.0))

    assert set(roles(audit).values()) == {"neutral"}
    assert "same for every row" in (by_feature(audit)["same"].note or "")


def test_attribute_with_one_group_is_not_assessed_with_a_reason() -> None:
    rng = np.random.default_rng(14)
    one = np.zeros(N, np.int32)
    one[:3] = 1
    data = ProxyData(
        {"x": rng.standard_normal(N)}, attributes={"A": (coin(rng), ("0", "1")), "B": (one, ("most", "three", None))}
    )

    audit, findings = audited(data, weighing(x=1.0))

    finding = next(finding for finding in findings if finding.attribute == "B")
    assert finding.estimate is None
    assert "not assessed: fewer than two groups have 30 rows" in finding.message
    assert audit.gap["B"] is None
    assert any("three (n = 3)" in note for note in audit.notes)


def test_missing_values_of_the_attribute_are_left_out_and_counted() -> None:
    rng = np.random.default_rng(15)
    a = coin(rng)
    columns = {"x": rng.standard_normal(N) + a}
    a[:500] = 2

    audit, _ = audited(two_groups(columns, a), weighing(x=1.0))

    assert by_feature(audit)["x"].role == "proxy"
    assert any("missing (n = 500)" in note for note in audit.notes)


@pytest.mark.parametrize("rows", [0, 1, 40, 100])
def test_few_rows_do_not_crash(rows: int) -> None:
    rng = np.random.default_rng(16)

    audit, findings = audited(two_groups({"x": rng.standard_normal(rows)}, coin(rng, rows)), weighing(x=1.0))

    assert audit.rows_used == rows
    assert all(finding.verdict is not Verdict.PROVEN_DISPARITY for finding in findings)


def test_no_features_is_a_note() -> None:
    audit, findings = audited(two_groups({}, coin(np.random.default_rng(17))), weighing())

    assert (audit.features, findings) == ([], [])
    assert any("no features" in note for note in audit.notes)


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(LengthMismatch, match="'x' has 3 entries where the rows are 4"):
        two_groups({"x": np.zeros(3)}, np.zeros(4, np.int32))


def test_scores_that_are_not_numbers_are_refused() -> None:
    rng = np.random.default_rng(18)

    with pytest.raises(UndefinedScores, match="not finite"):
        audited(two_groups({"x": rng.standard_normal(N)}, coin(rng)), lambda x: x["x"] * np.nan)


def test_scores_for_another_number_of_rows_are_refused() -> None:
    rng = np.random.default_rng(19)

    with pytest.raises(LengthMismatch, match="scores of the classifier"):
        audited(two_groups({"x": rng.standard_normal(N)}, coin(rng)), lambda x: x["x"][:5])
