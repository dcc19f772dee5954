"""`evenhand metrics`: the catalogue, for people."""

import click


@click.command("metrics")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """Explain the metrics, or the one called NAME: meaning, formula, range, when it is undefined, source."""
    from evenhand.auditors.metrics import COMPOSITES, COUNT_METRICS, WHOLES, favourable_rate
    from evenhand.auditors.scores.catalogue import SCORE_METRICS
    from evenhand.service.cli.failing import Work, failing_clearly

    with failing_clearly(Work("the explanation", "nothing was explained")):
        metrics = [favourable_rate(favourable_is_positive=True), *COUNT_METRICS.values()]
        if name is not None:
            _explain(name)
            return
        click.secho("Of one group", bold=True)
        for metric in metrics:
            click.echo(f"  {metric.name:<28} {metric.meaning}")
        click.secho("Comparisons with a name of their own", bold=True)
        for composite in COMPOSITES.values():
            click.echo(f"  {composite.name:<34} {composite.meaning}")
        click.secho("Of an attribute as a whole", bold=True)
        for whole in WHOLES.values():
            click.echo(f"  {whole.name:<34} {whole.meaning}")
        click.secho("Of scores", bold=True)
        for score in SCORE_METRICS.values():
            click.echo(f"  {score.name:<34} {score.meaning}")
        click.echo('Any metric of one group can also be compared in a policy, with compare = "difference" or "ratio".')


def _explain(name: str) -> None:
    from evenhand.auditors.metrics import COMPOSITES, WHOLES, metric_named
    from evenhand.auditors.scores.catalogue import SCORE_METRICS

    if name in COMPOSITES:
        composite = COMPOSITES[name]
        click.echo(
            f"{name}: {composite.meaning}\n  compares  {', '.join(composite.components)}\n  source    {composite.source}"
        )
        return
    if name in WHOLES:
        whole = WHOLES[name]
        needs = [what for what, needed in (("labels", whole.needs_labels), ("strata", whole.needs_stratum)) if needed]
        click.echo(f"{name}: {whole.meaning}\n  needs     {', '.join(needs)}\n  source    {whole.source}")
        return
    if name in SCORE_METRICS:
        score = SCORE_METRICS[name]
        compares = (
            "difference, value"
            if score.checked and not score.of_pairs
            else "difference"
            if score.checked
            else "nothing"
        )
        click.echo(
            f"{name}: {score.meaning}\n  range      {score.low:g} to {score.high:g}\n  better     {score.better}\n"
            f"  undefined  when {score.undefined_when}\n  a check    compares {compares}\n  source     {score.source}"
        )
        return
    metric = metric_named(name, favourable_is_positive=True)
    cells = ("tn", "fp", "fn", "tp")
    formula = (
        f"({' + '.join(cells[i] for i in metric.numerator)}) / ({' + '.join(cells[i] for i in metric.denominator)})"
        if metric.is_rate
        else "see the meaning"
    )
    click.echo(
        f"{name}: {metric.meaning}\n  formula    {formula}\n  range      {metric.low:g} to {metric.high:g}\n"
        f"  better     {metric.better}\n  undefined  when {metric.undefined_when}\n  source     {metric.source}"
    )
