"""A simulated county (under construction)."""

from pathlib import Path


def run_demo(
    folder: Path,
    port: int,
    mqtt_port: int | None,
    speed: float,
    days: float | None,
    database_url: str | None,
    broker: str | None,
) -> int:
    """Run the county."""
    raise NotImplementedError
