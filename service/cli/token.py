"""`evenhand token`: API tokens. A token's text is shown once, when it is made."""

from datetime import UTC, datetime, timedelta

import click

from evenhand.service.cli.failing import Work, failing_clearly

ROLES = ("viewer", "auditor", "admin")


@click.group("token")
def command() -> None:
    """Create, list and revoke API tokens of the service under EVENHAND_HOME."""


@command.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="auditor", show_default=True)
@click.option("--days", type=click.IntRange(min=1), default=None, help="Days until it expires. Default: never.")
def create(name: str, role: str, days: int | None) -> None:
    """Make a token called NAME and print it; it is not shown again."""
    with failing_clearly(Work("the making of a token", "no token was made")):
        from evenhand.service.auth.store import create_token
        from evenhand.service.auth.tables import Role
        from evenhand.service.cli.database import opened

        expires = datetime.now(UTC) + timedelta(days=days) if days else None
        with opened(migrated=True) as database, database.writing() as session:
            made = create_token(session, name=name, role=Role(role), expires_at=expires, actor="command line")
        click.echo(made.text)


@command.command("list")
def list_() -> None:
    """List tokens: id, role, when made and used, whether revoked."""
    with failing_clearly(Work("the listing of tokens", "no token was listed")):
        from evenhand.service.auth.store import list_tokens
        from evenhand.service.cli.database import opened

        with opened(migrated=True) as database, database.reading() as session:
            tokens = list_tokens(session)
        if not tokens:
            click.echo("there is no token. `evenhand token create NAME` makes one.")
        now = datetime.now(UTC)
        for token in tokens:
            state = (
                "revoked" if token.revoked_at else "expired" if token.expires_at and token.expires_at < now else "valid"
            )
            used = f"used {token.last_used_at:%Y-%m-%d}" if token.last_used_at else "never used"
            click.echo(
                f"{token.id}  {token.prefix}…  {token.role:<8} {state:<8} made {token.created_at:%Y-%m-%d}, {used}  {token.name}"
            )


@command.command("revoke")
@click.argument("token")
def revoke(token: str) -> None:
    """Make TOKEN (its id, or the eh_… of the list) worthless from now on."""
    with failing_clearly(Work("the revoking of a token", "no token was revoked")):
        from evenhand.service.auth.store import revoke_token
        from evenhand.service.cli.database import opened

        with opened(migrated=True) as database, database.writing() as session:
            revoked = revoke_token(session, token, actor="command line")
        click.echo(f"{revoked.id} ({revoked.name}) is revoked")
