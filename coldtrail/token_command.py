"""`coldtrail token`: who may ask."""

import click

from coldtrail.telling import open_database, settings
from inventory.domain.words import Role
from inventory.services import access


@click.group("token")
def token_group() -> None:
    """Create, list and revoke the tokens of actors."""


@token_group.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--facility", "facilities", multiple=True, help="where staff or a supervisor may write; may be repeated")
def create_command(name: str, role: str, facilities: tuple[str, ...]) -> None:
    """Create a token and print it, this once.

    Example: coldtrail token create "Store keeper, county" --role staff --facility COUNTY
    """
    with open_database() as database:
        click.echo(access.create_token(database, name, Role(role), facilities, settings().clock()))


@token_group.command("list")
def list_command() -> None:
    """List the tokens, without their secrets.

    Example: coldtrail token list
    """
    with open_database() as database:
        for each in access.list_tokens(database):
            state = f"revoked {each.revoked_at:%Y-%m-%d}" if each.revoked_at else "valid"
            click.echo("\t".join([each.name, each.role.value, ",".join(each.facilities) or "-", state]))


@token_group.command("revoke")
@click.argument("name")
def revoke_command(name: str) -> None:
    """End a token.

    Example: coldtrail token revoke "Store keeper, county"
    """
    with open_database() as database:
        access.revoke_token(database, name, settings().clock())
    click.echo(f"{name}: revoked")
