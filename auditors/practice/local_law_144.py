"""The table of New York City's Local Law 144: each category's selection or scoring rate over that of the most selected.

Source: Rules of the City of New York, title 6, sections 5-300 to 5-303 (in force since July 2023). The law sets no limit for the
ratio, and this table has none.
"""

from evenhand.auditors.policy import SmallCategories
from evenhand.auditors.practice.groups import (
    FAVOURABLE,
    SCORING,
    Counted,
    counted,
    most_selected,
    too_few,
    unknown_rows,
)
from evenhand.auditors.report import AttributeResult, GroupDisparity, LocalLaw144, LocalLaw144Category
from evenhand.auditors.words import group_name

SMALLEST_SHARE = 0.02
"""Of all rows; smaller categories may be left out of the ratios, not out of the table (section 5-301 d)."""


def local_law_144(
    document: GroupDisparity,
    result: AttributeResult,
    *,
    small_categories: SmallCategories = "print",
    median: float | None = None,
) -> LocalLaw144:
    """One attribute's categories, or an intersection's.

    Args:
        small_categories: whether categories under 2 % of the rows have a ratio, and may be the most selected.
        median: of all scores; then the rates are shares that score beyond it, else selection rates.
    """
    categories = counted(document, result.groups, metric=FAVOURABLE if median is None else SCORING)
    total = sum(row.n for row in result.groups)
    out = {
        id(category)
        for category in categories
        if small_categories == "leave_out" and category.n < SMALLEST_SHARE * total
    }
    best = most_selected([category for category in categories if id(category) not in out])
    return LocalLaw144(
        attribute=result.attribute,
        basis="selection" if median is None else "scoring",
        median=median,
        most_selected=best.group if best else None,
        categories=[_category(each, best, total, left_out=id(each) in out) for each in categories],
        unknown=unknown_rows(result.groups),
        notes=_notes(best),
    )


def _category(category: Counted, best: Counted | None, total: int, *, left_out: bool) -> LocalLaw144Category:
    share = category.n / total
    reason = None
    if share < SMALLEST_SHARE:
        reason = f"{category.n:,} of {total:,} rows, under 2 %" + (": left out of the ratios" if left_out else "")
    ratio = None
    if not left_out and best is not None and best.rate and category.rate is not None:
        ratio = float(category.rate / best.rate)
    return LocalLaw144Category(
        group=category.group,
        n=category.n,
        selected=category.selected.people if category.selected else None,
        rate=float(category.rate) if category.rate is not None else None,
        impact_ratio=ratio,
        share=share,
        left_out=left_out,
        reason=reason,
    )


def _notes(best: Counted | None) -> list[str]:
    if best is None:
        return ["Nobody is selected in any category: there are no ratios."]
    if best.small:
        return [
            f"The most selected category, {group_name(best.group)}, has {too_few([best])}: every ratio rests on them."
        ]
    return []
