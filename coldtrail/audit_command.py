"""`coldtrail audit`: a file of proofs, held against a public key and against itself, with no database."""

from pathlib import Path

import click

from coldtrail.keys_command import held_notes, verifier_keys
from inventory.domain.trail_audit import Stream
from inventory.services.log.audit import ADMINISTRATION, LOG, BadFile, Finding, audit

_ENDS = ("administered", "wasted", "returned", "missing")


@click.command("audit")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "keys", multiple=True, required=True, help="a public key of the log, or a file")
@click.option(
    "--consistent-with",
    "old",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="an older checkpoint, which the log still has to begin with",
)
def audit_command(file: Path, keys: tuple[str, ...], old: Path | None) -> None:
    """Verify an exported trail offline: what was signed, that it is all there, and that it contradicts nothing.

    Exits with 1 when something is wrong, and names it. Example: coldtrail audit trail.proof --key county.pub
    """
    known, older = verifier_keys(keys), held_notes([old] if old else [])
    try:
        found = audit(file, known, older[0] if older else None)
    except BadFile as error:
        raise click.ClickException(f"{file}: {error}") from error
    for line in _report(found):
        click.echo(line.encode(errors="backslashreplace").decode())
    if not found.holds:
        raise SystemExit(1)


def _report(found: Finding) -> list[str]:
    """What was found, what it proves, and what it cannot prove."""
    checkpoint = found.head.note.checkpoint
    by = f"signed by {found.key.name}+{found.key.id.hex()}" if found.key else "NOT signed by a known key"
    lines = [
        f"checkpoint: {checkpoint.origin}, {checkpoint.size} leaves at {checkpoint.at.isoformat()}, {by}",
        f"leaves: {found.leaves} of {checkpoint.size}",
        *(_stream(each, found) for each in found.audit.streams.values() if found.head.of != LOG or each.doses["in"]),
        *(f"FAULT {fault}" for fault in found.faults),
    ]
    if not found.holds:
        return [*lines, f"NOT proved: {len(found.faults)} faults"]
    if found.head.of == ADMINISTRATION and found.audit.is_corrected:
        lines.append("the administration was corrected later")
    return [*lines, *_meaning(found)]


def _stream(stream: Stream, found: Finding) -> str:
    if found.head.of == ADMINISTRATION:
        return f"{stream.name}: {stream.events} of its leaves, among its leaves {stream.first} to {stream.last}"
    doses = stream.doses
    began = f"received {doses['received']}" + (f" + found {doses['found']}" if doses["found"] else "")
    ends = "".join(f" + {each} {doses[each]}" for each in _ENDS if doses[each])
    span = f"leaves {stream.first} to {stream.last}, none missing"
    return f"{stream.name}: {span}; {began} = left {doses['in'] - doses['out']}{ends}"


def _meaning(found: Finding) -> list[str]:
    at = found.head.note.checkpoint.at.isoformat()
    lines = [f"proved: these leaves stood in the log by {at}, exactly so, and contradict nothing in each other"]
    if found.head.of == LOG:
        lines.append("proved: these are all leaves of the log")
    elif found.head.of == ADMINISTRATION:
        lines.append("proved: the chain of custody is unbroken up to where its doses came from")
    else:
        lines.append("proved: of the batch, none is missing before the last one here")
    if found.head.of != LOG:
        lines.append("not proved: that nothing came behind it; only a file of the whole log shows that")
    return [*lines, "not proved: that what people recorded was true, or that they recorded all"]
