"""Clarify and Aequitas: formulas by hand, and configurations that become policies."""

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import evenhand
from evenhand.auditors.metrics import COMPOSITES, COUNT_METRICS, WHOLES
from evenhand.auditors.policy import Policy
from evenhand.datasets.errors import MissingColumn
from evenhand.service.audits.errors import BadArgument, BadImport
from evenhand.service.cli import cli
from evenhand.service.importers import aequitas, clarify
from evenhand.service.importers.toml import policy_text

CELLS = (((1, 1), "tp"), ((0, 1), "fp"), ((1, 0), "fn"), ((0, 0), "tn"))


def rows(**groups: tuple[int, int, int, int]) -> pd.DataFrame:
    """Rows of label_value, score and sex from tp, fp, fn, tn by group."""
    found = [
        (y, p, group)
        for group, counts in groups.items()
        for ((y, p), _), n in zip(CELLS, counts, strict=True)
        for _ in range(n)
    ]
    return pd.DataFrame(found, columns=["label_value", "score", "sex"])


# facet F: 4 tp, 2 fp, 6 fn, 8 tn; others M: 9 tp, 3 fp, 3 fn, 5 tn
TWO = rows(F=(4, 2, 6, 8), M=(9, 3, 3, 5))

BY_HAND = {
    "CI": (20 - 20) / 40,
    "DPL": 12 / 20 - 10 / 20,
    "KL": 0.6 * np.log(0.6 / 0.5) + 0.4 * np.log(0.4 / 0.5),
    "JS": 0.5 * (0.6 * np.log(0.6 / 0.55) + 0.4 * np.log(0.4 / 0.45))
    + 0.5 * (0.5 * np.log(0.5 / 0.55) + 0.5 * np.log(0.5 / 0.45)),
    "LP": np.sqrt(2) * 0.1,
    "TVD": 0.1,
    "KS": 0.1,
    "DPPL": 12 / 20 - 6 / 20,
    "DI": (6 / 20) / (12 / 20),
    "DCA": 12 / 12 - 10 / 6,
    "DCR": 10 / 14 - 8 / 8,
    "SD": 8 / 10 - 5 / 8,
    "RD": 9 / 12 - 4 / 10,
    "DAR": 9 / 12 - 4 / 6,
    "DRR": 8 / 14 - 5 / 8,
    "AD": 14 / 20 - 12 / 20,
    "TE": 6 / 2 - 3 / 3,
}
"""Clarify's formulas on TWO, by hand, with F as the facet."""


@pytest.mark.parametrize("code", sorted(BY_HAND))
def test_clarifys_values_are_those_of_its_formulas(code: str) -> None:
    found = clarify.values(y_true=TWO.label_value, y_pred=TWO.score, facet=TWO.sex, value="F")

    assert found[code] == pytest.approx(BY_HAND[code], abs=1e-12)


def test_every_code_has_a_formula_by_hand_or_a_reason_why_counts_do_not_suffice() -> None:
    without = {code for code, known in clarify.CODES.items() if known.formula is None}

    assert set(clarify.CODES) == set(BY_HAND) | without
    assert without == {"CDDL", "CDDPL", "FT", "GE"}
    assert all(known.note for known in clarify.CODES.values())


def test_every_counterpart_is_a_metric_that_a_check_can_name() -> None:
    for known in clarify.CODES.values():
        if known.metric is not None:
            assert known.metric in COMPOSITES or known.metric in COUNT_METRICS or known.metric in WHOLES
            if known.metric in COMPOSITES:
                assert COMPOSITES[known.metric].comparison is known.comparison


@pytest.mark.parametrize(
    "code", sorted(c for c, k in clarify.CODES.items() if k.metric and k.formula and c not in ("DI", "LP"))
)
def test_size_of_a_counterpart_is_clarifys_for_two_groups(code: str) -> None:
    """The largest gap of two groups is the absolute value of Clarify's signed difference."""
    known = clarify.CODES[code]
    (component,) = COMPOSITES[known.metric].components if known.metric in COMPOSITES else (known.metric,)
    frame = evenhand.MetricFrame(
        metrics=component, y_true=TWO.label_value, y_pred=TWO.score, sensitive_features=TWO.sex
    )

    assert frame.difference() == pytest.approx(abs(BY_HAND[code]), abs=1e-12)


def test_disparate_impact_is_the_impact_ratio_of_two_groups() -> None:
    result = evenhand.audit(data=TWO, y_true="label_value", y_pred="score", sensitive_features="sex")

    found = next(f for f in result.findings if f.metric == "impact_ratio" and f.id.count("/") == 3)
    assert found.estimate == pytest.approx(BY_HAND["DI"], abs=1e-12)


def test_facet_is_compared_with_all_other_rows_together() -> None:
    """As Clarify does: the others are M and X, 12 of 20 and 0 of 10 selected. A row without a facet counts nowhere."""
    three = pd.concat([TWO, rows(X=(0, 0, 5, 5)), rows(gone=(1, 0, 0, 0)).assign(sex=None)])

    found = clarify.values(y_true=three.label_value, y_pred=three.score, facet=three.sex, value="F")

    assert found["DPPL"] == pytest.approx(12 / 30 - 6 / 20)


def test_what_divides_by_nothing_is_undefined() -> None:
    found = clarify.values(y_true=[1, 1, 0, 0], y_pred=[0, 0, 0, 1], facet=["a", "a", "b", "b"], value="a")

    assert found["TE"] is None
    assert found["DAR"] is None
    assert found["SD"] is None


def test_a_facet_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadArgument, match="The groups are: F, M"):
        clarify.values(y_true=TWO.label_value, facet=TWO.sex, value="female")


# --- analysis_config.json ---

CONFIG: dict[str, Any] = {
    "dataset_type": "text/csv",
    "headers": ["Target", "Age", "Gender", "Income", "Job", "Predicted"],
    "label": 0,
    "predicted_label": "Predicted",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": 2, "value_or_threshold": [0]}, {"name_or_index": "Age", "value_or_threshold": 40}],
    "group_variable": 4,
    "methods": {
        "pre_training_bias": {"methods": ["DPL", "KL"]},
        "post_training_bias": {"methods": ["DPPL", "DI", "RD", "TE", "FT"]},
        "shap": {"num_samples": 10},
        "report": {"name": "report", "title": "Loans"},
    },
}


def test_configuration_becomes_the_policy_that_it_stands_for() -> None:
    policy = clarify.policy_of(CONFIG).policy

    assert policy.data.model_dump(exclude_none=True, exclude_defaults=True) == {
        "label": "Target",
        "prediction": "Predicted",
        "positive": "1",
        "sensitive": ["Gender", "Age"],
        "stratum": "Job",
    }
    assert [(check.metric, check.within, check.gate) for check in policy.check] == [
        ("base_rate", 0.1, None),
        ("demographic_parity_difference", 0.1, None),
        ("impact_ratio", 0.8, None),
        ("equal_opportunity_difference", 0.1, None),
        ("treatment_equality", 0.1, None),
    ]
    assert policy.report.title == "Loans"


@pytest.mark.parametrize(
    "said",
    [
        "KL .* no counterpart",
        "FT .* no counterpart",
        "Gender = 0 with all other rows",
        "Age is split at 40",
        "methods.shap",
    ],
)
def test_what_differs_is_said(said: str) -> None:
    import re

    assert any(re.search(said, note) for note in clarify.policy_of(CONFIG).notes)


def test_all_metrics_gate_the_defaults_and_report_the_rest() -> None:
    every = {"methods": {"pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": "all"}}}

    checks = clarify.policy_of(CONFIG | every).policy.check

    assert [c.metric for c in checks if c.gate is None] == ["impact_ratio", "equalized_odds_difference"]
    assert {c.metric for c in checks if c.gate is not None} == {
        "base_rate",
        "demographic_parity_difference",
        "true_negative_rate",
        "equal_opportunity_difference",
        "predictive_parity_difference",
        "negative_predictive_value",
        "accuracy",
        "treatment_equality",
        "conditional_demographic_disparity",
    }


def test_conditional_disparity_is_checked_where_a_group_variable_is_named() -> None:
    asked = {"methods": {"post_training_bias": {"methods": ["CDDPL"]}}}

    with_it, without = (clarify.policy_of(CONFIG | asked | more) for more in ({}, {"group_variable": None}))

    assert [check.metric for check in with_it.policy.check] == ["conditional_demographic_disparity"]
    assert without.policy.check == []
    assert any("CDDPL" in note and "left out" in note for note in without.notes)


def test_conditional_disparity_of_the_audit_is_clarifys() -> None:
    """By hand on two strata: facet F is 6/10 of the refused and 4/10 of the selected, then 5/10 of both."""
    frame = pd.concat(
        [
            rows(F=(4, 0, 0, 6), M=(6, 0, 0, 4)).assign(job="a"),
            rows(F=(5, 0, 0, 5), M=(5, 0, 0, 5)).assign(job="b"),
        ]
        * 5
    )
    policy = {"check": [{"metric": "conditional_demographic_disparity", "within": 0.1}]}

    result = evenhand.audit(
        data=frame,
        y_true="label_value",
        y_pred="score",
        sensitive_features="sex",
        control_features="job",
        policy=policy,
    )

    found = [f for f in result.findings if f.metric == "conditional_demographic_disparity"]
    assert max(abs(f.estimate) for f in found if f.estimate is not None) == pytest.approx((0.2 + 0.0) / 2, abs=1e-12)


def test_probability_becomes_a_score_with_its_threshold() -> None:
    config = {key: value for key, value in CONFIG.items() if key != "predicted_label"}

    data = clarify.policy_of(config | {"probability": "Income", "probability_threshold": 0.7}).policy.data

    assert (data.prediction, data.score, data.threshold) == (None, "Income", 0.7)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"label_values_or_threshold": ["cat", "dog"]}, "`positive` takes one"),
        ({"label_values_or_threshold": 0.5}, "lower bound"),
        ({"predictor": {"model_name": "m"}}, "predictor is left out"),
        ({"dataset_uri": "s3://bucket/rows.csv"}, "not fetched"),
        ({"predicted_label": None}, "no column of predictions"),
        ({"methods": {"post_training_bias": {"methods": ["XYZ"]}}}, "XYZ is no metric"),
    ],
)
def test_what_cannot_be_taken_over_is_a_note(changed: dict[str, Any], said: str) -> None:
    assert any(said in note for note in clarify.policy_of(CONFIG | changed).notes)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"headers": None}, "column 0 and there are no `headers`"),
        ({"label": 9}, "`headers` names 6"),
        ({"facet": []}, "no `facet`"),
        ({"facet": [{}]}, "no `name_or_index`"),
        ({"label": 0.5}, "neither a column nor its number"),
    ],
)
def test_what_makes_no_policy_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(BadImport, match=said):
        clarify.policy_of(CONFIG | changed)


def test_command_prints_a_policy_that_reads_back_and_audits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {key: value for key, value in CONFIG.items() if key != "group_variable"} | {
        "facet": [{"name_or_index": "Gender", "value_or_threshold": [0]}],
        "dataset_uri": "people.csv",
    }
    (tmp_path / "analysis_config.json").write_text(json.dumps(config))
    frame = TWO.rename(columns={"label_value": "Target", "score": "Predicted", "sex": "Gender"})
    pd.concat([frame] * 20).to_csv(tmp_path / "people.csv", index=False)
    monkeypatch.chdir(tmp_path)

    said = CliRunner().invoke(cli, ["import", "clarify", "analysis_config.json"])
    (tmp_path / "evenhand.toml").write_text(said.output)
    audited = CliRunner().invoke(cli, ["audit"])

    assert said.exit_code == 0
    assert said.output.startswith("# From analysis_config.json of SageMaker Clarify")
    assert Policy.model_validate(tomllib.loads(said.output)) == clarify.policy_of(config).policy
    assert audited.exit_code == 1, audited.output


@pytest.mark.parametrize(("text", "said"), [("{", "Expecting"), ("[]", "no JSON object")])
def test_command_says_what_is_wrong_with_a_file(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "config.json").write_text(text)

    done = CliRunner().invoke(cli, ["import", "clarify", str(tmp_path / "config.json")])

    assert done.exit_code == 2
    assert said in done.output


def test_policy_text_reads_back_whatever_the_names_hold() -> None:
    policy = Policy.model_validate(
        {
            "alpha": 0.01,
            "data": {
                "label": 'a "quoted" \\ name',
                "sensitive": ["sex × race", "ä\n"],
                "where": {"a b": "1", "é": "x"},
            },
            "check": [{"metric": "accuracy", "within": 0.1, "gate": "off"}, {"metric": "impact_ratio", "within": 0.8}],
        }
    )

    text = policy_text(policy, notes=["one " * 60, "two"], heading="From a test")

    assert Policy.model_validate(tomllib.loads(text)) == policy
    assert all(len(line) <= 104 for line in text.splitlines() if line.startswith("#"))


# --- Aequitas ---


def test_aequitas_frame_is_audited_by_its_columns() -> None:
    frame = TWO.assign(entity_id=range(len(TWO)), race="x")

    result = evenhand.audit_aequitas(frame)

    assert result.report.subject.policy["data"]["sensitive"] == ["sex", "race"]
    assert result.metric_frame("sex").by_group.loc["F", "true_positive_rate"] == 4 / 10


def test_crosstab_is_that_of_aequitas_by_hand() -> None:
    """F: 6 of the 18 selected (ppr) and 6 of its own 20 (pprev). Definitions of Group.get_crosstabs."""
    table = aequitas.crosstab(evenhand.audit_aequitas(TWO)).set_index("attribute_value")

    expected = {
        "tpr": 4 / 10, "tnr": 8 / 10, "for": 6 / 14, "fdr": 2 / 6, "fpr": 2 / 10, "fnr": 6 / 10, "npv": 8 / 14,
        "precision": 4 / 6, "pp": 6, "pn": 14, "ppr": 6 / 18, "pprev": 6 / 20, "fp": 2, "fn": 6, "tn": 8, "tp": 4,
        "group_label_pos": 10, "group_label_neg": 10, "group_size": 20, "total_entities": 40, "prev": 10 / 20, "k": 18,
    }  # fmt: skip
    assert {key: table.loc["F", key] for key in expected} == pytest.approx(expected, abs=1e-12)


def test_crosstab_leaves_undefined_what_divides_by_nothing() -> None:
    table = aequitas.crosstab(evenhand.audit_aequitas(rows(F=(0, 0, 3, 4), M=(0, 0, 2, 2)))).set_index(
        "attribute_value"
    )

    assert np.isnan(table.loc["F", "precision"])
    assert np.isnan(table.loc["F", "ppr"])
    assert table.loc["F", "pprev"] == 0


@pytest.mark.parametrize(
    ("thresholds", "selected"),
    [({"score_val": [0.5]}, [1, 1, 0, 0]), ({"rank_abs": [3]}, [1, 1, 1, 0]), ({"rank_pct": [0.25]}, [1, 0, 0, 0])],
)
def test_thresholds_select_as_aequitas_does(thresholds: dict[str, list[float]], selected: list[int]) -> None:
    frame = pd.DataFrame({"score": [0.9, 0.5, 0.4, 0.1], "label_value": [1, 0, 1, 0], "sex": list("FMFM")})

    result = evenhand.audit_aequitas(frame, score_thresholds=thresholds)

    assert result.overall["selection_rate"] == np.mean(selected)
    assert result.by_group.loc["F", "selection_rate"] == np.mean(selected[0::2])


@pytest.mark.parametrize(
    ("changed", "options", "error", "said"),
    [
        ({"score": 0.5}, {}, BadArgument, "score_thresholds"),
        ({}, {"score_thresholds": {"score_val": [0.1, 0.2]}}, BadArgument, "names 2 thresholds"),
        ({"model_id": [1] * 20 + [2] * 20}, {}, BadArgument, "2 models"),
        ({}, {"label_col": "truth"}, MissingColumn, "truth"),
    ],
)
def test_what_aequitas_would_refuse_is_refused(
    changed: dict[str, Any], options: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        evenhand.audit_aequitas(TWO.assign(**changed), **options)


def test_every_name_of_aequitas_is_a_metric_here_or_has_a_reason() -> None:
    """The eleven of Group.all_group_metrics."""
    theirs = {"ppr", "pprev", "precision", "fdr", "for", "fpr", "fnr", "tpr", "tnr", "npv", "prev"}

    assert set(aequitas.METRICS) | set(aequitas.NO_COUNTERPART) == theirs
    assert set(aequitas.METRICS.values()) <= set(COUNT_METRICS)
