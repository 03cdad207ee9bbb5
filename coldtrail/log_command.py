"""`coldtrail log`: the process that appends to the log and signs it, and what is asked of it at the command line."""

import logging
import signal
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from uuid import UUID

import click
import segno

from coldtrail import processes
from coldtrail.export_command import BatchName
from coldtrail.keys_command import held_notes, signing_key, verifier_keys
from coldtrail.settings import Settings
from coldtrail.telling import open_database, settings, told
from inventory.clock import Clock, speed_of
from inventory.domain.errors import Conflict, Unavailable
from inventory.persistence.database import Database
from inventory.services.log import bundle, checkpoints, sequencer
from inventory.services.log.keys import SigningKey
from inventory.services.log.verification import Checked, verify_log

log = logging.getLogger(__name__)

ROUND_SECONDS = 1.0
SIGN_SECONDS = 30.0
"""New leaves are signed so often: twice as often as is promised."""

SIGN_SHOWN = timedelta(minutes=10)
"""And so often by the clock that is shown, which of a demonstration goes through an hour in seconds."""

LOOK_BACK_SECONDS = 60.0
SWEEP_SECONDS = 6 * 3600.0

_LOOKS = (
    ("sweep", SWEEP_SECONDS, None),
    ("look back", LOOK_BACK_SECONDS, sequencer.NOW_AND_THEN),
    ("look", 0.0, sequencer.JUST_NOW),
)
"""How often facts without a leaf are looked for, and how far back: everywhere at the start."""

_FROM = {look[0]: [each[0] for each in _LOOKS[number:]] for number, look in enumerate(_LOOKS)}
"""Each look with those that it is as good as."""


class LogKeeper:
    """Appends what was committed, and signs; several may run, and one at a time appends."""

    def __init__(self, database: Database, key: SigningKey | None, clock: Clock, tell_every: timedelta | None) -> None:
        self._database, self._key, self._clock, self._tell_every = database, key, clock, tell_every
        self._speed = max(speed_of(clock), 1.0)
        self._done: dict[str, float] = {}
        self._looked: dict[str, datetime] = {}
        self.stop = Event()

    def run(self, beat: Callable[[], None] = processes.no_heartbeat) -> None:
        """A round a second until `stop` is set, and `beat` after each good one; a database that is away is waited for.

        A log that was changed is not signed, and that is said each minute until somebody has looked.
        """
        while not self.stop.is_set():
            wait = ROUND_SECONDS
            try:
                self.round()
                beat()
            except Unavailable as error:
                log.warning("%s", error)
            except Conflict as error:
                log.error("%s", error)  # noqa: TRY400  (a traceback says nothing more)
                wait = LOOK_BACK_SECONDS
            self.stop.wait(wait)

    def round(self) -> None:
        """Append what is new, and sign it where that is due.

        Raises:
            Unavailable: `database_away`, `busy`.
            Conflict: `log_differs`.
        """
        begun = time.monotonic()
        look, window = next((what, window) for what, seconds, window in _LOOKS if self._is_due(what, seconds))
        now = self._clock()
        appended = sequencer.append(self._database, now, self._widened(look, window, now))
        self._done[look] = begun  # only now: one that has failed is made again
        self._looked |= dict.fromkeys(_FROM[look], now)
        if appended:
            log.info("%d new leaves", appended)
        if self._is_due("sign", SIGN_SECONDS) or now - self._looked["sign"] >= SIGN_SHOWN:
            self.sign()
            self._done["sign"], self._looked["sign"] = begun, now

    def end(self) -> None:
        """Append and sign what was committed before, facts that were an hour under way included.

        Raises:
            as `round`.
        """
        now = self._clock()
        sequencer.append(self._database, now, self._widened("look back", sequencer.NOW_AND_THEN, now))
        self.sign()

    def sign(self) -> None:
        """Sign what is new, if there is a key."""
        if self._key is not None:
            checkpoints.sign(self._database, self._key, self._clock(), self._tell_every)

    def _widened(self, look: str, window: timedelta | None, now: datetime) -> timedelta | None:
        """The window, and the time since the last such look, by the clock that is shown.

        A transaction takes as long on a demonstration's machine as on any, while that clock goes through an hour.
        """
        since = max(now - self._looked.get(look, now), timedelta())
        return None if window is None else window * self._speed + since

    def _is_due(self, what: str, seconds: float) -> bool:
        """Whether something was done so long ago, or never."""
        return what not in self._done or time.monotonic() - self._done[what] >= seconds


def keep(given: Settings, *, once: bool) -> None:
    """Keep the log until SIGTERM or SIGINT, which lets a transaction end, or for one round.

    Raises:
        NotMigrated: the database is not ready.
        Unavailable: `database_away` at the start and at the end, and in a single round; else it is waited for.
        Conflict: `log_differs` at the end, and in a single round.
    """
    key = signing_key(given.log_key_file) if given.log_key_file else None
    with closing(processes.opened(given.database_url)) as database:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
        logging.getLogger("alembic").setLevel(logging.WARNING)
        if key is None:
            log.warning("COLDTRAIL_LOG_KEY_FILE is not set; leaves are appended, and no checkpoint is signed")
        keeper = LogKeeper(database, key, given.clock, given.log_send)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: keeper.stop.set())
        if once:
            keeper.round()
        else:
            keeper.run(processes.heartbeat(given.heartbeat))
            with told():
                keeper.end()


@click.group("log")
def log_group() -> None:
    """Keep the log over everything that was recorded, and ask for its checkpoint."""


@log_group.command("run")
@click.option("--once", is_flag=True, help="one round, for a timer of the system's")
def run_command(once: bool) -> None:
    """Append what was recorded to the log, and sign it every half minute while there is something new.

    Example: COLDTRAIL_LOG_KEY_FILE=/srv/coldtrail/log.key coldtrail log run
    """
    with told():
        keep(settings(), once=once)


@log_group.command("checkpoint")
@click.option("--qr", is_flag=True, help="as a code in the terminal, to be photographed or printed")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="as a code in a file, to be printed")
def checkpoint_command(qr: bool, svg: Path | None) -> None:
    """Print the newest checkpoint, to be kept where nobody who can change this database can change it.

    Example: coldtrail log checkpoint --svg checkpoint.svg
    """
    with open_database() as database:
        note = checkpoints.newest_note(database)
    click.echo(note, nl=False)
    code = segno.make(note, error="m", micro=False)
    if qr:
        code.terminal(compact=True)
    if svg is not None:
        code.save(str(svg), kind="svg", scale=4, title="checkpoint")


@click.command("trail")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="the file")
@click.option("--batch", type=BatchName(), help="all that was recorded of a batch, as GTIN/number")
@click.option("--administration", type=click.UUID, help="the chain of custody of one administration")
@click.option("--whole-log", is_flag=True, help="every leaf that there is")
@click.option(
    "--since",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="an older checkpoint, to prove that nothing was rewritten since",
)
def trail_command(
    output: Path, batch: tuple[str, str] | None, administration: UUID | None, whole_log: bool, since: Path | None
) -> None:
    """Write a trail with its proofs to a file, for `coldtrail audit` on any other machine.

    Example: coldtrail export trail --batch 06901234567892/202512A03 -o trail.proof
    """
    if (batch is not None) + (administration is not None) + whole_log != 1:
        raise click.UsageError("say one of --batch, --administration and --whole-log")
    older = held_notes([since] if since else [])
    wanted = bundle.Wanted(batch, administration, older[0].checkpoint.size if older else None)
    beside = output.with_name(output.name + ".part")
    try:
        with open_database() as database, beside.open("wb") as file:
            file.writelines(bundle.lines(database, wanted))
        beside.replace(output)  # whole or not at all: an older proof stays
    except OSError as error:
        raise click.ClickException(f"cannot write {output}: {error.strerror}") from error
    finally:
        beside.unlink(missing_ok=True)
    click.echo(f"{output}: {output.stat().st_size} bytes")


@click.command("log")
@click.option("--key", "given", multiple=True, help="a public key of the log, or a file of them; repeatable")
@click.option(
    "--checkpoint",
    "held",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="a checkpoint that was kept elsewhere; repeatable",
)
def verify_log_command(given: tuple[str, ...], held: tuple[Path, ...]) -> None:
    """Prove that every fact is what the log says, and the log what was signed.

    Exits with 1 when something is wrong, and names each. Example: coldtrail verify log --key county.pub
    """
    known, notes = verifier_keys(given), held_notes(held)
    if notes and not known:
        raise click.UsageError("a checkpoint that was kept elsewhere needs the --key that it was signed by")
    faults, checked = 0, Checked(0, 0, 0)
    with open_database() as database:
        for found in verify_log(database, known, notes):
            if isinstance(found, Checked):
                checked = found
            else:
                faults += 1
                click.echo(f"FAULT {found}")
    click.echo(
        f"{checked.leaves} leaves, {checked.checkpoints} checkpoints, {checked.waiting} facts not in it yet: "
        + (f"{faults} FAULTS" if faults else _told_of(checked, signed=bool(known)))
    )
    if faults:
        raise SystemExit(1)


def _told_of(checked: Checked, *, signed: bool) -> str:
    """What is proved where no fault was found."""
    if not checked.checkpoints:
        return "nothing is signed, so nothing is proved"
    return "as it was signed" if signed else "whole; no --key, no signature checked"
