"""The policy: what is audited, against which tolerances, and what counts. Reading evenhand.toml belongs to `service`."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, model_validator

from evenhand.auditors.report import AuditName, Fraction
from evenhand.auditors.verdict import Comparison, Gate

SmallGroups = Literal["inconclusive", "list"]
Norm = Literal["linf", "l2"]
"""Of changes to pictures."""
SmallCategories = Literal["print", "leave_out"]

SMALL_GROUP_ROWS = 30
"""A group under this many rows is listed and leaves its comparisons inconclusive."""

INTERSECTION_SIGN = " × "


def intersection(*attributes: str) -> str:
    """'sex × race'."""
    return INTERSECTION_SIGN.join(attributes)


def _text(value: Any) -> Any:
    """Values of cells are compared as text: 1, 1.0 and "1" in a policy are one value."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() else str(value)
    return value


CellValue = Annotated[str, BeforeValidator(_text)]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Side = Annotated[int, Field(ge=1, le=4096)]
"""Pixels of a picture's width or height."""

Names = Annotated[list[str], BeforeValidator(_listed)]

POPULATION_ROUNDING = 0.01
"""How far published shares of a population may miss 1 in sum; they are scaled to it."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DataSection(Section):
    """`[data]`: where the rows are and which column is what. Absent means: as the data set's card says, or found out."""

    source: str | None = None
    label: str | None = None
    prediction: str | None = None
    score: str | None = None
    threshold: float | None = None
    positive: CellValue | None = None
    favourable: CellValue | None = None
    sensitive: Names | None = None
    intersections: int = Field(default=2, ge=1, le=8, description="depth: 1 audits single attributes only")
    features: Names | None = None
    categorical: Names | None = None
    weight: str | None = None
    stratum: str | None = None
    reference: Literal["majority", "most_selected"] | dict[str, CellValue] | None = Field(
        default=None,
        description="group that the others are compared with: one named by attribute, the largest, or the most favoured",
    )
    unit: str | None = None
    pair: str | None = None
    where: dict[str, CellValue] | None = Field(default=None, description="audit only rows with these values")
    picture_size: tuple[Side, Side] | None = Field(
        default=None,
        description="width and height that every picture is brought to, by area averaging, stretched and not cropped",
    )
    membership: dict[str, dict[str, str]] | None = Field(
        default=None,
        description="attribute to group to the column with its probability, where the attribute itself is not known",
    )
    population: dict[str, dict[str, Fraction]] | None = Field(
        default=None, description="attribute to group to its share of the population that the rows are compared with"
    )
    train_source: str | None = Field(
        default=None, description="a table with the training rows, to look for its rows here"
    )

    @model_validator(mode="after")
    def _membership_of_two_groups(self) -> Self:
        for attribute, columns in (self.membership or {}).items():
            if len(columns) < 2:
                raise ValueError(f"membership.{attribute} names {len(columns)} group; name a column for two or more")
            if len(set(columns.values())) < len(columns):
                raise ValueError(f"membership.{attribute} names one column for two groups")
        return self

    @model_validator(mode="after")
    def _population_of_shares(self) -> Self:
        for attribute, shares in (self.population or {}).items():
            if len(shares) < 2:
                raise ValueError(f"population.{attribute} has {len(shares)} group; name the shares of two or more")
            if min(shares.values()) <= 0:
                raise ValueError(f"a share of population.{attribute} is 0; name the shares above 0 only")
            if abs(sum(shares.values()) - 1) > POPULATION_ROUNDING:
                raise ValueError(f"the shares of population.{attribute} sum to {sum(shares.values()):g}, not to 1")
        return self

    @model_validator(mode="after")
    def _one_kind_of_prediction(self) -> Self:
        if self.prediction and self.score:
            raise ValueError(
                f"prediction '{self.prediction}' and score '{self.score}' are both named; name one "
                "(a score becomes a prediction by its threshold)"
            )
        return self


class ModelSection(Section):
    """`[model]`: the file or the endpoint to score with, and what cannot be found out from it."""

    path: str | None = Field(default=None, description="a model file, or a description of an endpoint")
    url: str | None = Field(default=None, description="an endpoint: https://HOST/PATH, in place of a file")
    headers: dict[str, str] | None = Field(
        default=None, description="header to the environment variable with its value: EVENHAND_ENDPOINT_…, no secrets"
    )
    sends: Literal["rows", "pixels", "png"] | None = Field(
        default=None, description="how an endpoint takes them; absent: rows, and pictures as pixels (nested lists)"
    )
    image_shape: list[int] | None = Field(default=None, description="height, width, channels an endpoint takes")
    batch: int | None = Field(default=None, ge=1, description="most rows in one request; absent: 128")
    timeout_seconds: float | None = Field(default=None, gt=0, description="for one request; absent: 30")
    retries: int | None = Field(default=None, ge=0, description="of a request that failed in passing; absent: 3")
    per_second: float | None = Field(default=None, gt=0, description="most requests a second; absent: no limit")
    queries: int | None = Field(
        default=None, ge=1, description="most rows sent to an endpoint in one audit; absent: 1000000"
    )
    classes: Names | None = None
    label_output: str | None = None
    probability_output: str | None = None

    @model_validator(mode="after")
    def _one_model(self) -> Self:
        if self.path is not None and self.url is not None:
            raise ValueError(f"path '{self.path}' and url '{self.url}' are both named; name one model")
        of_an_endpoint = sorted(self.model_fields_set & set(ENDPOINT_KEYS))
        if self.path is not None and of_an_endpoint:
            raise ValueError(
                f"{', '.join(of_an_endpoint)} belong to an endpoint; name its url, or write them in its file"
            )
        return self


ENDPOINT_KEYS = ("headers", "sends", "image_shape", "batch", "timeout_seconds", "retries", "per_second", "queries")
"""Keys of [model] that say how an endpoint is asked."""


class Check(Section):
    """`[[check]]`: one metric, its tolerance, and how it counts."""

    audit: AuditName = "group_disparity"
    metric: str
    compare: Comparison | None = Field(default=None, description="absent: as the metric's name says, else difference")
    within: float = Field(
        ge=0, description="the tolerance: a ratio's lower limit in (0, 1], else the largest gap tolerated"
    )
    attributes: Names | None = Field(default=None, description="absent: every attribute and intersection")
    gate: Gate | None = Field(
        default=None, description="absent: strict on single attributes, proof elsewhere, off on proxies"
    )
    small_groups: SmallGroups | None = None


class SearchSection(Section):
    """`[search]`: the worst subgroups, looked for on one half of the rows and confirmed on the other."""

    depth: int = Field(default=3, ge=1, le=5, description="most attributes, or conditions, of one subgroup")
    attributes: Names | None = Field(default=None, description="absent: every sensitive column")
    features: Names | None = Field(default=None, description="ordinary columns to slice by, with a decision tree")
    metric: str | None = Field(
        default=None, description="absent: the favourable rate and, with labels, the true and the false positive rate"
    )
    within: float = Field(default=0.1, ge=0, lt=1, description="the largest difference to the rest that is tolerated")
    smallest: int = Field(default=30, ge=10, description="subgroups under this many rows of a half are left out")


class FeatureRule(Section):
    """`[robustness.features]`: how one feature of a table may change when the smallest change of a decision is looked for."""

    immutable: StrictBool = Field(default=False, description="it stays as it is; sensitive columns always do")
    actionable: StrictBool = Field(
        default=True, description="a person can act on it; if not, it counts for fragility and not for recourse"
    )
    direction: Literal["up", "down"] | None = Field(default=None, description="the only way that a number may go")
    integer: StrictBool | None = Field(
        default=None, description="whole numbers only; absent: where all observed ones are"
    )
    low: float | None = Field(default=None, description="lowest value; absent: the observed 1 % quantile")
    high: float | None = Field(default=None, description="highest value; absent: the observed 99 % quantile")
    values: Annotated[list[CellValue], BeforeValidator(_listed), Field(min_length=1)] | None = Field(
        default=None, description="the values it may take; absent: a number's observed ones, a category's most frequent"
    )
    cost: float = Field(default=1.0, gt=0, description="of another category, or of a number that moves past all rows")
    unit: str | None = Field(default=None, description="of the number, for sentences: EUR, months")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        others = sorted(self.model_fields_set - {"immutable", "unit"})
        if self.immutable and others:
            raise ValueError(f"it is immutable, and {', '.join(others)} would say how it changes; keep one of them")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        return self


class RobustnessSection(Section):
    """`[robustness]`: pictures: norms and sizes of changes. Tables: which changes of a row are feasible, and how far
    they are looked for."""

    norms: Annotated[list[Norm], BeforeValidator(_listed), Field(min_length=1)] = Field(
        default=["linf"], description="of changes to pictures; the first decides, another is shown beside it"
    )
    eps: list[float] | None = Field(
        default=None,
        description="largest changes of a channel, fractions of the range; absent: 2/255 and 8/255, small grey .06 and .12",
    )
    eps_l2: list[float] | None = Field(
        default=None,
        description="lengths in L2; absent: those of L-infinity times .287 times the root of the picture's values",
    )
    features: dict[str, FeatureRule] = Field(default={}, description="feature to how it may change")
    budget: float = Field(
        default=1.0, gt=0, description="largest cost of a change that counts as recourse: 1 is one number past all rows"
    )
    fragility_budget: float = Field(
        default=0.1, gt=0, description="cost up to which a lost favourable decision counts as fragile"
    )
    pictures_per_group: int | None = Field(
        default=None,
        ge=30,
        description="pictures attacked for each class and group; absent: all, of an endpoint about 50",
    )
    queries_per_picture: int | None = Field(
        default=None,
        ge=10,
        description="of a search without gradients, at one size; absent: 200 (labels alone 500), thorough 5000, an endpoint "
        "100 (labels alone 300)",
    )
    rows_per_group: int | None = Field(
        default=None, ge=30, description="rows searched of each group and decision; absent: 200, thorough 2000"
    )

    @model_validator(mode="after")
    def _fragile_within_budget(self) -> Self:
        if self.fragility_budget > self.budget:
            raise ValueError(
                f"fragility_budget {self.fragility_budget:g} is above budget {self.budget:g}, which ends the search"
            )
        return self

    @model_validator(mode="after")
    def _each_norm_once(self) -> Self:
        if len(set(self.norms)) < len(self.norms):
            raise ValueError(f"norms names one twice ({', '.join(self.norms)}); name each once, the deciding one first")
        return self


class PerceptionSection(Section):
    """`[perception]`: what else the network is asked. Pictures only."""

    edits: Annotated[
        list[Literal["background", "ink", "colour", "mirror", "grey", "texture"]], BeforeValidator(_listed)
    ] = Field(default=[], description="edits of pictures to make counterfactuals with; each gets its own row and gate")
    queries: int | None = Field(
        default=None,
        ge=1,
        description="pictures that the model is asked about in all, at most; absent: no limit, of an endpoint 20000, or each "
        "picture once where there are more",
    )


class ProxySection(Section):
    """`[proxy]`: which features are one thing, and what a decision may rest on."""

    blocks: dict[str, Names] = Field(
        default={},
        description="name to features that are permuted together; absent: near-duplicates and one-hot columns",
    )
    legitimate: Names | None = Field(
        default=None,
        description="columns that a decision may rest on, by declaration: how much of the gap they explain is told",
    )


class ReportSection(Section):
    """`[report]`: context for people; printed, never computed with."""

    title: str | None = None
    intended_use: str | None = None
    owner: str | None = None
    sensitive_provenance: str | None = None
    human_oversight: str | None = None
    data_source: str | None = Field(
        default=None, description="where the rows come from, and whether they are historical or made for a test"
    )
    distribution_date: date | None = Field(
        default=None, description="when the tool was first used, as Local Law 144 of New York City has it published"
    )


class PracticeSection(Section):
    """`[practice]`: the tables that laws and practice ask for."""

    small_categories: SmallCategories = Field(
        default="print",
        description="Local Law 144: whether categories under 2 % of the rows have a ratio; they are always listed",
    )


class Policy(Section):
    """A whole policy. An empty one asks for the default checks of what is there."""

    data: DataSection = DataSection()
    model: ModelSection | None = None
    check: list[Check] = []
    search: SearchSection | None = None
    proxy: ProxySection = ProxySection()
    robustness: RobustnessSection | None = None
    perception: PerceptionSection = PerceptionSection()
    report: ReportSection = ReportSection()
    practice: PracticeSection = PracticeSection()
    alpha: float = Field(
        default=0.05, gt=0, lt=0.5, description="error of all gated checks on groups and scores together"
    )
    small_groups: SmallGroups = "inconclusive"
    only: list[AuditName] | None = None
    thorough: StrictBool = False
    seed: int | None = None


IMPACT_RATIO_TOLERANCE = 0.8
EQUALIZED_ODDS_TOLERANCE = 0.1


def default_checks(*, with_labels: bool) -> list[Check]:
    """What is gated without a policy: the impact ratio, and the equalized odds difference where labels exist."""
    checks = [Check(metric="impact_ratio", within=IMPACT_RATIO_TOLERANCE)]
    if with_labels:
        checks.append(Check(metric="equalized_odds_difference", within=EQUALIZED_ODDS_TOLERANCE))
    return checks
