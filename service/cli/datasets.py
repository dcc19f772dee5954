"""`evenhand datasets`: the built-in sets and their cards, and a datasheet for a set of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evenhand.service.cli.failing import Work, failing_clearly

if TYPE_CHECKING:
    from evenhand.datasets.card import DatasetCard


class _NamesAreShown(click.Group):
    """`evenhand datasets adult` is `evenhand datasets show adult`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


@click.group("datasets", cls=_NamesAreShown, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the built-in data sets, show the card of one, or write a datasheet for your own."""
    if context.invoked_subcommand is None:
        context.invoke(list_)


@command.command("list")
def list_() -> None:
    """List the built-in data sets: name, size, title."""
    with failing_clearly(Work("the listing of data sets", "nothing was listed")):
        from evenhand.datasets import builtin

        for known in builtin.names():
            card = builtin.card(known)
            click.echo(f"{known:<14} {card.rows:>7,} {'pictures' if card.kind == 'image' else 'rows':<9} {card.title}")
        click.echo("`evenhand datasets show NAME` shows a card; each name can be audited as it stands.")


@command.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Show the card of NAME: source, licence, columns, limits. `evenhand datasets NAME` does the same."""
    with failing_clearly(Work("the card", "no card was shown")):
        from evenhand.datasets import builtin

        card = builtin.card(name)
        click.secho(card.title, bold=True)
        for fact, value in _facts(card).items():
            if value:
                click.echo(f"  {fact:<11} {value}")
        click.echo("  limits")
        for limit in card.limits:
            click.echo(f"    - {limit}")


@command.command("describe")
@click.argument("source")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="PATH", help="Write it there. Default: print it."
)
def describe(source: str, out: Path | None) -> None:
    """Write a datasheet for SOURCE as Markdown: what can be counted is filled in, what only people know is asked.

    SOURCE is a table, a folder, .zip or .npz of pictures, or a built-in name. Questions: Gebru et al. (2021).
    """
    with failing_clearly(Work("the datasheet", "no datasheet was made")):
        from evenhand.datasets.sources import open_source
        from evenhand.service.cli.outputs import check_writable, write_texts
        from evenhand.service.render.datasheet import datasheet

        if out is not None:
            check_writable([out])
            if out.exists():
                raise click.UsageError(
                    f"{out} is there already and may hold answers. Remove it, or name another --out."
                )
        written = datasheet(open_source(source))
        if out is None:
            click.echo(written, nl=False)
            return
        write_texts({out: written})
        click.echo(f"{out}: answer what is marked “To be answered”")


def _facts(card: "DatasetCard") -> dict[str, str | None]:
    favourable = f"{card.favourable}: {card.favourable_meaning}" if card.favourable else card.favourable_meaning
    scored = card.score and card.threshold is not None
    return {
        "about": card.description,
        "source": card.source,
        "licence": card.licence,
        "rows": f"{card.rows:,}",
        "label": f"{card.label}: {card.label_meaning}",
        "positive": card.positive,
        "favourable": favourable,
        "sensitive": ", ".join(card.sensitive) or "none",
        "features": ", ".join(card.features) if card.features else None,
        "score": f"{card.score}, positive where >= {card.threshold:g}" if scored else None,
        "unit": card.unit,
        "pair": card.pair,
    }
