"""`evenhand demo`: real data, real models, whole audits; ends by naming the reports it wrote."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenhand.service.cli.failing import Work, failing_clearly

if TYPE_CHECKING:
    from rich.console import Console

    from evenhand.auditors.report import Report

BASELINES = ("logistic_regression", "hist_gradient_boosting")


@dataclass(frozen=True)
class Done:
    """One audit of the demo: what it was, its report, where it lies."""

    title: str
    report: "Report"
    html: Path
    json: Path
    seconds: float


@click.command("demo")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("demo-reports"), show_default=True
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
def command(out: Path, seed: int, device: str) -> None:
    """Audit COMPAS scores, a model trained on Adult, and a ConvNet trained on emoji people."""
    with failing_clearly(Work("the demo", "it was not done to its end")):
        from evenhand.service.cli.console import Screen

        out.mkdir(parents=True, exist_ok=True)
        console = Screen()
        done = [
            _compas(out, seed, console),
            _adult(out, seed, device, console),
            _emoji(out, seed, device, console),
        ]
        _summarise(done, console)


def _compas(out: Path, seed: int, console: "Console") -> Done:
    console.rule("1 of 3: COMPAS scores, by sex and race (predictions only)")
    return _audit("compas", out, console, source="compas", seed=seed)


def _adult(out: Path, seed: int, device: str, console: "Console") -> Done:
    console.rule("2 of 3: a model trained on Adult, by sex and race, and its proxies")
    trained = [_train(kind, "adult", out / f"adult-{kind}", seed, device, console) for kind in BASELINES]
    path, record = max(trained, key=lambda made: made[1]["epochs"][-1]["valid_accuracy"])
    console.print(f"audited is the better one on validation rows: {record['kind']}")
    return _audit("adult", out, console, source="adult", model_path=str(path), model_name=path.name, seed=seed)


def _emoji(out: Path, seed: int, device: str, console: "Console") -> Done:
    console.rule("3 of 3: a 4-layer ConvNet trained on emoji people, by skin tone")
    path, _ = _train("convnet4", "emoji-people", out / "emoji-convnet4", seed, device, console)
    return _audit(
        "emoji-people",
        out,
        console,
        source="emoji-people",
        model_path=str(path),
        model_name=path.name,
        seed=seed,
        device=device,
    )


def _train(
    kind: str, source: str, out: Path, seed: int, device: str, console: "Console"
) -> tuple[Path, dict[str, Any]]:
    from evenhand.service.cli.train import train_to
    from evenhand.service.models.documents import TrainingRequest

    started = time.monotonic()
    request = TrainingRequest.model_validate({"kind": kind, "dataset": source, "seed": seed, "device": device})
    path, record = train_to(request, source=source, out=out)
    best = next(epoch for epoch in record["epochs"] if epoch["epoch"] == record["best_epoch"])
    console.print(
        f"trained {kind} on {record['train_rows']:,} rows in {time.monotonic() - started:.0f} s, "
        f"validation accuracy {best['valid_accuracy']:.3f}"
    )
    return path, record


def _audit(title: str, out: Path, console: "Console", **request: Any) -> Done:
    from evenhand.service import render
    from evenhand.service.audits.documents import AuditRequest
    from evenhand.service.audits.run import run_audit
    from evenhand.service.cli.outputs import write_outputs
    from evenhand.service.cli.progress import shown

    started = time.monotonic()
    with shown("auditing") as progress:
        report = run_audit(AuditRequest.model_validate(request), progress)
    html, json = out / f"{title}.html", out / f"{title}.json"
    write_outputs(report, {html: render.html, json: lambda made: made.to_json() + "\n"})
    render.terminal(report, console=console)
    return Done(title, report, html, json, time.monotonic() - started)


def _summarise(done: list[Done], console: "Console") -> None:
    from rich.table import Table

    console.rule("what CI would see")
    table = Table("audit", "verdict", "exit code", "seconds")
    for each in done:
        table.add_row(
            each.title,
            each.report.verdict.value.replace("_", " "),
            str(each.report.gate.exit_code),
            f"{each.seconds:.1f}",
        )
    console.print(table)
    console.print("The reports, as pages and as JSON:")
    for each in done:
        console.print(f"  {each.html.resolve()}\n  {each.json.resolve()}", soft_wrap=True)
