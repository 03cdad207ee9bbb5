"""The `coldtrail` command."""

import click

from coldtrail.lazy_group import LazyGroup

COMMANDS = {
    "archive": "coldtrail.readings_cli:archive_command",
    "archives": "coldtrail.readings_cli:archives_command",
    "audit": "coldtrail.audit_command:audit_command",
    "demo": "coldtrail.demo_command:demo_command",
    "export": "coldtrail.export_command:export_group",
    "gateway-sim": "coldtrail.gateway_command:gateway_sim_command",
    "import": "coldtrail.import_command:import_group",
    "ingest": "coldtrail.ingest_command:ingest_command",
    "keys": "coldtrail.keys_command:keys_group",
    "log": "coldtrail.log_command:log_group",
    "migrate": "coldtrail.database_commands:migrate_command",
    "replay": "coldtrail.replay_command:replay_command",
    "restore-archive": "coldtrail.readings_cli:restore_command",
    "seed": "coldtrail.database_commands:seed_command",
    "serve": "coldtrail.serve_command:serve_command",
    "token": "coldtrail.token_command:token_group",
    "verify": "coldtrail.readings_cli:verify_group",
    "watch": "coldtrail.watching:watch_command",
}
"""Each command, and where it is."""


@click.group(cls=LazyGroup, elsewhere=COMMANDS, context_settings={"max_content_width": 110})
@click.version_option(package_name="coldtrail")
def main() -> None:
    """Coldtrail: cold-chain and vaccine-inventory tracking.

    Settings come from the environment: COLDTRAIL_DATABASE_URL (sqlite:///var/coldtrail.db unless set),
    COLDTRAIL_MQTT_URL and others that docs/operating.md lists.
    """
