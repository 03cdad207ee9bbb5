"""The `coldtrail` command."""

import os
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from coldtrail import processes
from coldtrail.audit_command import audit_command
from coldtrail.demo import run_demo
from coldtrail.export_command import export_group
from coldtrail.gateway_command import gateway_sim_command
from coldtrail.import_command import import_group
from coldtrail.importing import replayed_document
from coldtrail.keys_command import keys_group
from coldtrail.log_command import log_group, trail_command, verify_log_command
from coldtrail.readings_cli import COMMANDS as READINGS
from coldtrail.readings_cli import verify_group
from coldtrail.settings import BROKER, broker_settings
from coldtrail.telling import open_database, settings, told
from coldtrail.watching import watch_command
from inventory.domain.words import Role
from inventory.persistence.migrate import upgrade
from inventory.services import access, rules
from inventory.services.equipment import shard_of
from mqtt_ingest import topics
from mqtt_ingest.client import Publisher
from mqtt_ingest.replay import replay as replay_document


class BrokerUrl(click.ParamType[str]):
    """The URL of a broker."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The URL as it is, once it is sure that it can be used; a wrong one is not shown, for its password."""
        try:
            broker_settings(value, "coldtrail-replay")
        except ValueError:
            self.fail(f"the URL is not {BROKER}", param, ctx)
        return str(value)


@click.group(context_settings={"max_content_width": 110})
@click.version_option(package_name="coldtrail")
def main() -> None:
    """Coldtrail: cold-chain and vaccine-inventory tracking.

    Settings come from the environment: COLDTRAIL_DATABASE_URL (sqlite:///var/coldtrail.db unless set),
    COLDTRAIL_MQTT_URL and others that docs/operating.md lists.
    """


main.add_command(watch_command)
main.add_command(import_group)
main.add_command(export_group)
main.add_command(gateway_sim_command)
main.add_command(keys_group)
main.add_command(log_group)
main.add_command(audit_command)
export_group.add_command(trail_command)
verify_group.add_command(verify_log_command)
for each in READINGS:
    main.add_command(each)


@main.command()
def serve() -> None:
    """Serve the HTTP API.

    Example: COLDTRAIL_BIND=127.0.0.1:8000 coldtrail serve
    """
    with told():
        processes.serve(settings())


@main.command()
@click.option("--shards", help="the shards that this worker reads, such as 00-7f; else COLDTRAIL_SHARDS, else all")
def ingest(shards: str | None) -> None:
    """Take in readings from the broker.

    Example: COLDTRAIL_MQTT_URL=mqtt://ingest:secret@broker:1883 coldtrail ingest --shards 00-7f
    """
    if shards is not None:
        os.environ["COLDTRAIL_SHARDS"] = shards
    with told():
        processes.ingest(settings())


@main.command()
def migrate() -> None:
    """Bring the database to the schema of this version; what is there already stays.

    Example: COLDTRAIL_DATABASE_URL=postgresql://coldtrail:secret@database/coldtrail coldtrail migrate
    """
    url = settings().database_url
    if url.startswith("sqlite:///"):
        _make_folder(Path(url.removeprefix("sqlite:///")).parent)
    with told():
        upgrade(url)
    click.echo("the database has the current schema")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"no folder {folder} for the database: {error.strerror}") from error


@main.command()
def seed() -> None:
    """Write the storage profiles and deadline rules that come with Coldtrail; those that are there stay.

    Example: coldtrail seed
    """
    with open_database() as database:
        rules.seed(database)
    rule_sets = dict.fromkeys(rule.rule_set for rule in rules.DEADLINE_RULES)
    click.echo("storage profiles: " + ", ".join(rules.PROFILES) + "; deadline rules: " + ", ".join(rule_sets))


@main.group()
def token() -> None:
    """Create, list and revoke the tokens of actors."""


@token.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--facility", "facilities", multiple=True, help="where staff or a supervisor may write; may be repeated")
def token_create(name: str, role: str, facilities: tuple[str, ...]) -> None:
    """Create a token and print it, this once.

    Example: coldtrail token create "Store keeper, county" --role staff --facility COUNTY
    """
    with open_database() as database:
        click.echo(access.create_token(database, name, Role(role), facilities, settings().clock()))


@token.command("list")
def token_list() -> None:
    """List the tokens, without their secrets.

    Example: coldtrail token list
    """
    with open_database() as database:
        for each in access.list_tokens(database):
            state = f"revoked {each.revoked_at:%Y-%m-%d}" if each.revoked_at else "valid"
            click.echo("\t".join([each.name, each.role.value, ",".join(each.facilities) or "-", state]))


@token.command("revoke")
@click.argument("name")
def token_revoke(name: str) -> None:
    """End a token.

    Example: coldtrail token revoke "Store keeper, county"
    """
    with open_database() as database:
        access.revoke_token(database, name, settings().clock())
    click.echo(f"{name}: revoked")


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mqtt", "url", type=BrokerUrl(), required=True, help="the broker, mqtt://user:password@host:port")
@click.option("--gateway", required=True, help="the code of an enrolled gateway to publish as")
@click.option("--shard", help="its shard, where it was not given by its code")
@click.option("--serial", default="REPLAY", show_default=True, help="the logger's serial, for a file without one")
@click.option("--chunk", type=click.IntRange(min=1), default=24, show_default=True, help="records in a delivery")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="seconds to wait for the receipts",
)
def replay(file: Path, url: str, gateway: str, shard: str | None, serial: str, chunk: int, timeout: float) -> None:
    """Publish WHO E006/DS01 records as a gateway would, and wait until the service has confirmed all of them.

    Example: coldtrail replay compressor_failure.json --mqtt mqtt://127.0.0.1:1883 --gateway GW-1 --serial LOGGER-1
    """
    given = settings()
    client_id = f"coldtrail-replay-{uuid.uuid4().hex[:12]}"
    mqtt = broker_settings(url, client_id, given.mqtt.protocol, given.mqtt.root)
    with told():
        shard = shard_of(gateway) if shard is None else shard
        receipts = topics.receipt_topic(gateway, shard, mqtt.root)
        document = replayed_document(file)
        with closing(Publisher(mqtt, [receipts])) as publisher:
            missing = replay_document(
                document,
                publisher,
                gateway,
                shard,
                serial,
                given.clock,
                chunk=chunk,
                timeout=timeout,
                root=mqtt.root,
            )
    if missing:
        raise click.ClickException(f"{missing} deliveries were not confirmed within {timeout:g} s")
    click.echo("all deliveries are confirmed")


@main.command()
@click.option(
    "--folder", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="where data lies"
)
@click.option("--port", type=int, envvar="COLDTRAIL_PORT", default=8000, show_default=True, help="of the API")
@click.option("--mqtt-port", type=int, envvar="COLDTRAIL_MQTT_PORT", help="of the broker; a free one unless set")
@click.option("--speed", type=float, envvar="COLDTRAIL_SPEED", default=60.0, show_default=True, help="times real time")
@click.option("--days", type=float, help="end after so many simulated days, and verify")
@click.option("--broker", type=click.Choice(["mosquitto", "amqtt"]), help="the one that is installed unless set")
@click.option("--database-url", help="another database than the folder's SQLite; never one that is in use")
def demo(
    folder: Path,
    port: int,
    mqtt_port: int | None,
    speed: float,
    days: float | None,
    broker: str | None,
    database_url: str | None,
) -> None:
    """Run a simulated county against a real broker, database and API; Ctrl-C ends it.

    Example: COLDTRAIL_SPEED=120 coldtrail demo
    """
    raise SystemExit(run_demo(folder, port, mqtt_port, speed, days, database_url, broker))
