"""Arranges the tables that laws and practice ask for, once for every output: titles, cells, and what is said beside them."""

from dataclasses import dataclass, field

from evenhand.auditors.policy import Policy
from evenhand.auditors.report import (
    FourFifths,
    FourFifthsGroup,
    Lending,
    LocalLaw144,
    LocalLaw144Category,
    Practice,
    Report,
)
from evenhand.service.render import groups, numbers, words

ROWS_AT_FIRST = 20
MOST_ROWS = 40
"""Of one table; the laws know a few dozen categories, and the JSON has every group."""

FOUR_FIFTHS_SOURCE = "Uniform Guidelines on Employee Selection Procedures (1978), 29 CFR 1607.4 D"
LOCAL_LAW_144_SOURCE = "Rules of the City of New York, title 6, sections 5-300 to 5-303"
NOT_STATED = "not stated"


@dataclass(frozen=True)
class Cell:
    """A number or a word, and smaller text below it."""

    text: str
    below: str = ""
    in_words: bool = False


@dataclass(frozen=True)
class Row:
    name: str
    cells: list[Cell]
    tag: str = ""
    faint: bool = False


@dataclass(frozen=True)
class PracticeTable:
    """One table: its header's first entry is over the names of groups."""

    attribute: str
    caption: str
    header: list[str]
    rows: list[Row]
    notes: list[str] = field(default_factory=list)
    single: bool = True

    @property
    def first(self) -> list[Row]:
        return self.rows[:ROWS_AT_FIRST]

    @property
    def rest(self) -> list[Row]:
        return self.rows[ROWS_AT_FIRST:MOST_ROWS]

    @property
    def left_out(self) -> int:
        return max(len(self.rows) - MOST_ROWS, 0)

    @property
    def worded(self) -> list[bool]:
        """Which columns after the first hold sentences."""
        return [cell.in_words for cell in self.rows[0].cells] if self.rows else [False] * (len(self.header) - 1)


@dataclass(frozen=True)
class Tables:
    """Everything, by who asks for it."""

    four_fifths: list[PracticeTable]
    local_law_144: list[PracticeTable]
    lending: list[PracticeTable]
    facts: dict[str, str]
    notes: list[str]


def arranged(report: Report) -> Tables | None:
    """The tables of a report; None where it has none."""
    practice = shown(report)
    if practice is None:
        return None
    return Tables(
        four_fifths=[four_fifths(table) for table in practice.four_fifths],
        local_law_144=[local_law_144(table) for table in practice.local_law_144],
        lending=[lending(table) for table in practice.lending],
        facts=facts(report),
        notes=practice.notes,
    )


def shown(report: Report) -> Practice | None:
    audit = report.audits.group_disparity
    return audit.practice if audit is not None else None


def facts(report: Report) -> dict[str, str]:
    """What Local Law 144 has published beside the ratios."""
    said = Policy.model_validate(report.subject.policy).report
    data, model = report.subject.data, report.subject.model
    audit = report.audits.group_disparity
    when = said.distribution_date
    return {
        "Date of the audit": f"{report.created.day} {report.created.strftime('%B %Y')}",
        "Tool audited": model.name if model else (audit.prediction if audit else NOT_STATED),
        "Source of the data": said.data_source or (data.source or data.name),
        "Distribution date": f"{when.day} {when.strftime('%B %Y')}"
        if when
        else f"{NOT_STATED} (distribution_date under [report] in the policy)",
    }


def four_fifths(table: FourFifths) -> PracticeTable:
    """Each group against the most selected one."""
    against = f"against {words.group(table.reference)}, the most selected" if table.reference else "nobody is selected"
    header = ["People", "Selected", "Rate", "Impact ratio", "Shortfall", "Standard deviations", "Fisher p"]
    rows = sorted(table.groups, key=lambda row: (row.small, -row.n))
    return PracticeTable(
        attribute=table.attribute,
        caption=f"{table.attribute}, {against}{_unknown(table.unknown)}",
        header=[table.attribute, *header, "In words"],
        rows=[_against_most_selected(row) for row in rows],
        notes=table.notes,
    )


def flagged(table: FourFifths) -> list[FourFifthsGroup]:
    return [row for row in table.groups if row.flagged]


def local_law_144(table: LocalLaw144) -> PracticeTable:
    """Rates and ratios by category, with no limit for the ratio."""
    scored = table.basis == "scoring"
    what = f"scoring rate, median {numbers.brief(table.median)}" if scored else "selection rate"
    rows = sorted(table.categories, key=lambda row: -row.n)
    return PracticeTable(
        attribute=table.attribute,
        caption=f"{table.attribute}: {what}{_unknown(table.unknown)}",
        header=[
            table.attribute,
            "People",
            "Beyond the median" if scored else "Selected",
            "Scoring rate" if scored else "Selection rate",
            "Impact ratio",
            "Remark",
        ],
        rows=[_category(row) for row in rows],
        notes=table.notes,
        single=all(len(row.group) == 1 for row in table.categories),
    )


def lending(table: Lending) -> PracticeTable:
    """Ratios along the cutoffs, a row each, below the mean difference; a column for each group."""
    chosen = "the declared reference" if table.declared else "the largest group"
    differences = [group.standardized_mean_difference for group in table.groups]
    along = [
        Row(
            f"{numbers.level(cutoff.favoured)} favoured, cutoff {cutoff.threshold:,.4g}",
            [Cell(numbers.fixed(group.adverse_impact_ratio[i])) for group in table.groups],
            tag="in use" if cutoff.in_use else "",
        )
        for i, cutoff in enumerate(table.cutoffs)
    ]
    return PracticeTable(
        attribute=table.attribute,
        caption=f"{table.attribute}, against {words.group(table.reference)}, {chosen}: adverse impact ratio "
        "where the cutoff favours so many",
        header=["Cutoff", *(words.group(group.group) for group in table.groups)],
        rows=[
            Row("Rows", [Cell(numbers.rows(group.n), "under 30" if group.small else "") for group in table.groups]),
            Row(
                "Standardized mean difference", [_estimate(each.estimate, each.low, each.high) for each in differences]
            ),
            *along,
        ],
        notes=table.notes,
    )


def _against_most_selected(row: FourFifthsGroup) -> Row:
    ratio = row.impact_ratio
    deviations = "" if row.standard_deviations is None else numbers.fixed(row.standard_deviations, 1)
    return Row(
        words.group(row.group),
        [
            Cell(numbers.rows(row.n)),
            Cell("" if row.selected is None else numbers.rows(row.selected)),
            Cell(numbers.fixed(row.rate.estimate)),
            _estimate(ratio.estimate, ratio.low, ratio.high),
            Cell("" if row.shortfall is None else numbers.fixed(max(row.shortfall, 0.0), 1)),
            Cell(deviations),
            Cell(
                numbers.p_value(row.fisher), "" if row.boschloo is None else f"Boschloo {numbers.p_value(row.boschloo)}"
            ),
            Cell(row.said or ratio.reason or "", in_words=True),
        ],
        tag=_tag(row),
        faint=row.small,
    )


def _tag(row: FourFifthsGroup) -> str:
    tags = ["below four-fifths"] if row.flagged else []
    return ", ".join([*tags, *([groups.small_tag(row.n)] if row.small else [])])


def _category(row: LocalLaw144Category) -> Row:
    return Row(
        words.group(row.group),
        [
            Cell(numbers.rows(row.n)),
            Cell("" if row.selected is None else numbers.rows(row.selected)),
            Cell(numbers.fixed(row.rate)),
            Cell("left out" if row.left_out else numbers.fixed(row.impact_ratio)),
            Cell(row.reason or "", in_words=True),
        ],
    )


def _estimate(value: float | None, low: float | None, high: float | None) -> Cell:
    return Cell(numbers.fixed(value), numbers.span(low, high) if numbers.is_number(value) else "")


def _unknown(rows: int) -> str:
    return f"; {numbers.rows(rows)} of unknown category left out" if rows else ""
