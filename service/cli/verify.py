"""`evenhand verify`: checks a report against itself and, where given, its data and model."""

from pathlib import Path

import click

from evenhand.service.cli.failing import Work, failing_clearly

REPORT = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("verify")
@click.argument("report_path", metavar="REPORT.json", type=REPORT)
@click.option("--data", "source", metavar="SOURCE", help="Run the audit again on these data and compare every number.")
@click.option(
    "--model", "model_path", metavar="PATH", help="Model of that audit: a file, or the address of an endpoint."
)
def command(report_path: Path, source: str | None, model_path: str | None) -> None:
    """Check that a report says what its counts and data say. Exits 0 when all holds, 1 when something does not."""
    with failing_clearly(Work("the verification", "nothing was verified")):
        from evenhand.service.audits.verification import verify_again, verify_alone
        from evenhand.service.cli.compare import read_report

        report = read_report(report_path)
        tests = list(verify_alone(report))
        if source is not None:
            tests += verify_again(report, source=source, model_path=model_path or None)
        for test in tests:
            mark = "ok" if test.problem is None and test.checked else "WRONG" if test.checked else "--"
            click.echo(f"{mark:<6} {test.what}" + (f": {test.problem}" if test.problem else ""))
        if source is None:
            click.echo(
                "not checked: that the data give these counts. Pass --data SOURCE, and --model PATH where there was one."
            )
        wrong = sum(test.problem is not None for test in tests)
        made = sum(test.checked for test in tests)
        click.echo(f"{made - wrong} of {made} hold")
    raise SystemExit(1 if wrong else 0)
