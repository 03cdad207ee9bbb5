"""`coldtrail replay`: recorded data, published as a gateway would."""

import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from coldtrail.importing import replayed_document
from coldtrail.settings import BROKER, broker_settings
from coldtrail.telling import settings, told
from inventory.services.equipment import shard_of
from mqtt_ingest import topics
from mqtt_ingest.client import Publisher
from mqtt_ingest.replay import replay


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


@click.command("replay")
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
def replay_command(
    file: Path, url: str, gateway: str, shard: str | None, serial: str, chunk: int, timeout: float
) -> None:
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
            missing = replay(
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
