"""`coldtrail watch`: finds what time alone brings about, and sends what is in the outbox."""

import logging
import signal
from collections.abc import Callable, Mapping
from threading import Event

import click

from coldtrail import processes, telling
from coldtrail.channels import NotSent, Send
from coldtrail.mail import Mail
from coldtrail.settings import Settings
from coldtrail.webhook import Webhook
from inventory.clock import Clock
from inventory.domain.errors import Unavailable
from inventory.domain.notices import Channel
from inventory.persistence.database import Database
from inventory.services import notice_delivery, notices
from inventory.services.notice_delivery import Claim

log = logging.getLogger(__name__)


class Watch:
    """One watch over a database; several may run, and share the sending."""

    def __init__(self, database: Database, channels: Mapping[Channel, Send], clock: Clock) -> None:
        self._database, self._channels, self._clock = database, channels, clock
        self.stop = Event()

    def run(self, seconds: float, beat: Callable[[], None] = processes.no_heartbeat) -> None:
        """A round every so many seconds until `stop` is set; a database that is away is waited for.

        `beat` is called after each good round.
        """
        while not self.stop.is_set():
            try:
                self.round()
                beat()
            except Unavailable as error:
                log.warning("%s", error)
            self.stop.wait(seconds)

    def round(self) -> None:
        """Put what is to be told into the outbox, and send what is due.

        Raises:
            Unavailable: `database_away`, `busy`; what was done until then stays done.
        """
        found = notices.tell_deadlines(self._database, self._clock())
        found += notices.tell_silences(self._database, self._clock())
        if found:
            log.info("%d new notices of deadlines and silences", found)
        for channel, send in self._channels.items():
            notice_delivery.take_up(self._database, channel, self._clock())
            self._send_due(channel, send)

    def _send_due(self, channel: Channel, send: Send) -> None:
        """Send what is due until one fails; then the channel rests until the next round.

        So a receiver that is away costs one time-out a round, and holds up neither the other channel nor the clocks.
        """
        going_on = True
        while going_on and not self.stop.is_set():
            claimed = notice_delivery.claim(self._database, channel, self._clock())
            going_on = claimed is not None and self._send(claimed, send)

    def _send(self, claimed: Claim, send: Send) -> bool:
        """Send one notice and mark it; whether it went out."""
        try:
            send(claimed.notice)
        except NotSent as error:
            self._failed(claimed, str(error))
            return False
        except Exception as error:  # one notice that cannot be sent must not keep the others from it
            log.exception("notice %s by %s", claimed.notice.id, claimed.channel)
            self._failed(claimed, type(error).__name__)
            return False
        notice_delivery.mark_sent(self._database, claimed, self._clock())
        log.info("notice %s (%s) sent by %s", claimed.notice.id, claimed.notice.kind, claimed.channel)
        return True

    def _failed(self, claimed: Claim, error: str) -> None:
        again = notice_delivery.mark_failed(self._database, claimed, error, self._clock())
        fate = f"again at {again.isoformat()}" if again else "given up"
        name = f"notice {claimed.notice.id} by {claimed.channel}, attempt {claimed.attempt}"
        log.warning("%s: %s; %s", name, error, fate)


def channels_of(settings: Settings) -> dict[Channel, Send]:
    """The channels that are set up."""
    found: dict[Channel, Send] = {}
    if settings.webhook:
        found[Channel.WEBHOOK] = Webhook(settings.webhook).send
    if settings.mail:
        found[Channel.MAIL] = Mail(settings.mail).send
    return found


def watch(settings: Settings, *, once: bool) -> None:
    """Watch until SIGTERM or SIGINT, which let a sending end, or for one round.

    Raises:
        NotMigrated: the database is not ready.
        Unavailable: `database_away` at the start, and in a single round; else it is waited for.
    """
    database = processes.opened(settings.database_url)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    channels = channels_of(settings)
    if not channels:
        log.warning("no channel is set up; notices are kept, and listed at GET /api/v1/notices")
    watching = Watch(database, channels, settings.clock)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: watching.stop.set())
    if once:
        watching.round()
    else:
        watching.run(settings.watch_seconds, processes.heartbeat(settings.heartbeat))
    database.close()


@click.command("watch")
@click.option("--once", is_flag=True, help="one round, for a timer of the system's")
def watch_command(once: bool) -> None:
    """Tell people of deadlines, excursions, silent sensors and shortfalls, by webhook and by mail.

    Example: COLDTRAIL_WEBHOOK_URL=https://example.org/hook COLDTRAIL_WEBHOOK_SECRET=... coldtrail watch
    """
    with telling.told():
        watch(telling.settings(), once=once)
