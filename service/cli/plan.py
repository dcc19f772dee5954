"""`evenhand plan`: before any data, how many rows a group it takes to prove a disparity, or to prove there is none."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenhand.service.cli.failing import Work, failing_clearly

if TYPE_CHECKING:
    from evenhand.auditors.metrics import Metric

FRACTION = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command("plan")
@click.option(
    "--metric", default="selection_rate", show_default=True, metavar="NAME", help="A rate of `evenhand metrics`."
)
@click.option("--base", type=FRACTION, required=True, metavar="RATE", help="Rate of the group with the higher rate.")
@click.option("--gap", type=FRACTION, metavar="D", help="The true difference: the other group lies so far below.")
@click.option("--ratio", type=click.FloatRange(0, 1), metavar="R", help="The true ratio: the other rate over the base.")
@click.option("--tolerance", type=float, metavar="T", help="Of the check. Default: 0.1 for a gap, 0.8 for a ratio.")
@click.option(
    "--groups", type=click.IntRange(min=2), default=2, show_default=True, metavar="K", help="Groups compared."
)
@click.option("--checks", type=click.IntRange(min=1), default=1, show_default=True, metavar="M", help="Gated checks.")
@click.option("--power", type=FRACTION, default=0.8, show_default=True, metavar="P", help="Chance of the proof.")
@click.option(
    "--alpha", type=FRACTION, default=0.05, show_default=True, metavar="A", help="Error of all gated checks together."
)
@click.option("--share-positive", type=FRACTION, metavar="S", help="Share of rows labelled positive, for error rates.")
@click.option("--share-selected", type=FRACTION, metavar="S", help="Share of rows predicted positive, for precision.")
@click.option(
    "--json",
    "json_path",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="PATH",
    help="Write JSON; - prints it.",
)
def command(**options: Any) -> None:
    """Say how many rows a group it takes, before any data.

    For groups of one size. Two answers: rows to prove a disparity of the stated size, and rows to prove every pair within
    the tolerance if all groups have the base rate.

    \b
    evenhand plan --base 0.3 --ratio 0.6
    evenhand plan --metric true_positive_rate --base 0.8 --gap 0.2 --share-positive 0.25 --groups 4 --checks 2
    """
    with failing_clearly(Work("the planning", "nothing was planned")):
        from evenhand.service.cli.outputs import check_writable, write_texts

        path: Path | None = options["json_path"]
        if path is not None and str(path) != "-":
            check_writable([path])
        found = plan(**{name: value for name, value in options.items() if name != "json_path"})
        if path is None:
            for line in _lines(found):
                click.echo(line)
        elif str(path) == "-":
            click.echo(json.dumps(found, indent=2))
        else:
            write_texts({path: json.dumps(found, indent=2) + "\n"})


def plan(
    *,
    metric: str,
    base: float,
    gap: float | None,
    ratio: float | None,
    tolerance: float | None,
    groups: int,
    checks: int,
    power: float,
    alpha: float,
    share_positive: float | None,
    share_selected: float | None,
) -> dict[str, Any]:
    """The answer as a document; `rows` are those of one group, null where the share that it takes is not given.

    Raises:
        click.UsageError: neither or both of gap and ratio, or a metric that is no rate. UnknownMetric, ImpossiblePlan.
    """
    from evenhand.auditors.disparity.planning import SOURCE, trials_needed
    from evenhand.auditors.policy import EQUALIZED_ODDS_TOLERANCE, IMPACT_RATIO_TOLERANCE
    from evenhand.auditors.verdict import Comparison

    if (gap is None) == (ratio is None):
        raise click.UsageError("name the disparity by one of --gap D and --ratio R.")
    comparison = Comparison.DIFFERENCE if ratio is None else Comparison.RATIO
    rate = _rate(metric, comparison)
    if tolerance is None:
        tolerance = EQUALIZED_ODDS_TOLERANCE if comparison is Comparison.DIFFERENCE else IMPACT_RATIO_TOLERANCE
    other = base - gap if gap is not None else base * (ratio or 0.0)
    needed = trials_needed(
        base=base,
        other=other,
        comparison=comparison,
        tolerance=tolerance,
        groups=groups,
        alpha=alpha / checks,
        power=power,
    )
    counted, share = _counted(rate, share_positive, share_selected)
    return {
        "metric": rate.name,
        "comparison": comparison.value,
        "base": base,
        "other": round(other, 12),
        "tolerance": tolerance,
        "groups": groups,
        "checks": checks,
        "alpha": alpha,
        "power": power,
        "counted": counted,
        "share_counted": share,
        "to_prove_disparity": _answer(needed.disparity, share, groups),
        "to_prove_within": _answer(needed.within, share, groups),
        "source": SOURCE,
    }


def _rate(name: str, comparison: Any) -> "Metric":
    """The rate of this name, or that a composite compares."""
    from evenhand.auditors.metrics import COMPOSITES, metric_named

    composite = COMPOSITES.get(name)
    if composite is not None:
        if len(composite.components) > 1:
            both = " and ".join(composite.components)
            raise click.UsageError(f"{name} compares {both}: plan each of them, and count the check once in --checks.")
        if composite.comparison is not comparison:
            option = "--gap" if composite.comparison.value == "difference" else "--ratio"
            raise click.UsageError(f"{name} is a {composite.comparison.value}: name the disparity by {option}.")
        name = composite.components[0]
    metric = metric_named(name, favourable_is_positive=True)
    if not metric.is_rate:
        raise click.UsageError(f"{name} is no rate of rows, so that rows cannot be planned for it.")
    return metric


def _counted(metric: "Metric", share_positive: float | None, share_selected: float | None) -> tuple[str, float | None]:
    """What the metric counts, and its share of a group's rows; None where it is not given."""
    from evenhand.auditors.metrics import FN, FP, TN, TP

    def less(share: float | None) -> float | None:
        return None if share is None else 1 - share

    return {
        frozenset((TP, FN)): ("labelled positive", share_positive),
        frozenset((FP, TN)): ("labelled negative", less(share_positive)),
        frozenset((TP, FP)): ("predicted positive", share_selected),
        frozenset((TN, FN)): ("predicted negative", less(share_selected)),
    }.get(frozenset(metric.denominator), ("", 1.0))


def _answer(trials: int | None, share: float | None, groups: int) -> dict[str, int | None]:
    """Rows that count, and all rows, of one group and of all groups; at least those that a verdict takes."""
    import math

    from evenhand.auditors.policy import SMALL_GROUP_ROWS

    if trials is None:
        return {"counted": None, "rows": None, "total_rows": None}
    rows = None if share is None else max(math.ceil(trials / share - 1e-9), SMALL_GROUP_ROWS)
    return {"counted": trials, "rows": rows, "total_rows": None if rows is None else rows * groups}


def _lines(found: dict[str, Any]) -> Iterator[str]:
    from evenhand.auditors.words import spoken

    is_ratio = found["comparison"] == "ratio"
    gap = found["other"] / found["base"] if is_ratio else found["base"] - found["other"]
    bound = f"{'at least' if is_ratio else 'within'} {found['tolerance']:g}"
    beyond = f"{'under' if is_ratio else 'over'} {found['tolerance']:g}"
    yield (
        f"{spoken(found['metric'])}: {found['base']:g} against {found['other']:g}, {found['comparison']} {gap:.3g}; "
        f"tolerance {found['tolerance']:g}; {found['groups']} groups, all pairs; alpha {found['alpha']:g} over "
        f"{found['checks']} {'check' if found['checks'] == 1 else 'checks'}; power {found['power']:g}"
    )
    never = (
        f"never: {gap:.3g} does not lie beyond the tolerance" if found["to_prove_disparity"]["counted"] is None else ""
    )
    yield f"  to prove this disparity ({beyond})  {never or _rows(found, 'to_prove_disparity')}"
    never = "never: the tolerance leaves no room" if found["to_prove_within"]["counted"] is None else ""
    yield f"  to prove equal groups {bound}  {never or _rows(found, 'to_prove_within')}"
    yield f"By the {found['source']}."


def _rows(found: dict[str, Any], answer: str) -> str:
    counted, rows, total = found[answer]["counted"], found[answer]["rows"], found[answer]["total_rows"]
    if rows is None:
        share = "--share-positive" if "labelled" in found["counted"] else "--share-selected"
        return f"{counted:,} rows {found['counted']} a group (pass {share} for all rows)"
    of_these = f", {counted:,} of them {found['counted']}" if found["counted"] else ""
    return f"{rows:,} rows a group{of_these}; {total:,} in all"
