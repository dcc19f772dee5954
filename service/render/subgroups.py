"""Arranges the worst subgroups: those that are confirmed first, the others when opened."""

from collections.abc import Sequence

from evenhand.auditors.report import Report, Subgroup, SubgroupSearch
from evenhand.service.render import numbers, words


def confirmed(search: SubgroupSearch) -> list[Subgroup]:
    """Subgroups that differ from the rest with the error of all claims held."""
    return [found for found in search.found if found.proven_gap]


def open_questions(search: SubgroupSearch) -> list[Subgroup]:
    """Subgroups that the search half showed and the other half did not confirm."""
    return [found for found in search.found if not found.proven_gap]


def what_was_searched(search: SubgroupSearch) -> str:
    """One sentence: how many subgroups of what, on how many rows, and on how many the claims rest."""
    by = _listed([*search.attributes, *search.features])
    metrics = _listed([words.metric(name) for name in search.metrics])
    most = words.plural(search.depth, "condition")
    return (
        f"Looked at: {search.searched:,} subgroups of up to {most} by {by}, each of at least {search.smallest} rows, for the "
        f"{metrics}, on {search.rows_search:,} rows. {words.plural(search.carried, 'subgroup').capitalize()} were carried "
        f"over to {search.rows_confirm:,} other rows, which every number below comes from."
    ).replace("One subgroup were", "One subgroup was")


def outcome(search: SubgroupSearch) -> str:
    """One sentence: what is confirmed."""
    found = confirmed(search)
    if not found:
        return (
            f"No subgroup is confirmed to differ from the rest (error of all claims together: "
            f"{numbers.level(1 - search.level)}). That does not show that there is none."
        )
    beyond = sum(abs(one.proven_gap) > search.tolerance for one in found)
    first = found[0]
    return (
        f"{words.plural(len(found), 'subgroup').capitalize()} {'differs' if len(found) == 1 else 'differ'} from the rest, "
        f"{words.number_word(beyond)} by more than {numbers.brief(search.tolerance)}. Furthest for sure: "
        f"{words.group_in_full(first.group)}, {words.metric(first.metric)} {numbers.short(first.rate)} against "
        f"{numbers.short(first.rest_rate)} of the rest. Each asks for a justification."
    )


def of(report: Report) -> SubgroupSearch | None:
    """The report's search, where there was one."""
    return report.audits.group_disparity.subgroups if report.audits.group_disparity else None


def line(report: Report) -> str | None:
    """What was found, for outputs of a few lines; None where nothing was searched."""
    search = of(report)
    return None if search is None else f"Worst subgroups: {outcome(search)}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "nothing"
