"""`evenhand train`: a classifier from a data set, saved as a file that `evenhand audit --model` takes."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from evenhand.service.audits.errors import NotWritable
from evenhand.service.cli.failing import Work, failing_clearly

SMALL_CELL_ROWS = 30
_PASSED_ON = ("device", "seed", "unit", "class_weight", "group_weight", "epochs", "patience", "deterministic")

KINDS = ("logistic_regression", "hist_gradient_boosting", "random_forest", "neuron", "mlp", "convnet4", "resnet_small")


@click.command("train")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--data", "source", required=True, metavar="SOURCE", help="A table, pictures, or a built-in set.")
@click.option("--label", metavar="COL", help="Column to learn. Default: as the built-in set's card says.")
@click.option(
    "--features", multiple=True, metavar="COL,COL", help="Columns to learn from. Default: all but label and sensitive."
)
@click.option("--categorical", multiple=True, metavar="COL,COL", help="Features that are names, also where numbers.")
@click.option(
    "--sensitive",
    multiple=True,
    metavar="COL",
    help="Columns that it must not learn from; learning is recorded by their groups. Default: as the card says.",
)
@click.option("--unit", metavar="COL", help="Column whose rows stay on one side of every split (rows of one person).")
@click.option(
    "--class-weight", type=click.Choice(["balanced"]), help="balanced: every class weighs the same in training."
)
@click.option(
    "--group-weight",
    type=click.Choice(["balanced"]),
    help="balanced: rows are weighed until sensitive groups and classes are independent (reweighing).",
)
@click.option(
    "--epochs",
    type=click.IntRange(1, 1000),
    default=30,
    show_default=True,
    metavar="N",
    help="Most passes of a network over the rows.",
)
@click.option(
    "--patience",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    metavar="EPOCHS",
    help="A network stops after so many epochs without a lower validation loss.",
)
@click.option(
    "--picture-size",
    type=click.IntRange(1, 4096),
    nargs=2,
    metavar="WIDTH HEIGHT",
    help="Bring every picture to this size first, as picture_size in a policy does.",
)
@click.option("--deterministic", is_flag=True, help="Refuse operations whose result varies by run (GPU only).")
@click.option(
    "--out",
    "out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="MODEL",
    help="File to write: .onnx, .skops or .safetensors as it ends; without such an ending the kind's own is added.",
)
@click.option(
    "--record",
    "record_path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="JSON",
    help="Write the training record here too: curves by class and group, splits, leakage.",
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, metavar="N")  # fmt: skip
def command(kind: str, source: str, out: Path, record_path: Path | None, **options: Any) -> None:
    """Train KIND and save it. Some rows are kept for the audit: those with split = test, else 30 %.

    A network that was killed goes on from its last epoch when the same command runs again (MODEL.checkpoint).

    \b
    evenhand train hist_gradient_boosting --data adult --out adult-model
    evenhand audit adult --model adult-model.skops
    evenhand train convnet4 --data emoji-people --out faces.onnx
    """
    with failing_clearly(Work("the training", "nothing was trained")):
        from evenhand.classifiers.savable import format_for, format_named
        from evenhand.service.cli.audit import split_names
        from evenhand.service.cli.outputs import check_writable, write_texts
        from evenhand.service.models.documents import TrainingRequest
        from evenhand.service.wording import options_of, spoken

        check_writable([out, *([record_path] if record_path else [])], inputs=[source])
        asked = format_named(out)
        if asked is not None:
            format_for(kind, asked)
        request = TrainingRequest.model_validate(
            {
                "kind": kind,
                "dataset": source,
                "label": options["label"],
                "features": split_names(options["features"]) or None,
                "categorical": split_names(options["categorical"]),
                "sensitive": list(options["sensitive"]),
                "picture_size": options["picture_size"] or None,
                "format": asked,
                **{name: options[name] for name in _PASSED_ON},
            }
        )
        with spoken(options_of(command)):
            path, record = train_to(request, source=source, out=out)
        if record_path is not None:
            write_texts({record_path: json.dumps(record, indent=1) + "\n"})
        best = next(epoch for epoch in record["epochs"] if epoch["epoch"] == record["best_epoch"])
        click.echo(
            f"{path}: {kind}, trained on {record['train_rows']:,} rows, "
            f"validation accuracy {best['valid_accuracy']:.3f} on {record['valid_rows']:,}"
        )
        for note in record["notes"]:
            click.echo(f"  {note}")
        _show_worst_cell(record)
        if record["weighted_sum"]:
            _show_sum(record["weighted_sum"])


def _show_worst_cell(record: dict[str, Any]) -> None:
    """The group and class that the weights kept serve worst, among those with rows enough to say so."""
    at = [epoch["epoch"] for epoch in record["epochs"]].index(record["best_epoch"])
    cells = [cell for cell in record["cells"] if cell["part"] == "valid" and cell["attribute"] is not None]
    large = [cell for cell in cells if cell["n"] >= SMALL_CELL_ROWS]
    if large:
        worst = min(large, key=lambda cell: cell["right"][at] / cell["n"])
        click.echo(
            f"  least accurate of the cells with {SMALL_CELL_ROWS} or more held-out rows: "
            f"{worst['attribute']} = {worst['group'] or 'missing'} with label {worst['label']}, "
            f"{worst['right'][at] / worst['n']:.3f} of {worst['n']:,} rows held out"
        )
    if smaller := len(cells) - len(large):
        click.echo(
            f"  too small to name, with fewer than {SMALL_CELL_ROWS} held-out rows: {smaller} of {len(cells)} cells"
        )


def _show_sum(shown: dict[str, Any]) -> None:
    """One neuron, followed for one row."""
    click.echo("One row, followed through the neuron (the typical one: medians and most frequent values):")
    click.echo(f"  {'':<24} {'value':<22} {'read as':>9}   {'weight':>9}   {'product':>9}")
    for term in shown["terms"]:
        value = "missing" if term["value"] is None else term["value"]
        click.echo(
            f"  {term['feature'][:24]:<24} {value[:22]:<22} "
            f"{term['read_as']:>9.3f} x {term['weight']:>9.3f} = {term['product']:>9.3f}"
        )
    first, second = shown["classes"]
    side = f"over 0, so {second}" if shown["total"] > 0 else f"not over 0, so {first}"
    click.echo(f"  {'bias':<72} {shown['bias']:>7.3f}")
    click.echo(f"  {'sum':<72} {shown['total']:>7.3f}   {side}; score {shown['score']:.3f} = 1 / (1 + exp(-sum))")


@contextmanager
def _named_where_it_fails(out: Path) -> Iterator[None]:
    """A full disk says no path: what was being written is, or lies beside, `out`."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.strerror is None:
            raise
        raise NotWritable(out, error.strerror) from None


def train_to(request: Any, *, source: str, out: Path) -> tuple[Path, dict[str, Any]]:
    """Train, and move the saved file to `out`, its format's ending added where it is not there.

    Returns:
        The path, and the training record.
    """
    from evenhand.service.cli.progress import shown
    from evenhand.service.cli.scratch import scratch_beside
    from evenhand.service.models.train import train

    checkpoint = out.with_name(f"{out.name}.checkpoint")
    with scratch_beside(out) as folder, _named_where_it_fails(out):
        given: dict[str, Any] = {"source": source, "folder": folder, "checkpoint": checkpoint}
        if sys.stderr.isatty():
            with shown(f"training {request.kind}") as progress:
                made = train(request, progress=progress, **given)
        else:
            made = train(request, progress=lambda fraction, message: None, **given)
        written = folder / made["filename"]
        target = out if out.suffix.lower() == written.suffix else out.with_name(out.name + written.suffix)
        written.replace(target)
    return target, made["training"]
