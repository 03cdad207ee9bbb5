"""A supervisor looks at what the sensors of a cold room saw before she decides about the doses in it."""

import logging
from datetime import UTC, timedelta
from threading import Event
from time import monotonic
from urllib.parse import urlencode

from coldtrail.demo.steps import Step
from coldtrail.demo.tokens import SUPERVISOR
from coldtrail.demo.world import World

_PATIENCE_SECONDS = 60.0
_NAP = 0.25
_LAST_MINUTES = timedelta(minutes=5)

_log = logging.getLogger(__name__)


class RoomWatch:
    """Waits until what was measured is known; a decision about less would not cover it."""

    def __init__(self, world: World, halt: Event) -> None:
        self._api, self._token = world.api, world.tokens[SUPERVISOR]
        self._halt = halt

    def wait_for(self, step: Step) -> None:
        """Until the readings of the sensors that a step looks at are in, and the excursions over; a minute at most."""
        give_up = monotonic() + _PATIENCE_SECONDS
        while not all(self._is_over(sensor, step) for sensor in step.looks_at):
            if monotonic() > give_up:
                _log.warning("%s is decided without all that %s saw", step.key, ", ".join(step.looks_at))
                return
            if self._halt.wait(_NAP):
                return

    def _is_over(self, sensor: str, step: Step) -> bool:
        at = step.at.astimezone(UTC)
        asked = urlencode({"from": (at - _LAST_MINUTES).isoformat(), "to": at.isoformat(), "limit": 1})
        if not self._api.get(f"/api/v1/sensors/{sensor}/readings?{asked}", self._token)["items"]:
            return False
        found = self._api.get(f"/api/v1/excursions?{urlencode({'sensor': sensor})}", self._token)["items"]
        limits_broken = [excursion for excursion in found if excursion["side"] != "silence"]
        for excursion in limits_broken:
            impact = self._api.get(f"/api/v1/excursions/{excursion['id']}/impact", self._token)
            _log.info("%s of %s touched %d doses", excursion["rule"], sensor, impact["doses"])
        return all(excursion["ended_at"] for excursion in limits_broken)
