"""`evenhand datasets`: the built-in sets and their cards."""

import click


@click.command("datasets")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the built-in data sets, or show the card of NAME: source, licence, columns, limits."""
    from evenhand.service.cli.failing import failing_clearly

    with failing_clearly():
        from evenhand.datasets import builtin

        if name is None:
            for known in builtin.names():
                card = builtin.card(known)
                click.echo(
                    f"{known:<14} {card.rows:>7,} {'pictures' if card.kind == 'image' else 'rows':<9} {card.title}"
                )
            click.echo("`evenhand datasets NAME` shows a card; each name can be audited as it stands.")
            return
        card = builtin.card(name)
        click.secho(card.title, bold=True)
        facts = {
            "about": card.description,
            "source": card.source,
            "licence": card.licence,
            "rows": f"{card.rows:,}",
            "label": f"{card.label}: {card.label_meaning}",
            "positive": card.positive,
            "favourable": f"{card.favourable}: {card.favourable_meaning}"
            if card.favourable
            else card.favourable_meaning,
            "sensitive": ", ".join(card.sensitive) or "none",
            "features": ", ".join(card.features) if card.features else None,
            "score": f"{card.score}, positive where >= {card.threshold:g}"
            if card.score and card.threshold is not None
            else None,
            "unit": card.unit,
            "pair": card.pair,
        }
        for fact, value in facts.items():
            if value:
                click.echo(f"  {fact:<11} {value}")
        click.echo("  limits")
        for limit in card.limits:
            click.echo(f"    - {limit}")
