"""`evenhand import`: another tool's configuration as evenhand.toml, with what could not be taken over as comments."""

from pathlib import Path

import click

from evenhand.service.cli.failing import Work, failing_clearly

TOOLS = ("clarify",)


@click.command("import")
@click.argument("tool", type=click.Choice(TOOLS))
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
def command(tool: str, config: Path) -> None:
    """Turn CONFIG of another TOOL into a policy, printed as TOML.

    TOOL is `clarify`: CONFIG is an analysis_config.json of SageMaker Clarify. What differs or could not be taken over stands
    in comments at the top.

    \b
    evenhand import clarify analysis_config.json > evenhand.toml
    """
    with failing_clearly(Work("the import", "no policy was made")):
        from evenhand.service.importers import clarify
        from evenhand.service.importers.toml import policy_text

        found = clarify.policy_of(config)
        heading = f"From {config.name} of SageMaker Clarify, by evenhand import."
        click.echo(policy_text(found.policy, notes=found.notes, heading=heading), nl=False)
