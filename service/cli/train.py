"""`evenhand train`: a classifier from a data set, saved as a file that `evenhand audit --model` takes."""

import sys
from pathlib import Path
from typing import Any

import click

from evenhand.service.cli.failing import failing_clearly

KINDS = ("logistic_regression", "hist_gradient_boosting", "random_forest", "neuron", "mlp", "convnet4")


@click.command("train")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--data", "source", required=True, metavar="SOURCE", help="A table, pictures, or a built-in set.")
@click.option("--label", metavar="COL", help="Column to learn. Default: as the built-in set's card says.")
@click.option(
    "--features", multiple=True, metavar="COL,COL", help="Columns to learn from. Default: all but label and sensitive."
)
@click.option("--categorical", multiple=True, metavar="COL,COL", help="Features that are names, also where numbers.")
@click.option("--sensitive", multiple=True, metavar="COL", help="Columns that it must not learn from.")
@click.option(
    "--out",
    "out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="MODEL",
    help="File to write; the format's ending is added.",
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N")  # fmt: skip
def command(kind: str, source: str, out: Path, **options: Any) -> None:
    """Train KIND and save it. Some rows are kept for the audit: those with split = test, else 30 %.

    \b
    evenhand train hist_gradient_boosting --data adult --out adult-model
    evenhand audit adult --model adult-model.skops
    """
    with failing_clearly():
        from evenhand.service.cli.audit import split_names
        from evenhand.service.cli.outputs import check_writable
        from evenhand.service.models.documents import TrainingRequest

        check_writable([out])
        request = TrainingRequest.model_validate(
            {
                "kind": kind,
                "dataset": source,
                "label": options["label"],
                "features": split_names(options["features"]) or None,
                "categorical": split_names(options["categorical"]),
                "sensitive": list(options["sensitive"]),
                "device": options["device"],
                "seed": options["seed"],
            }
        )
        path, record = train_to(request, source=source, out=out)
        best = next(epoch for epoch in record["epochs"] if epoch["epoch"] == record["best_epoch"])
        click.echo(
            f"{path}: {kind}, trained on {record['train_rows']:,} rows, "
            f"validation accuracy {best['valid_accuracy']:.3f} on {record['valid_rows']:,}"
        )
        for note in record["notes"]:
            click.echo(f"  {note}")


def train_to(request: Any, *, source: str, out: Path) -> tuple[Path, dict[str, Any]]:
    """Train, and move the saved file to `out` with its format's ending; the path and the training record."""
    import tempfile

    from evenhand.service.cli.progress import shown
    from evenhand.service.models.train import train

    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        if sys.stderr.isatty():
            with shown(f"training {request.kind}") as progress:
                made = train(request, source=source, folder=Path(folder), progress=progress)
        else:
            made = train(request, source=source, folder=Path(folder), progress=lambda fraction, message: None)
        written = Path(folder) / made["filename"]
        target = out if out.suffix == written.suffix else out.with_name(out.name + written.suffix)
        written.replace(target)
    return target, made["training"]
