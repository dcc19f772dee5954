"""`evenhand audit`: from options and a policy file to a request, an exit code and files."""

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenhand.service.cli.failing import AUDIT, failing_clearly, print_nothing_more, time_limit

if TYPE_CHECKING:
    from evenhand.auditors.policy import Policy
    from evenhand.auditors.report import Report
    from evenhand.service.audits.documents import AuditRequest

PATH = click.Path(path_type=Path, dir_okay=False)
OUTPUTS = ("json_path", "html_path", "junit_path", "sarif_path", "markdown_path")
MOST_SECONDS = 365 * 86_400
AUDITS = ("group_disparity", "proxy", "robustness", "perception", "representation")


def a_number(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """Refuse NaN, which no range refuses."""
    if value is not None and math.isnan(value):
        raise click.BadParameter("nan is no number.", ctx=context, param=option)
    return value


def split_names(values: tuple[str, ...]) -> list[str]:
    """COL,COL and COL again are the same."""
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


@click.command("audit")
@click.argument("source", required=False)
@click.option("--label", metavar="COL", help="Column with what is true.")
@click.option("--prediction", metavar="COL", help="Column with what was predicted.")
@click.option("--score", metavar="COL", help="Column with scores, in place of predictions.")
@click.option("--threshold", type=float, metavar="T", help="Predicted positive where score >= T.")
@click.option("--positive", metavar="VALUE", help="Class that rates are about. Default: 1 or True.")
@click.option("--favourable", metavar="VALUE", help="Outcome that helps the person. Default: the positive one.")
@click.option("--sensitive", multiple=True, metavar="COL", help="Sensitive column; again for more.")
@click.option("--weight", metavar="COL", help="Column of row weights.")
@click.option("--stratum", metavar="COL", help="Column to compare within.")
@click.option("--unit", metavar="COL", help="Column that names the person, where rows share one.")
@click.option("--pair", metavar="COL", help="Column that names counterparts of one another.")
@click.option(
    "--model",
    "model_path",
    metavar="PATH",
    help="Model that scores the rows: a file, or the https:// address of an endpoint.",
)
@click.option("--features", multiple=True, metavar="COL,COL", help="Columns the model reads, in order; again for more.")
@click.option("--categorical", multiple=True, metavar="COL,COL", help="Features that are names, also where numbers.")
@click.option(
    "--picture-size",
    type=click.IntRange(1, 4096),
    nargs=2,
    metavar="WIDTH HEIGHT",
    help="Bring every picture to this size first, by area averaging.",
)
@click.option("--only", multiple=True, metavar="AUDIT", help=f"One of {', '.join(AUDITS)}; again for more.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--thorough", is_flag=True, help="More steps, restarts and rows: slower, and finds more.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, MOST_SECONDS, min_open=True),
    callback=a_number,
    metavar="SECONDS",
    help="Stop with exit code 4.",
)
@click.option("--json", "json_path", type=PATH, metavar="PATH", help="Write the report as JSON.")
@click.option("--html", "html_path", type=PATH, metavar="PATH", help="Write the report as one HTML page.")
@click.option("--junit-xml", "junit_path", type=PATH, metavar="PATH", help="Write JUnit XML for CI.")
@click.option("--sarif", "sarif_path", type=PATH, metavar="PATH", help="Write SARIF for code scanning.")
@click.option("--markdown", "markdown_path", type=PATH, metavar="PATH", help="Write a summary for a pull request.")
@click.option("--allow-inconclusive", is_flag=True, help="Exit 0 where nothing is proven either way.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="REPORT.json",
    help="Show what changed since.",
)
@click.option("--seed", type=click.IntRange(min=0), default=None, metavar="N", help="Default: 0, or the policy's.")
@click.option("--quiet", is_flag=True, help="Print the last line only.")  # fmt: skip
def command(source: str | None, **options: Any) -> None:
    """Audit SOURCE and answer with an exit code.

    SOURCE is a .csv, .parquet or .arrow table, a folder, .zip or .npz of pictures, a built-in set (`evenhand datasets`),
    a table in a warehouse (postgresql://USER@HOST/DATABASE/TABLE, duckdb:///FILE?table=TABLE) or a policy file
    evenhand.toml. Without SOURCE, the evenhand.toml or [tool.evenhand] of this folder is used.

    \b
    evenhand audit predictions.csv --label y --prediction yhat --sensitive sex --sensitive race
    """
    with failing_clearly(AUDIT):
        from evenhand.service.cli.compare import read_report
        from evenhand.service.cli.outputs import check_writable, write_outputs
        from evenhand.service.wording import options_of, spoken

        request, policy_path = request_from(source, options)
        outputs = _outputs(options, policy_path)
        inputs = (request.source, request.policy.data.train_source, request.model_path, policy_path)
        check_writable([options[name] for name in OUTPUTS if options[name] is not None], inputs=inputs)
        baseline = read_report(options["baseline"]) if options["baseline"] else None
        words = options_of(command, given=options, policy_path=policy_path)
        with time_limit(options["timeout"]), spoken(words):
            report = _run(request, quiet=options["quiet"])
        write_outputs(report, outputs)
        try:
            _show(report, baseline, options, policy_path)
        except OSError as error:  # the verdict stands, whether or not somebody reads it here
            print_nothing_more()
            if not isinstance(error, BrokenPipeError):
                click.echo(f"warning: the report could not be printed ({error.strerror})", err=True)
    sys.exit(report.gate.exit_code)


def request_from(source: str | None, options: dict[str, Any]) -> tuple["AuditRequest", Path | None]:
    """The request that the options and the policy file make together; an option overrides the file.

    Raises:
        BadPolicy: of the file. click.UsageError: no source anywhere, or options that contradict each other.
    """
    from evenhand.auditors.policy import Policy
    from evenhand.service.audits.documents import AuditRequest
    from evenhand.service.audits.endpoints import is_endpoint, model_name
    from evenhand.service.audits.policy_file import is_policy_file, policy_here, read_policy

    policy_path = Path(source) if source and is_policy_file(source) else None if source else policy_here(Path())
    policy = read_policy(policy_path) if policy_path else Policy()
    if policy_path is None and source is None:
        raise click.UsageError("name a SOURCE to audit, or run in a folder with an evenhand.toml.")
    chosen_source = policy.data.source if policy_path else source
    if chosen_source is None:
        raise click.UsageError(f'{policy_path} names no source. Add `source = "..."` under [data].')
    policy = _with_options(policy, options)
    model = options["model_path"] or ((policy.model.path or policy.model.url) if policy.model else None)
    if model and not is_endpoint(str(model)) and not Path(model).is_file():
        by = "--model" if options["model_path"] else policy_path
        raise click.UsageError(f"{by} names the model {model}, and there is no such file.")
    only = split_names(options["only"]) or None
    for name in only or ():
        if name not in AUDITS:
            raise click.UsageError(f"--only {name}: there is no such audit. Choose from {', '.join(AUDITS)}.")
    seed = options["seed"] if options["seed"] is not None else policy.seed
    request = AuditRequest(
        source=chosen_source,
        model_path=str(model) if model else None,
        model_name=model_name(str(model)) if model else None,
        policy=policy,
        only=only,  # type: ignore[arg-type]  # checked against the names above
        device=options["device"],
        thorough=options["thorough"] or policy.thorough,
        seed=seed or 0,
        allow_inconclusive=options["allow_inconclusive"],
    )
    return request, policy_path


def _with_options(policy: "Policy", options: dict[str, Any]) -> "Policy":
    from pydantic import ValidationError

    from evenhand.service.audits.policy_file import problems, with_roles

    names = ("label", "prediction", "score", "threshold", "positive", "favourable", "weight", "stratum", "unit", "pair")
    named = {name: options[name] for name in names if options[name] is not None}
    named |= {name: split_names(options[name]) for name in ("features", "categorical") if options[name]}
    if options.get("picture_size"):
        named["picture_size"] = options["picture_size"]
    if options["sensitive"]:
        named["sensitive"] = list(options["sensitive"])
    try:
        return with_roles(policy, named)
    except ValidationError as error:
        raise click.UsageError("; ".join(problems(error))) from None


def _outputs(options: dict[str, Any], policy_path: Path | None) -> dict[Path, Any]:
    from evenhand.service import render

    renderers = {
        "json_path": lambda report: report.to_json() + "\n",
        "html_path": render.html,
        "junit_path": render.junit_xml,
        "sarif_path": lambda report: render.sarif(report, policy_path=str(policy_path) if policy_path else None),
        "markdown_path": render.markdown,
    }
    return {options[name]: renderer for name, renderer in renderers.items() if options[name] is not None}


def _run(request: "AuditRequest", *, quiet: bool) -> "Report":
    from evenhand.service.audits.run import run_audit

    if quiet or not sys.stderr.isatty():
        return run_audit(request)
    from evenhand.service.cli.progress import shown

    with shown() as progress:
        return run_audit(request, progress)


def _show(report: "Report", baseline: "Report | None", options: dict[str, Any], policy_path: Path | None) -> None:
    import os

    from evenhand.service import render
    from evenhand.service.cli.compare import print_difference
    from evenhand.service.cli.console import Screen

    console = Screen()
    if baseline is not None and not options["quiet"]:
        print_difference(baseline, report, console)
    render.terminal(report, console=console, quiet=options["quiet"])
    if os.environ.get("GITHUB_ACTIONS") == "true" and not options["quiet"]:
        click.echo(render.github_annotations(report, policy_path=str(policy_path) if policy_path else None), err=True)
