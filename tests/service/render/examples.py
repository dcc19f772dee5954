"""Reports to render: COMPAS by its published counts, an image classifier with plausible content, and edge cases."""

import base64
import struct
import zlib
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np

from evenhand.auditors import gate, report
from evenhand.auditors.counting.confusion import ConfusionTable
from evenhand.auditors.counts import Attribute, CountTable, count
from evenhand.auditors.disparity.audit import Meaning, audit_group_disparity
from evenhand.auditors.membership import Membership, membership_gaps
from evenhand.auditors.multiclass import audit_multiclass
from evenhand.auditors.policy import Policy
from evenhand.auditors.practice.tables import practice_tables
from evenhand.auditors.report import Estimate, Finding, Report
from evenhand.auditors.representation import RowIdentity, Training, audit_representation
from evenhand.auditors.scores.audit import audit_scores
from evenhand.auditors.scores.data import ScoreData
from evenhand.auditors.verdict import Comparison, Gate, Rule, Verdict
from evenhand.service.audits.scoring import joined

COMPAS_COUNTS = {
    # tn, fp, fn, tp: ProPublica's published table for the first two, its data for the others
    "African-American": (990, 805, 532, 1369),
    "Caucasian": (1139, 349, 461, 505),
    "Hispanic": (318, 87, 129, 103),
    "Other": (208, 36, 90, 43),
    "Asian": (21, 2, 3, 6),
    "Native American": (5, 3, 1, 9),
}
COMPAS_POLICY = {
    "data": {
        "source": "compas",
        "label": "two_year_recid",
        "score": "decile_score",
        "threshold": 5,
        "positive": "1",
        "favourable": "0",
        "sensitive": ["sex", "race"],
    }
}


@cache
def compas() -> Report:
    """COMPAS, predictions only, sex and race; about a fifth of every cell is taken for women."""
    cells = np.array(list(COMPAS_COUNTS.values())).reshape(-1, 2, 2)
    women = np.round(cells * 0.19).astype(np.int64)
    table = CountTable(
        ("sex", "race"), (("Female", "Male"), tuple(COMPAS_COUNTS)), np.stack([women, cells.astype(np.int64) - women])
    )
    return from_counts(table, title="COMPAS score 5 and above, by sex and race", policy=COMPAS_POLICY)


def from_counts(
    table: CountTable, *, title: str = "Fixture", policy: dict | None = None, label: str | None = "two_year_recid"
) -> Report:
    """A report of group disparity alone."""
    chosen = Policy.model_validate(policy or {})
    meaning = Meaning("1", "0", label, "decile_score >= 5", favourable_is_positive=False)
    disparity, findings = audit_group_disparity(table, policy=chosen, meaning=meaning, rng=np.random.default_rng(0))
    return build(
        title=title,
        rows=int(table.rows.sum()),
        findings=findings,
        policy=policy or {},
        group_disparity=practised(disparity, chosen),
    )


def practised(disparity: report.GroupDisparity, policy: Policy | None = None) -> report.GroupDisparity:
    """With the tables that laws and practice ask for, as an audit adds them."""
    tables = practice_tables(disparity, policy=policy or Policy())
    return disparity.model_copy(update={"practice": tables})


def build(
    *, title: str, rows: int, findings: list[Finding], policy: dict | None = None, model: bool = False, **audits: object
) -> Report:
    decided = gate.decide(findings)
    return Report(
        id="rep_0123456789abcdef",
        created=datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
        tool={"name": "evenhand", "version": "0.1.0"},
        seed=0,
        subject=report.Subject(
            title=title,
            data=report.SubjectData(
                name="compas",
                sha256="3c1b" * 16,
                rows=rows,
                columns=["sex", "race", "age", "decile_score", "two_year_recid"],
                source="https://github.com/propublica/compas-analysis",
                licence="public court records, published without a licence statement",
                limits=["The label is re-arrest within two years, seen through policing."],
            ),
            model=report.SubjectModel(
                name="emoji.onnx",
                sha256="77aa" * 16,
                kind="convnet4",
                classes=["man", "woman"],
                gradients=True,
                confinement="landlock and seccomp, no network",
            )
            if model
            else None,
            policy=policy or {},
        ),
        verdict=gate.overall_verdict(findings, decided),
        gate=decided,
        audits=report.Audits(**audits),
        findings=findings,
        environment=report.Environment(
            python="3.11.7", platform="Linux x86_64", packages={"numpy": "2.3.5", "torch": "2.13.0"}
        ),
    )


def between(estimate: float, half: float = 0.04) -> Estimate:
    return Estimate(estimate=estimate, low=max(estimate - half, 0.0), high=min(estimate + half, 1.0))


@cache
def everything() -> Report:
    """Every section, with content that is plausible and invented."""
    base = compas()
    findings = [*base.findings, _robust_finding(), _perception_finding(), _proxy_finding()]
    return build(
        title="Invented: every section of a report",
        rows=7214,
        findings=findings,
        policy=COMPAS_POLICY | {"report": {"intended_use": "pre-trial advice", "owner": "county court"}},
        model=True,
        group_disparity=_more_of_groups(base.audits.group_disparity),
        proxy=_proxy(),
        robustness=_robustness(),
        perception=_perception(),
        representation=_representation(),
    )


@cache
def many_groups(count: int = 200) -> Report:
    """One attribute of very many values, most of them small."""
    rng = np.random.default_rng(1)
    cells = rng.integers(1, 60, size=(count, 2, 2))
    return from_counts(CountTable(("occupation",), (tuple(f"occupation number {i}" for i in range(count)),), cells))


@cache
def hostile() -> Report:
    """Names that are HTML, Markdown and terminal markup at once."""
    cells = np.array([[[40, 5], [3, 40]], [[30, 20], [20, 22]], [[9, 1], [1, 2]], [[20, 20], [4, 4]]])
    values = ("<script>alert(1)</script>", "a|b `c` [bold]d[/bold]\n**e**", "&amp;\"'>", None)
    return from_counts(CountTable(("race<img src=x>",), (values,), cells), title="<b>bold</b> & [link](x)")


@cache
def undefined() -> Report:
    """A group without positives: true positive rates, and what is made of them, do not exist."""
    cells = np.array([[[0, 0], [40, 60]], [[100, 0], [0, 0]]])
    return from_counts(CountTable(("sex",), (("Female", "Male"),), cells))


@cache
def without_labels() -> Report:
    cells = np.array([[[400, 600]], [[450, 550]]])
    return from_counts(CountTable(("sex",), (("Female", "Male"),), cells), label=None)


@cache
def fair() -> Report:
    """True positive rate .8 and false positive rate .2 in both groups, many rows."""
    cells = np.array([[[3600, 900], [900, 3600]], [[3600, 900], [900, 3600]]])
    return from_counts(CountTable(("sex",), (("Female", "Male"),), cells))


@cache
def scored() -> Report:
    """Rows with scores in [0, 1]: two groups of hundreds, one of a dozen, one without positives, one unknown."""
    rng = np.random.default_rng(3)
    values = ("Ada & co", "<b>Bo</b>", "few", "never", None)
    group = np.repeat(np.arange(5), (400, 300, 12, 60, 40))
    label = np.where(group == 3, 0, rng.integers(0, 2, len(group)))
    score = 1 / (1 + np.exp(-(rng.standard_normal(len(group)) + label - 0.5 * (group == 1))))
    table = count([Attribute("team", group, values)], prediction=(score >= 0.5).astype(int), label=label)
    data = ScoreData(score, {"team": (group, values)}, label=label)
    base = from_counts(table)
    assert base.audits.group_disparity is not None
    checks = Policy.model_validate(
        {"check": [{"metric": "roc_auc", "within": 0.05}, {"metric": "brier", "within": 0.1}]}
    )
    audit = audit_scores(data, policy=checks, family_level=0.95, threshold=0.5, rng=rng)
    findings = [*base.findings, *audit.findings]
    return build(
        title="Scores",
        rows=len(group),
        findings=findings,
        group_disparity=practised(joined(base.audits.group_disparity, audit)),
    )


@cache
def berkeley() -> Report:
    """Admissions of 1973 within departments, which turn the gap over all rows; one applicant has no department."""
    admitted = np.array([[89, 17, 202, 131, 94, 24, 1], [512, 353, 120, 138, 53, 22, 0]])
    applied = np.array([[108, 25, 593, 375, 393, 341, 1], [825, 560, 325, 417, 191, 373, 0]])
    cells = np.stack([applied - admitted, admitted], axis=-1)[:, :, None, :]
    strata = CountTable(("sex", "department"), (("Female", "Male"), (*"ABCDEF", None)), cells)
    table = CountTable(("sex",), (("Female", "Male"),), cells.sum(axis=1))
    meaning = Meaning("1", "1", None, "admitted", favourable_is_positive=True)
    disparity, findings = audit_group_disparity(
        table, policy=Policy(), meaning=meaning, rng=np.random.default_rng(0), strata=strata
    )
    return build(title="Berkeley 1973", rows=int(applied.sum()), findings=findings, group_disparity=disparity)


@cache
def nothing() -> Report:
    return build(title="Nothing compared", rows=10, findings=[])


def _more_of_groups(audit: report.GroupDisparity | None) -> report.GroupDisparity | None:
    """With bounds for unknown rows and a search for subgroups."""
    if audit is None:
        return None
    bound = report.UnknownBounds(
        attribute="sex",
        metric="impact_ratio",
        comparison=Comparison.RATIO,
        estimate=0.85,
        lowest=0.71,
        highest=0.93,
        unknown=200,
        tolerance=0.8,
        straddles=True,
        group={"sex": "Female"},
        reference={"sex": "Male"},
        note="The 200 rows without sex could hide a ratio of down to .710 (Female against Male).",
    )
    undefined_bound = bound.model_copy(
        update={"estimate": None, "lowest": None, "highest": None, "straddles": False, "note": "No bounds: 0/0."}
    )
    subgroup = report.Subgroup(
        group={"sex": "Female", "age": "above 30, up to 45"},
        kind="slice",
        metric="false_positive_rate",
        n=212,
        rate=0.51,
        rest_rate=0.31,
        gap=0.2,
        low=0.11,
        high=0.29,
        proven_gap=0.11,
        p_value=0.0001,
        adjusted_p=0.002,
        false_discovery_p=0.001,
        verdict=Verdict.PROVEN_DISPARITY,
    )
    empty = dict.fromkeys(("rate", "rest_rate", "gap", "low", "high", "p_value", "adjusted_p", "false_discovery_p"))
    not_confirmed = subgroup.model_copy(update=empty | {"n": 0, "proven_gap": 0.0, "verdict": Verdict.INCONCLUSIVE})
    search = report.SubgroupSearch(
        searched=1204,
        depth=3,
        smallest=30,
        attributes=["sex", "race"],
        features=["age"],
        metrics=["favourable_rate", "false_positive_rate"],
        tolerance=0.1,
        level=0.95,
        rows_search=3607,
        rows_confirm=3607,
        carried=2,
        found=[subgroup, not_confirmed],
        notes=["One row of each unit confirms."],
    )
    return audit.model_copy(
        update={
            "multiclass": _classes(),
            "bounds": [bound, undefined_bound],
            "subgroups": search,
            "membership": _membership(),
        }
    )


def _classes() -> report.Multiclass:
    """Three classes by sex: one found less often among women, one without any man, rows without sex."""
    women = [[90, 5, 5], [10, 80, 10], [30, 30, 40]]
    men = [[90, 5, 5], [0, 0, 0], [10, 10, 80]]
    rows = np.array([women, men, [[1, 0, 0], [0, 1, 0], [0, 0, 1]]])
    table = ConfusionTable(("sex",), (("Female", "Male", None),), ("no", "later", "yes"), rows)
    return audit_multiclass(table, label="decision", prediction="the model", favourable="yes")


def _membership() -> list[report.MembershipGap]:
    """Race by probability, with a group that nobody is counted to by threshold."""
    p = np.random.default_rng(0).dirichlet((4, 2, 0.2), 3000) * 0.98
    p[:, 2] = np.minimum(p[:, 2], 0.3)
    gaps, _ = membership_gaps(
        Membership("race", ("White", "Black", "Other"), p),
        prediction=(np.arange(3000) % 3 == 0).astype(np.int8),
        label=(np.arange(3000) % 2).astype(np.int8),
        favourable_is_positive=True,
    )
    return gaps


def _robust_finding() -> Finding:
    return Finding(
        id="robustness/robust_accuracy_gap/aligned/tone",
        audit="robustness",
        metric="aligned_robust_accuracy_gap",
        comparison=Comparison.DIFFERENCE,
        attribute="tone",
        group={"tone": "dark"},
        reference={"tone": "light"},
        estimate=0.31,
        low=0.18,
        high=0.43,
        level=0.99,
        rule=Rule.EFFECT_AND_TEST,
        tolerance=0.1,
        p_value=0.0002,
        verdict=Verdict.PROVEN_DISPARITY,
        n=140,
        reference_n=140,
        gate=Gate.PROOF,
        message="Under attack, dark women and light men keep their class .31 less often than light women and dark men.",
    )


def _perception_finding() -> Finding:
    return Finding(
        id="perception/paired_counterfactual/tone",
        audit="perception",
        metric="paired_counterfactual",
        comparison=Comparison.DIFFERENCE,
        attribute="tone",
        estimate=-0.021,
        low=-0.06,
        high=0.02,
        level=0.99,
        rule=Rule.EFFECT_AND_TEST,
        tolerance=0.05,
        p_value=0.21,
        verdict=Verdict.INCONCLUSIVE,
        gate=Gate.PROOF,
        message="The same person in another tone: .021 fewer turn to woman than to man.",
    )


def _proxy_finding() -> Finding:
    return Finding(
        id="proxy/contribution/sex/relationship",
        audit="proxy",
        metric="proxy_contribution",
        comparison=Comparison.VALUE,
        attribute="sex",
        estimate=0.081,
        low=0.064,
        high=0.098,
        level=0.95,
        tolerance=0.05,
        verdict=Verdict.PROVEN_DISPARITY,
        gate=Gate.OFF,
        message="relationship encodes sex and carries .081 of the gap: it needs justification.",
    )


def _proxy() -> report.ProxyAudit:
    def row(
        feature: str, auc: float, flips: float, share: float, role: report.Role, **more: object
    ) -> report.ProxyFeature:
        return report.ProxyFeature(
            feature=feature,
            attribute="sex",
            encodes=report.Encodes(auc=auc, low=auc - 0.01, high=auc + 0.01),
            flip_rate=flips,
            contribution=Estimate(estimate=share, low=share - 0.01, high=share + 0.01),
            score_contribution=Estimate(estimate=share / 2, low=share / 2 - 0.007, high=share / 2 + 0.007),
            influence=share + 0.003,
            role=role,
            **({"block": [feature]} | more),
        )

    return report.ProxyAudit(
        rows_used=9769,
        gap={"sex": 0.186},
        gap_all_permuted={"sex": 0.001},
        features=[
            row(
                "relationship", 0.13, 0.09, 0.081, "proxy", block=["relationship", "marital_status"], profile=_profile()
            ),
            row("marital_status", 0.21, 0.08, 0.052, "proxy", block=["relationship", "marital_status"]),
            row("occupation", 0.71, 0.05, 0.021, "proxy"),
            row("hours_per_week", 0.66, 0.06, 0.018, "latent_proxy", note="encodes and is used; the gap does not move"),
            row("education", 0.52, 0.11, -0.012, "masking"),
            row("age", 0.57, 0.07, 0.004, "neutral"),
            row("capital_gain", 0.53, 0.04, 0.002, "neutral"),
            row("native_country", 0.51, 0.01, 0.0, "neutral"),
            row("occupation", 0.70, 0.05, 0.02, "proxy", stratum="private sector"),
        ],
        sets=[
            report.ProxySet(
                features=["age", "workclass"],
                attribute="sex",
                role="joint_proxy",
                encodes=report.Encodes(auc=0.74, low=0.72, high=0.76),
                contribution=between(0.03, 0.01),
            )
        ],
        leakage=[
            report.Leakage(
                attribute="sex",
                features=report.Encodes(auc=0.93, low=0.92, high=0.94),
                score=report.Encodes(auc=0.79),
                null_auc=0.508,
                p_value=0.048,
                balanced_error_rate=between(0.141, 0.01),
                certificate_limit=0.461,
                certificate="Not certified: the balanced error rate .141 is below the limit.",
            )
        ],
        explained=[
            report.ExplainedGap(
                attribute="sex",
                factors=["hours_per_week"],
                high="Male",
                low="Female",
                rows=9700,
                cells=10,
                gap=0.186,
                explained=Estimate(estimate=0.061, low=0.052, high=0.07),
                unexplained=Estimate(estimate=0.119, low=0.104, high=0.134),
                outside_common_support=Estimate(estimate=0.006, low=0.001, high=0.011),
                common_support=0.987,
                level=0.95,
            )
        ],
        notes=["Each feature was permuted 10 times."],
    )


def _profile() -> report.FeatureProfile:
    def cell(value: str | None, rows: list[int], rate: list[float | None]) -> report.ProfileCell:
        shares = [n / total for n, total in zip(rows, (3200, 6569), strict=True)]
        low, high = ([None if r is None else r + half for r in rate] for half in (-0.02, 0.02))
        return report.ProfileCell(value=value, rows=rows, share=shares, rate=rate, low=low, high=high)

    return report.FeatureProfile(
        groups=["Female", "Male"],
        rows=[3200, 6569],
        cells=[
            cell("Husband", [1, 4012], [None, 0.437]),
            cell("Wife", [1520, 0], [0.472, None]),
            cell(None, [1679, 2557], [0.053, 0.091]),
        ],
        level=0.95,
        note="three values were put together",
    )


def _robustness() -> report.Robustness:
    def row(tone: str, label: str | None, clean: float, robust: float) -> report.RobustnessGroup:
        return report.RobustnessGroup(
            group={"tone": tone},
            n=140,
            units=28,
            label=label,
            clean_accuracy=between(clean, 0.03),
            robust_accuracy=between(robust, 0.08),
            median_distance=0.021,
        )

    def gap(name: str, eps: float, estimate: float | None, **more: Any) -> report.RobustnessGap:
        return report.RobustnessGap.model_validate(
            {"name": name, "attribute": "tone", "eps": eps, "estimate": estimate, **more}
        )

    def rank(label: str, auc: float) -> report.DistanceRank:
        return report.DistanceRank(
            attribute="tone", label=label, group={"tone": "dark"}, reference={"tone": "light"}, auc=between(auc, 0.09)
        )

    not_suspected = report.MaskingCheck(name="zero_gradients", value=0.0, limit=0.05, suspected=False)
    eps = [0.0, 0.01, 0.02, 0.031]
    dark, light = [0.9, 0.62, 0.38, 0.21], [0.95, 0.84, 0.71, 0.55]
    return report.Robustness(
        attribute_columns=["tone"],
        units="role (28 of them)",
        attack=report.Attack(
            norm="L-infinity", eps=8 / 255, attacks=["APGD-CE", "APGD-margin", "Square"], steps=40, seed=0
        ),
        groups=[
            row("dark", "man", 0.93, 0.5),
            row("dark", "woman", 0.88, 0.19),
            row("light", "man", 0.94, 0.42),
            row("light", "woman", 0.95, 0.6),
        ],
        gaps=[
            gap(
                "aligned", 8 / 255, 0.31, low=0.18, high=0.43, p_value=0.0002, verdict="proven_disparity", decides=True
            ),
            gap("marginal", 8 / 255, 0.04, low=-0.03, high=0.11, p_value=0.3, verdict="inconclusive"),
            gap("correct_only", 8 / 255, None, verdict="not_informative", reason="robust accuracy is at its floor"),
        ],
        curves=[
            report.AccuracyCurve(
                group={"tone": name},
                eps=eps,
                accuracy=line,
                low=[max(v - 0.06, 0) for v in line],
                high=[min(v + 0.06, 1) for v in line],
            )
            for name, line in (("dark", dark), ("light", light))
        ],
        masking=report.Masking(
            suspected=False,
            checks=[
                not_suspected,
                report.MaskingCheck(name="black_box_stronger", value=-0.12, limit=0.01, suspected=False),
            ],
        ),
        noise=[row("dark", None, 0.93, 0.9)],
        distance_ranks=[rank("man", 0.55), rank("woman", 0.22)],
        other_norms=[
            report.OtherNorm(
                attack=report.Attack(norm="L2", eps=1.74, attacks=["APGD-CE", "Square"], steps=40, seed=0),
                clean_accuracy=0.93,
                robust_accuracy=0.41,
                groups=[row("dark", "man", 0.93, 0.47), row("light", "woman", 0.95, 0.61)],
                gaps=[gap("aligned", 1.74, 0.27, low=0.13, high=0.4, p_value=0.0004, verdict="proven_disparity")],
                masking=report.Masking(suspected=False, checks=[not_suspected]),
                distance_ranks=[rank("man", 0.57), rank("woman", 0.24)],
            )
        ],
        corruptions=[_corruption("all", 0.82), _corruption("blur", 0.71)],
        panels=[
            report.Panel(
                name="adversarial_examples",
                title="Adversarial examples",
                text="Left the picture, right the same picture under attack.",
                images=[
                    {"src": picture(shade), "alt": f"picture {shade}: woman, then man"} for shade in (40, 120, 200)
                ],
                lines=[
                    "woman, tone dark, read as man. No channel of any pixel changes by more than 7.9 of 255 levels."
                ],
            )
        ],
    )


def _corruption(name: str, mean: float) -> report.CorruptionRow:
    def of(tone: str, label: str | None, less: float) -> report.CorruptedGroup:
        return report.CorruptedGroup(
            group={"tone": tone},
            label=label,
            n=140,
            units=28,
            clean_accuracy=between(0.93),
            mean_accuracy=between(mean - less),
            accuracy=[between(0.93 - 0.05 * severity - less) for severity in range(1, 6)] if label is None else [],
        )

    return report.CorruptionRow(
        name=name,
        attribute="tone",
        parameter=None if name == "all" else "radius in pixels",
        values=[] if name == "all" else [0.4, 0.6, 0.7, 0.8, 1.0],
        groups=[of("dark", None, 0.1), of("light", None, 0.0), of("dark", "woman", 0.2)],
        gap=report.CorruptionGap(
            estimate=-0.17,
            low=-0.3,
            high=-0.05,
            p_value=0.002,
            group={"tone": "dark"},
            reference={"tone": "light"},
            label="woman",
            clean=-0.02,
            expected_by_chance=0.06,
            comparisons=2,
        ),
    )


def _perception() -> report.Perception:
    return report.Perception(
        checks=[
            report.PerceptionCheck(
                name="paired_counterfactual",
                attribute="tone",
                effect=-0.021,
                direction="dark → man",
                low=-0.06,
                high=0.02,
                p_value=0.21,
                verdict="inconclusive",
                detail={"flips_up": 3, "flips_down": 6},
            ),
            report.PerceptionCheck(
                name="dream",
                attribute="tone",
                effect=None,
                verdict="not_assessed",
                reason="no probe reached .75 balanced accuracy",
            ),
        ],
        panels=[
            report.Panel(
                name="filters",
                title="First-layer filters",
                text="What the first layer responds to.",
                images=[{"src": picture(90), "alt": "filter 1"}],
            ),
            report.Panel(
                name="baselines",
                title="Baselines",
                text="What simple models reach.",
                table=[{"model": "random network", "accuracy": 0.51, "parameters": 26402}],
            ),
        ],
    )


def _representation() -> report.Representation:
    """Women, men and twelve unknown, against a population; an age missing more often for women; rows seen in training."""
    codes = np.repeat(np.arange(3), (1395, 5807, 12)).astype(np.int32)
    rows = np.arange(7214)
    policy = Policy.model_validate({"data": {"population": {"sex": {"Female": 0.51, "Male": 0.49}}}})
    audit, _ = audit_representation(
        {"sex": (codes, ("Female", "Male", None))},
        label=np.where(codes == 2, -1, rows % 2).astype(np.int8),
        missing_by_column={"age": 373},
        policy=policy,
        missing={"age": (rows % 5 == 0) & (codes == 0) | (rows % 60 == 0)},
        identity=RowIdentity(
            ("sex", "age"), rows // 2, (Training("split = train", rows[:50], ("sex", "age"), rows // 2),)
        ),
    )
    return audit


def picture(shade: int, side: int = 16) -> str:
    """A small PNG as a data URI."""
    pixels = b"".join(
        b"\x00" + bytes((shade, (shade * x) % 255, (9 * y) % 255)[i] for x in range(side) for i in range(3))
        for y in range(side)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(png).decode()
