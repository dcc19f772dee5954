"""The report: one document that every output renders and none computes anew. Its JSON schema is published and versioned.

How findings come about belongs to the audits; how they look belongs to `service`.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from evenhand.auditors.verdict import Comparison, Gate, Rule, Verdict

SCHEMA: Literal["evenhand-report/1"] = "evenhand-report/1"

AuditName = Literal["group_disparity", "proxy", "robustness", "perception", "representation"]
AUDIT_NAMES: tuple[AuditName, ...] = ("group_disparity", "proxy", "robustness", "perception", "representation")

Group = dict[str, str | None]
"""Attribute to value as text; a missing value is None, which no text can be mistaken for."""

Fraction = Annotated[float, Field(ge=0, le=1)]


class Document(BaseModel):
    """Part of the report: frozen, and nothing undeclared gets in."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Estimate(Document):
    """A number with the interval behind it; `estimate` None means undefined, and `reason` says why."""

    estimate: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


class Counterpart(Document):
    """The same two groups by the other comparison, at the same level: the ratio beside a difference, or the reverse."""

    comparison: Comparison
    estimate: float | None
    low: float | None
    high: float | None


class ExactTests(Document):
    """Two-sided tests of equality that hold in small cells, where the score test is only near its level."""

    fisher: Fraction
    mid_p: Fraction
    boschloo: Fraction | None = Field(description="null where there are too many rows to enumerate")


class Finding(Document):
    """One answer: what was asked, the interval, the tolerance and the verdict."""

    id: str
    audit: AuditName
    metric: str
    comparison: Comparison
    attribute: str | None
    group: Group | None = Field(
        default=None,
        description="with `reference` the pair that decides a check, or, while it is open, the one furthest from being shown "
        "within; `estimate`, `low` and `high` of a check are the largest (of ratios the smallest) over all pairs",
    )
    reference: Group | None = None
    estimate: float | None
    low: float | None = None
    high: float | None = None
    level: float | None = Field(
        default=None,
        description="level of the deciding interval or test, a fraction; held together with others for gated checks alone",
    )
    equivalence_low: float | None = None
    equivalence_high: float | None = None
    rule: Rule = Rule.INTERVAL
    tolerance: float | None = None
    verdict: Verdict
    n: int | None = None
    reference_n: int | None = None
    p_value: float | None = None
    gate: Gate = Gate.OFF
    message: str
    rows_needed: int | None = Field(
        default=None,
        description="rows of the smallest group, the others in proportion, that settle it in four of five samples: if the "
        "groups are truly equal, or, where the estimate lies beyond the tolerance, if it is the truth",
    )
    rows_needed_at_estimate: int | None = Field(
        default=None,
        description="the same if an estimate within the tolerance is the truth; null where it lies beyond, or too near",
    )
    smallest_n: int | None = Field(default=None, description="rows of the smallest group, which `rows_needed` is about")
    detectable: float | None = None
    counterpart: Counterpart | None = None
    exact: ExactTests | None = None


class Counts(Document):
    """Confusion counts about the positive class, sums of weights where rows are weighted. Without labels only `selected`."""

    tp: float | None
    fp: float | None
    fn: float | None
    tn: float | None
    selected: float = Field(description="predicted positive")


class GroupResult(Document):
    group: Group
    n: int
    small: bool = Field(description="fewer rows than the policy compares")
    unknown: bool = Field(description="a missing value: listed, left out of comparisons")
    counts: Counts
    metrics: dict[str, Estimate]


class PairsListed(Document):
    """How many pair findings there are and how many the report lists."""

    total: int
    listed: int
    rule: str


class AttributeResult(Document):
    attribute: str
    groups: list[GroupResult]
    overall: GroupResult
    pairs: PairsListed
    expected_largest_gap: dict[str, float | None] = Field(
        description="metric name to the largest gap that equal groups of these sizes would show on average"
    )


class UnknownBounds(Document):
    """What one check could say once the rows without the attribute were known: its range over all ways to fill them in."""

    attribute: str
    metric: str
    comparison: Comparison
    estimate: float | None = Field(description="largest gap (smallest ratio) among the rows that are known")
    lowest: float | None
    highest: float | None
    unknown: int = Field(description="rows without the attribute that count in this metric")
    tolerance: float
    straddles: bool = Field(description="some ways to fill in lie within the tolerance and some beyond it")
    group: Group | None = Field(default=None, description="with `reference`: the pair whose gap could be the largest")
    reference: Group | None = None
    note: str


class MemberRate(Document):
    """One rate of a group that is known by probability alone, by both estimators."""

    group: str
    rows: float = Field(description="sum of the probabilities")
    weighted: Estimate
    thresholded: Estimate
    most_probable: Estimate


class MembershipGap(Document):
    """A gap between two groups of an uncertain attribute, by estimators that err in opposite directions."""

    attribute: str
    metric: str
    group: str
    reference: str
    rates: list[MemberRate]
    weighted: Estimate = Field(description="rows weighted by probability: biased toward no gap")
    thresholded: Estimate = Field(description="rows with a probability above .5: biased away from no gap")
    most_probable: Estimate = Field(description="each row counted to its most probable group: biased away from no gap")
    lowest: float | None = Field(default=None, description="lowest gap that the probabilities and outcomes allow")
    highest: float | None = Field(default=None, description="highest gap that the probabilities and outcomes allow")
    undecided: int = Field(description="rows with no probability above .5")
    note: str


class Subgroup(Document):
    """A subgroup carried from the search to the half of the rows that confirms; its numbers come from that half."""

    group: Group = Field(description="attribute to value; a slice by a feature has a range, such as '30 to 45'")
    kind: Literal["intersection", "slice"]
    metric: str
    n: int
    rate: float | None
    rest_rate: float | None
    gap: float | None = Field(description="rate less the rate of the rest")
    low: float | None
    high: float | None
    proven_gap: float = Field(description="the end of the interval that is nearer 0; 0 where it holds 0")
    p_value: float | None = Field(description="exact conditional test against the rest")
    adjusted_p: float | None = Field(description="Holm over all subgroups carried over: holds the claim")
    false_discovery_p: float | None = Field(description="Benjamini-Hochberg: holds the list")
    verdict: Verdict


class SubgroupSearch(Document):
    searched: int = Field(description="subgroups of at least `smallest` rows that were looked at, over all metrics")
    depth: int
    smallest: int
    attributes: list[str]
    features: list[str] = []
    metrics: list[str]
    tolerance: float
    level: float
    rows_search: int
    rows_confirm: int
    carried: int
    found: list[Subgroup]
    notes: list[str] = []


class StratumGroup(Document):
    group: Group
    n: int
    favourable_rate: Estimate


class Stratum(Document):
    """The groups within one stratum; `stratum` None are the rows without one."""

    stratum: str | None
    n: int
    groups: list[StratumGroup]


class ConditionalGroup(Document):
    """One group against all others of the attribute, over all rows and within strata."""

    group: Group
    disparity: float | None = Field(description="share among the refused minus share among the favoured, over all rows")
    by_stratum: list[float | None] = Field(description="the same within each stratum listed, in their order")
    conditional: Estimate = Field(description="mean of the strata's disparities, weighted by their people")
    odds_ratio: Estimate = Field(
        description="common to all strata (Mantel-Haenszel); no summary where `homogeneous` is false"
    )
    crude_odds_ratio: float | None
    p_value: float | None = Field(description="Cochran-Mantel-Haenszel")
    p_value_corrected: float | None = Field(description="with the continuity correction")
    tarone: float | None
    tarone_p_value: float | None
    homogeneous: bool | None = Field(description="whether Tarone's test leaves one odds ratio for all strata standing")
    reversed: bool = Field(description="over all rows the group fares worse, within strata no worse, or the other way")
    message: str


class StrataResult(Document):
    """An attribute compared among people of the same stratum."""

    attribute: str
    stratum: str
    total: int = Field(description="strata that there are; the largest are listed")
    strata: list[Stratum]
    groups: list[ConditionalGroup]
    notes: list[str] = []


class Repeats(Document):
    """How rows of the same unit were taken into account."""

    rows: int
    units: int
    design_effect_lowest: float | None = Field(description="over groups and rates: rows over effective rows")
    design_effect_highest: float | None
    crossing: int = Field(description="units with rows in more than one group of some attribute")


class CalibrationBin(Document):
    """Rows of one group whose scores are neighbours."""

    n: int
    mean_score: float
    base_rate: float


class CalibrationDetail(Document):
    """What stands behind a group's calibration error; bins of equal mass, tied scores kept together."""

    base_rate: float
    chance: float = Field(description="calibration error that a calibrated score would show on average with these rows")
    less_bias: float = Field(description="calibration error less its estimated bias (Kumar, Liang and Ma 2019)")
    bins: list[CalibrationBin]


class ScoreGroup(Document):
    """One group's scores; lists run along `edges` or `thresholds` of the attribute, null where undefined."""

    group: Group
    n: int
    shares: list[float | None] = Field(description="of the group in each bin of the histogram")
    selection_rate: list[float | None] = Field(description="share that scores at or above each threshold")
    true_positive_rate: list[float | None] | None = None
    false_positive_rate: list[float | None] | None = None
    impact_ratio: list[float | None] = Field(
        description="favourable rate over the highest of the groups at that threshold"
    )
    scoring_impact_ratio: Estimate = Field(description="scoring rate over the highest; interval of this pair alone")
    calibration: CalibrationDetail | None = None


class ScorePair(Document):
    """How far apart the scores of two groups are. Intervals and p-values are of this pair alone, at .95."""

    group: Group
    reference: Group
    standardized_mean_difference: Estimate
    ks: Estimate
    ks_p_value: float | None = None
    wasserstein: Estimate
    wasserstein_p_value: float | None = None
    abroca: Estimate | None = None
    abroca_expected: float | None = Field(default=None, description="mean area were both curves the same")
    abroca_p_value: float | None = None


class CrossAreas(Document):
    """Row i, column j: how often a positive of group i scores above a negative of group j; the diagonal is roc_auc."""

    groups: list[Group]
    area: list[list[float | None]]
    low: list[list[float | None]]
    high: list[list[float | None]]
    bound: float = Field(description="the most that an area can be wrong by; 0 where exact")


class ScoreAttribute(Document):
    """The scores of one attribute's groups, the largest ones where there are many; their metrics stand in `attributes`."""

    attribute: str
    edges: list[float] = Field(description="of the histogram's bins")
    thresholds: list[float] = Field(description="positive where score >= threshold")
    threshold: float | None = Field(default=None, description="the one in use")
    median: float = Field(description="of all rows: the scoring rate counts who lies beyond it, on the favourable side")
    lowest_impact_ratio: list[float | None] = Field(description="over the groups of 30 rows and more, by threshold")
    groups: list[ScoreGroup]
    left_out: int = Field(default=0, description="smaller groups that are not shown here")
    pairs: list[ScorePair] = []
    cross: CrossAreas | None = None
    notes: list[str] = []


class ClassGroups(Document):
    """The groups of one attribute or intersection, counted as one class against the rest."""

    attribute: str
    groups: list[GroupResult]


class ClassResult(Document):
    """One class against all others."""

    name: str
    favourable: bool = Field(description="the class that is declared to help the person")
    labelled: float = Field(description="rows (or weights) with this label")
    predicted: float = Field(description="rows (or weights) with this prediction")
    attributes: list[ClassGroups]


class GroupAccuracy(Document):
    """Share of a group's rows whose prediction names the label's class."""

    attribute: str
    group: Group
    n: int
    accuracy: Estimate


class ClassGap(Document):
    """Where two groups lie furthest apart on one class; error over the classes held by Holm, over the pairs by Tukey."""

    name: str = Field(description="of the class")
    attribute: str
    metric: str
    group: Group | None = Field(default=None, description="the group with the higher rate")
    reference: Group | None = None
    estimate: float | None
    low: float | None = None
    high: float | None = None
    level: float = Field(description="of the interval: that of the step at which Holm decides the class")
    p_value: Fraction = Field(description="of no gap beyond the tolerance, adjusted by Holm over the classes")
    tolerance: float
    verdict: Verdict
    message: str


class Multiclass(Document):
    """Labels of more than two classes: each class against the rest. Nothing here counts for the gate."""

    classes: list[str]
    favourable: str | None
    label: str
    prediction: str
    confusion: list[list[float]] = Field(
        description="rows (or weights) over all groups, by label and then by prediction"
    )
    level: float = Field(description="1 - alpha of all classes together, on one attribute")
    tolerance: float
    accuracy: list[GroupAccuracy]
    by_class: list[ClassResult]
    gaps: list[ClassGap]
    notes: list[str] = []


class FourFifthsGroup(Document):
    """One group against the most selected one; counts are of people and null where rows are weighted or repeat people."""

    group: Group
    n: int
    selected: int | None = Field(description="people with the favourable outcome")
    rate: Estimate
    impact_ratio: Estimate = Field(description="rate over that of the reference; interval of this pair alone at .95")
    small: bool = Field(default=False, description="fewer rows than comparisons need")
    below_four_fifths: bool | None = Field(default=None, description="ratio strictly below .8, decided in fractions")
    flagged: bool = Field(default=False, description="below four-fifths, and not by one person alone")
    one_person_turns: bool | None = Field(
        default=None, description="with one person swapped the group would be selected more often than the reference"
    )
    swapped_ratio: float | None = Field(
        default=None, description="the ratio with one of this group selected instead of one of the reference"
    )
    shortfall: float | None = Field(
        default=None, description="people missing from the selected at the common rate of both groups"
    )
    standard_deviations: float | None = Field(default=None, description="difference of rates under their common rate")
    fisher: Fraction | None = Field(default=None, description="two-sided; null where there are too many rows")
    boschloo: Fraction | None = Field(default=None, description="two-sided; null where there are too many rows")
    said: str = Field(default="", description="the row in words")


class FourFifths(Document):
    """Uniform Guidelines on Employee Selection Procedures (1978), 29 CFR 1607.4 D; single attributes only."""

    attribute: str
    reference: Group | None = Field(description="the most selected group; null where nobody is selected")
    groups: list[FourFifthsGroup]
    unknown: int = Field(description="rows without the attribute, left out")
    notes: list[str] = []


class LocalLaw144Category(Document):
    group: Group
    n: int
    selected: int | None = Field(description="selected, or scoring beyond the median; null where rows are weighted")
    rate: float | None
    impact_ratio: float | None = Field(description="null where left out, or where nobody is selected")
    share: Fraction = Field(description="of all rows")
    left_out: bool = False
    reason: str | None = Field(default=None, description="said of categories under 2 %")


class LocalLaw144(Document):
    """New York City, title 6 of the city's rules, sections 5-300 to 5-303. The law sets no limit for the ratio."""

    attribute: str
    basis: Literal["selection", "scoring"] = Field(description="scoring: the share beyond the median of all scores")
    median: float | None = None
    most_selected: Group | None
    categories: list[LocalLaw144Category]
    unknown: int = Field(description="rows in an unknown category, left out of the rates")
    notes: list[str] = []


class LendingCutoff(Document):
    threshold: float
    favoured: Fraction = Field(description="share of the rows that this cutoff favours")
    in_use: bool = False


class LendingGroup(Document):
    group: Group
    n: int
    small: bool = Field(default=False, description="fewer rows than comparisons need")
    standardized_mean_difference: Estimate = Field(description="of scores, the group less the reference")
    adverse_impact_ratio: list[float | None] = Field(description="along the cutoffs, over the reference's rate")


class Lending(Document):
    """Adverse impact ratio and standardized mean difference along the score, as credit models are examined."""

    attribute: str
    reference: Group
    declared: bool = Field(description="the policy names the reference; else it is the largest group")
    cutoffs: list[LendingCutoff]
    groups: list[LendingGroup]
    notes: list[str] = []


class Practice(Document):
    """Tables that laws and practice ask for. They follow from the counts and scores above, and decide nothing."""

    four_fifths: list[FourFifths] = []
    local_law_144: list[LocalLaw144] = []
    lending: list[Lending] = Field(default=[], description="where rows have scores")
    notes: list[str] = []


class GroupDisparity(Document):
    positive: str
    favourable: str
    negative: str | None = Field(
        default=None, description="the label's other value; None without labels and where it has several"
    )
    label: str | None
    prediction: str
    family_level: float = Field(
        description="1 - alpha / number of gated checks, which hold alpha together; findings with gate off are not among them"
    )
    weighted: bool = False
    attributes: list[AttributeResult]
    bounds: list[UnknownBounds] | None = Field(default=None, description="where the attribute is missing in some rows")
    membership: list[MembershipGap] | None = None
    subgroups: SubgroupSearch | None = None
    strata: list[StrataResult] | None = Field(default=None, description="where a stratum column is named")
    repeats: Repeats | None = Field(default=None, description="where a unit column is named")
    scores: list[ScoreAttribute] | None = Field(default=None, description="where rows have scores")
    multiclass: Multiclass | None = Field(default=None, description="where labels have more than two classes")
    practice: Practice | None = Field(default=None, description="tables that laws and practice ask for")
    notes: list[str] = []


class Encodes(Document):
    """Area under the ROC curve of the feature for the attribute, raw: .2 encodes as much as .8."""

    auc: float | None
    low: float | None = None
    high: float | None = None
    group: str | None = Field(default=None, description="the group told apart from the rest, the one furthest from .5")


Role = Literal["proxy", "latent_proxy", "masking", "joint_proxy", "neutral"]


class ProfileCell(Document):
    """A value of a feature, or a range of values; the lists are in the order of the profile's groups."""

    value: str | None = Field(description="the value or range as text; None: missing")
    rows: list[int]
    share: list[float | None] = Field(description="of the group's rows")
    rate: list[float | None] = Field(default=[], description="of positive decisions among these rows; None: no rows")
    low: list[float | None] = []
    high: list[float | None] = []


class FeatureProfile(Document):
    """How a feature is spread in each group, and how often each value is decided for."""

    groups: list[str]
    rows: list[int] = Field(description="of each group")
    cells: list[ProfileCell]
    level: float = Field(description="of each interval by itself")
    note: str | None = Field(default=None, description="what was put together or left out")


class ProxyFeature(Document):
    feature: str
    attribute: str
    encodes: Encodes
    flip_rate: Fraction | None
    contribution: Estimate
    score_contribution: Estimate | None = Field(default=None, description="as contribution, of the gap of mean scores")
    influence: float | None = Field(
        default=None,
        description="change of the gap when the block alone is permuted; influences double-count, so no share",
    )
    influence_interval: Estimate | None = Field(default=None, description="the same with its interval")
    surrogate: bool = Field(default=False, description="use and contribution are a surrogate's, not the model's")
    role: Role
    block: list[str]
    block_name: str | None = Field(default=None, description="as declared, or its features joined by +")
    stratum: str | None = None
    note: str | None = None
    profile: FeatureProfile | None = Field(
        default=None, description="of the 20 most telling features of an attribute, over all rows"
    )


class ProxySet(Document):
    """A joint proxy that was confirmed: the set encodes, no member does alone.

    With a stratum: the set there, which is neutral where it is not shown to encode.
    """

    features: list[str]
    attribute: str
    role: Role
    encodes: Encodes
    contribution: Estimate
    stratum: str | None = None
    note: str | None = None


class Leakage(Document):
    """How well all features together, and the score alone, give the attribute away."""

    attribute: str
    features: Encodes
    score: Encodes
    null_auc: float | None = Field(
        default=None, description="mean area from all features with the attribute permuted and trees grown anew"
    )
    p_value: float | None = Field(
        default=None, description="of the area on the same rows among those; at least 1 / (permutations + 1)"
    )
    permutations: int | None = None
    permuted_rows: int | None = Field(default=None, description="rows on which trees were grown anew")
    balanced_error_rate: Estimate | None = Field(
        default=None, description="mean error of the two groups when all features predict the attribute; .5 is chance"
    )
    certificate_limit: float | None = Field(
        default=None,
        description="1/2 - b/8 with b the lower favourable rate: errors above rule an impact ratio of .8 or less out",
    )
    certificate: str | None = Field(default=None, description="what the balanced error rate rules out, in words")
    score_null_auc: float | None = Field(default=None, description="as null_auc, of the score, whichever way round")
    score_p_value: float | None = None
    score_balanced_error_rate: Estimate | None = Field(
        default=None, description="as balanced_error_rate, by one cut of the score, chosen on other rows"
    )
    score_certificate: str | None = None


WhatIfAction = Literal["permute", "neutralise", "retrain"]
AlternativeVerdict = Literal["proven", "not_proven", "not_assessed"]


class WhatIfChange(Document):
    """A number before and after on the same rows, with a paired interval of the change."""

    metric: Literal["accuracy", "demographic_parity_difference", "equalized_odds_difference"]
    against: Literal["model", "retrained"] = Field(
        description="before: the audited classifier, or one trained in the same way as after with all features"
    )
    before: float
    after: float
    change: Estimate


class WhatIfGroup(Document):
    """Whose decisions change, as shares of the group's rows."""

    group: Group
    n: int
    to_positive: Fraction
    to_negative: Fraction


class WhatIf(Document):
    """Decisions with a block or set permuted, neutralised (without what it says of the attribute) or left out."""

    attribute: str
    features: list[str]
    role: Role
    action: WhatIfAction
    classifier: str | None = Field(default=None, description="kind that was trained anew")
    stand_in: bool = Field(default=False, description="whether that is not the audited classifier's kind")
    rows: int
    level: float = Field(description="of each interval, so that all alternatives together hold the audit's")
    changes: list[WhatIfChange]
    accuracy_loss_at_most: float | None = Field(default=None, description="one-sided bound, at the same level")
    groups: list[WhatIfGroup]
    alternative: AlternativeVerdict = Field(
        description="proven: the gap is smaller by proof, and accuracy not worse by more than the margin"
    )
    message: str


class Surrogate(Document):
    """Trees that predict the decisions from the features, asked in place of a model that is not there."""

    classifier: str
    learned_rows: int
    rows: int = Field(description="on which fidelity was measured, none of them learned from")
    agreement: Estimate = Field(description="share of decisions that it reproduces")
    majority: Fraction = Field(description="share that always saying the more frequent decision reproduces")
    kappa: Estimate = Field(description="Cohen's: agreement beyond chance, 1 is all of it")
    auc: float | None = Field(description="area under the ROC curve of its scores for the decisions")
    required_kappa: float = Field(description="below which (by the lower bound) no role beyond encoding is claimed")
    sufficient: bool
    gap: dict[str, float | None] = Field(default={}, description="attribute to the gap of the decisions themselves")
    message: str


class ExplainedGap(Document):
    """The gap of positive decisions between two groups, split by factors that were declared legitimate."""

    attribute: str
    factors: list[str]
    high: str = Field(description="the gap is the rate of this group")
    low: str = Field(description="less that of this one")
    rows: int
    cells: int = Field(description="combinations of the factors' values, or of bins of equal size")
    gap: float
    explained: Estimate = Field(description="the groups differ in the factors, and people with these are decided so")
    unexplained: Estimate = Field(description="people with the same factors are decided differently by group")
    outside_common_support: Estimate = Field(description="from people whose combination occurs in one group only")
    common_support: Fraction = Field(description="share of people whose combination occurs in both groups")
    level: float


class ProxyAudit(Document):
    rows_used: int
    gap: dict[str, float | None] = Field(description="attribute to the gap of decisions that the parts sum to")
    gap_all_permuted: dict[str, float | None] = {}
    features: list[ProxyFeature]
    sets: list[ProxySet] = []
    leakage: list[Leakage] = []
    explained: list[ExplainedGap] = Field(default=[], description="one an attribute, where factors were declared")
    what_if: list[WhatIf] = []
    accuracy_margin: float | None = Field(default=None, description="how much accuracy an alternative may cost")
    surrogate: Surrogate | None = Field(default=None, description="where only predictions are known")
    notes: list[str] = []


class RobustnessGroup(Document):
    group: Group
    n: int
    units: int | None = None
    label: str | None = Field(default=None, description="the class of this row; None: all classes together")
    clean_accuracy: Estimate
    robust_accuracy: Estimate
    median_distance: float | None = Field(
        default=None, description="of the smallest changes found, upper bounds: they rank groups and are no headline"
    )


class Attack(Document):
    norm: str
    eps: float
    attacks: list[str]
    steps: int
    restarts: int = 1
    seed: int
    draws: int = Field(default=1, description="calls that an answer is the mean of, where two calls differ")
    queries: int | None = Field(
        default=None, description="most candidates that attacks without gradients try a picture"
    )


class RobustnessGap(Document):
    name: Literal[
        "aligned",
        "within_class",
        "marginal",
        "correct_only",
        "recourse",
        "recourse_cost",
        "fragility",
        "fragility_cost",
    ]
    attribute: str
    eps: float
    estimate: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    verdict: Literal["proven_disparity", "proven_within", "inconclusive", "not_assessed", "not_informative"]
    decides: bool = False
    reason: str | None = None


class MaskingCheck(Document):
    name: str
    value: float | None
    limit: float | None
    suspected: bool
    reason: str | None = None


class Masking(Document):
    suspected: bool
    checks: list[MaskingCheck]


class AccuracyCurve(Document):
    """Robust accuracy of one group against eps, at eps 0 the clean accuracy."""

    group: Group
    eps: list[float]
    accuracy: list[float]
    low: list[float]
    high: list[float]


class PanelCurve(Document):
    """One line of a panel's chart."""

    name: str
    x: list[float]
    y: list[float] = Field(description="in [0, 1], one for each x")


class Panel(Document):
    """Something that is shown and never decides: pictures as data URIs, text, curves, or small tables."""

    name: str
    title: str
    text: str = Field(description="what is shown, and how to read it")
    limits: str | None = Field(default=None, description="what it does not show")
    why_no_verdict: str | None = None
    check: str | None = Field(default=None, description="name of the check that it illustrates; null: it stands alone")
    attribute: str | None = Field(default=None, description="of that check")
    images: list[dict[str, str]] = Field(default=[], description="each with `src` (data URI) and `alt`")
    lines: list[str] = Field(default=[], description="one for each example, whose pictures are equally many")
    axes: str | None = Field(default=None, description="what the curves show, as in 'accuracy by epoch'")
    curves: list[PanelCurve] = []
    table: list[dict[str, Any]] = []


class FeasibleFeature(Document):
    """How one feature of a table may change, and what was assumed about it."""

    feature: str
    changes: bool
    actionable: bool = Field(description="counts for recourse; a feature that only changes counts for fragility")
    ordered: bool
    direction: Literal["up", "down"] | None = None
    whole: bool | None = Field(default=None, description="whole numbers only; null for categories")
    low: float | None = None
    high: float | None = None
    values: int = Field(description="how many values it may take")
    cost: float | None = Field(default=None, description="of another category, or of a number that moves past all rows")
    unit: str | None = None
    reason: str = Field(description="where this comes from: the policy, or an assumption")


class ChangeGroup(Document):
    """One group's answers: of the rows with one decision, how many it takes little, or nothing feasible, to turn."""

    group: Group
    question: Literal["recourse", "fragility"]
    n: int = Field(description="rows of the group with this decision")
    searched: int
    share: Estimate = Field(description="recourse: of rows without any in the budget; fragility: of decisions lost")
    median_cost: Estimate = Field(description="of the smallest change found, an upper bound")


class ChangeExample(Document):
    """One row of a group, with the change that was found."""

    group: Group
    question: Literal["recourse", "fragility"]
    row: int = Field(description="from 1, of the rows audited")
    cost: float
    text: str


class FeasibleChanges(Document):
    """Tables: the smallest feasible changes that lose (fragility) or win (recourse) the favourable decision."""

    favourable: str
    budget: float
    fragility_budget: float
    cost: str = Field(description="how a change is measured")
    features: list[FeasibleFeature]
    groups: list[ChangeGroup]
    examples: list[ChangeExample]
    rows_per_group: int
    queries: int = Field(description="rows that the classifier was asked about")
    most_queries: int = Field(description="for one row of the data")


class DistanceRank(Document):
    """Whose pictures of a class need the larger change to be misread; ranks only."""

    attribute: str
    label: str
    group: Group
    reference: Group
    auc: Estimate = Field(description="probability that a picture of `group` needs a larger change than of `reference`")


class OtherNorm(Document):
    """Robustness in another norm: shown beside the one that decides."""

    attack: Attack
    clean_accuracy: float
    robust_accuracy: float = Field(description="of all pictures, at the eps of its attack")
    groups: list[RobustnessGroup]
    gaps: list[RobustnessGap]
    curves: list[AccuracyCurve] = []
    masking: Masking
    distance_ranks: list[DistanceRank] = []


class CorruptedGroup(Document):
    """Accuracy of one group, or of one class of it, under a corruption."""

    group: Group
    label: str | None = Field(default=None, description="the class of this row; None: all classes together")
    n: int
    units: int
    clean_accuracy: Estimate
    mean_accuracy: Estimate = Field(description="over the severities")
    accuracy: list[Estimate] = Field(default=[], description="at severities 1 to 5; groups as a whole only")


class CorruptionGap(Document):
    """Largest gap of mean accuracy within a class: `group` less `reference`, with its interval of 99 %."""

    estimate: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = Field(default=None, description="adjusted by Holm over the comparisons")
    group: Group | None = None
    reference: Group | None = None
    label: str | None = None
    clean: float | None = Field(default=None, description="the same gap without corruption")
    expected_by_chance: float | None = Field(default=None, description="of the largest gap, were all groups equal")
    comparisons: int = 0
    reason: str | None = None


class CorruptionRow(Document):
    """A natural corruption at five severities, by group; `all`: all of them together. Shown; gated only by a policy."""

    name: str
    attribute: str
    parameter: str | None = Field(default=None, description="what `values` are, with their unit")
    values: list[float] = Field(default=[], description="at severities 1 to 5")
    groups: list[CorruptedGroup]
    gap: CorruptionGap


class PictureResults(Document):
    """What became of each picture, as columns of one length, in the order of the data."""

    ids: list[int]
    correct: list[bool] = Field(description="without a change")
    robust: list[bool] = Field(description="correct under every attack of the size that decides")
    distance: list[float | None] = Field(
        description="smallest change found that fools, an upper bound, in the norm of the attack; null: none was found"
    )
    found_by: list[str | None] = Field(description="attack that broke it first at the smallest size of the run")
    left_out: int = Field(default=0, description="pictures after the first 5,000")


class Robustness(Document):
    attribute_columns: list[str]
    units: str
    attack: Attack
    groups: list[RobustnessGroup]
    gaps: list[RobustnessGap]
    curves: list[AccuracyCurve] = []
    masking: Masking
    other_norms: list[OtherNorm] = []
    noise: list[RobustnessGroup] = Field(default=[], description="accuracy under random noise of the same size")
    corruptions: list[CorruptionRow] = Field(default=[], description="pictures only")
    distance_ranks: list[DistanceRank] = Field(default=[], description="pictures only")
    pictures: PictureResults | None = Field(default=None, description="pictures only")
    changes: FeasibleChanges | None = Field(default=None, description="tables only")
    panels: list[Panel] = []
    notes: list[str] = []


class PerceptionCheck(Document):
    name: Literal[
        "paired_counterfactual",
        "class_gap",
        "dream",
        "dream_drift",
        "tcav",
        "cue_conflict",
        "style_swap",
        "learning_curves",
    ]
    attribute: str
    effect: float | None
    direction: str | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    verdict: Literal["proven_disparity", "proven_within", "inconclusive", "not_assessed"]
    reason: str | None = None
    detail: dict[str, float | int | str | None] = {}


class Perception(Document):
    checks: list[PerceptionCheck]
    panels: list[Panel] = []
    notes: list[str] = []


class Share(Document):
    group: Group
    n: int
    share: Estimate
    label_rate: Estimate


class PopulationShare(Document):
    """A group's share of the rows that have the attribute, beside its share of the population."""

    group: Group
    n: int
    expected: Fraction = Field(description="share of the population")
    share: Estimate
    difference: Estimate = Field(description="share less expected")
    ratio: Estimate
    verdict: Verdict


class PopulationComparison(Document):
    """An attribute's shares against a reference population."""

    rows: int = Field(description="rows with a group that the population has a share for")
    statistic: float | None = Field(description="Pearson's chi-square of all shares together")
    degrees_of_freedom: int
    p_value: float | None
    comparison: Comparison
    tolerance: float
    level: float
    shares: list[PopulationShare]
    note: str


class RepresentationAttribute(Document):
    attribute: str
    shares: list[Share]
    missing: int
    population: PopulationComparison | None = None


class MissingRate(Document):
    group: Group
    n: int
    missing: int
    rate: Estimate


class MissingByGroup(Document):
    """How often a column is empty in each group of an attribute."""

    column: str
    attribute: str
    groups: list[MissingRate]
    difference: Estimate = Field(description="largest difference between two groups, with the interval over all pairs")
    group: Group | None = None
    reference: Group | None = None
    equivalence_low: float | None = None
    equivalence_high: float | None = None
    p_value: float | None = Field(description="exact or chi-square test of equal rates")
    adjusted_p: float | None = Field(description="Holm over all columns and attributes")
    tolerance: float
    verdict: Verdict


class DuplicateRows(Document):
    """Rows that are equal in every column that was compared."""

    columns: list[str]
    repeated: int = Field(description="rows that repeat an earlier one")
    distinct: int
    largest: int = Field(description="rows of the most frequent one")


class SharedByGroup(Document):
    group: Group
    n: int
    shared: int
    rate: Estimate


class SharedRows(Document):
    """Rows that stand in the training data too: a score on them says little about people not seen before."""

    train: str
    test: str
    columns: list[str]
    train_rows: int
    test_rows: int
    shared: int = Field(description="rows of the test part that stand in the training part")
    by_group: list[SharedByGroup] = []


class Representation(Document):
    rows: int
    attributes: list[RepresentationAttribute]
    missing_by_column: dict[str, int] = {}
    missing_by_group: list[MissingByGroup] | None = None
    duplicates: DuplicateRows | None = None
    shared: list[SharedRows] | None = None
    notes: list[str] = []


class Audits(Document):
    group_disparity: GroupDisparity | None = None
    proxy: ProxyAudit | None = None
    robustness: Robustness | None = None
    perception: Perception | None = None
    representation: Representation | None = None


class SubjectData(Document):
    name: str
    sha256: str
    rows: int
    columns: list[str]
    source: str | None = None
    licence: str | None = None
    limits: list[str] = []
    warnings: list[str] = Field(default=[], description="what looks like a slip in the data: groups that may be one")


class ModelValue(Document):
    """An input or output of a model's file, as the file names it."""

    name: str
    type: str
    shape: list[int | None] | None = Field(default=None, description="null in it: free; null: not told")


class ModelFile(Document):
    """What was found in a model's file."""

    format: str
    bytes: int
    opset: int | None = Field(default=None, description="version of the operators, of an ONNX file")
    producer: str | None = Field(default=None, description="the program that wrote an ONNX file, as it says")
    inputs: list[ModelValue] = []
    layout: str | None = Field(
        default=None, description="nchw, nhwc, tensor (all columns in one input) or columns (one input each)"
    )
    outputs: list[ModelValue] = []
    output: str | None = Field(default=None, description="the output that was read")
    scores: str = Field(description="what it holds: probabilities, named probabilities, logits, sigmoids or labels")


class SubjectModel(Document):
    name: str
    sha256: str
    kind: str
    classes: list[str] = []
    gradients: bool = Field(default=False, description="whether attacks with gradients were possible")
    no_gradients: str | None = Field(default=None, description="why not")
    gradient_difference: float | None = Field(
        default=None,
        description="largest difference of a probability between onnxruntime and the interpreter that gives gradients",
    )
    file: ModelFile | None = None
    training: dict[str, Any] | None = None
    confinement: str | None = None
    warnings: list[str] = Field(
        default=[], description="what its training means for figures on these rows: rows it learned from, leaked rows"
    )


class Subject(Document):
    title: str
    data: SubjectData
    model: SubjectModel | None
    policy: dict[str, Any]


class GateResult(Document):
    outcome: Literal["pass", "fail", "inconclusive"]
    exit_code: Literal[0, 1, 3]
    reasons: list[str]
    allow_inconclusive: bool = False


class Confinement(Document):
    """What stood between the file of a model and the machine that ran it."""

    mode: Literal["landlock+seccomp", "bwrap", "weak"] = Field(
        description="weak: system call filter and limits alone, so that the model could have read files"
    )
    landlock_abi: int = Field(description="version of Landlock in the kernel; 0 where there is none")
    seccomp: bool = Field(description="whether system calls were filtered")
    bwrap: bool | None = Field(default=None, description="whether bubblewrap works; null where it was not needed")
    reason: str | None = Field(default=None, description="why it was less than Landlock and the filter")


class Environment(Document):
    python: str
    platform: str
    packages: dict[str, str]
    device: str = "cpu"
    confinement: Confinement | None = Field(
        default=None, description="null where no uploaded file was run: predictions, endpoints, networks in safetensors"
    )


class Report(Document):
    """The whole report. Two runs with the same seed differ in `id`, `created` and `signature` alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null", populate_by_name=True)

    # pydantic reserves the attribute name `schema`
    schema_name: Literal["evenhand-report/1"] = Field(default=SCHEMA, alias="schema")
    id: str
    created: datetime
    tool: dict[str, str]
    seed: int
    subject: Subject
    verdict: Verdict
    gate: GateResult
    audits: Audits
    findings: list[Finding]
    environment: Environment
    signature: str | None = None

    def to_json(self) -> str:
        """The document as stored and exchanged, keys in the order of DESIGN section 4."""
        return self.model_dump_json(by_alias=True, indent=2)
