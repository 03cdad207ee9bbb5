"""`coldtrail keys`: the key that signs the log, and its public half for auditors."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from inventory.domain.checkpoints import BadNote, Note, VerifierKey
from inventory.services.log import keys
from inventory.services.log.keys import SigningKey

_OTHERS = 0o077
"""The bits of a file's mode that let others than its owner at it."""


def signing_key(file: Path) -> SigningKey:
    """The key in a file that only its owner may read.

    Raises:
        click.ClickException: it is no such file.
    """
    try:
        if file.stat().st_mode & _OTHERS:
            raise click.ClickException(f"{file} can be read by others; `chmod 600` it, or make a new key")
        return keys.read(file.read_text(encoding="utf-8"))
    except (OSError, BadNote, UnicodeDecodeError) as error:
        raise click.ClickException(f"no key in {file}: {_said(error)}") from error


def _said(error: Exception) -> str:
    return str(error.strerror) if isinstance(error, OSError) else str(error)


def verifier_keys(given: Sequence[str]) -> list[VerifierKey]:
    """Public keys, each as text or as the name of a file that has one in each line.

    Raises:
        click.ClickException: one is none.
    """
    found = []
    for each in given:
        try:
            lines = Path(each).read_text(encoding="utf-8").split("\n") if Path(each).is_file() else [each]
            found += [VerifierKey.parse(line) for line in lines if line.strip()]
        except (BadNote, OSError, UnicodeDecodeError) as error:
            raise click.ClickException(f"{each} is no public key of a log: {_said(error)}") from error
    return found


def held_notes(files: Sequence[Path]) -> list[Note]:
    """Checkpoints that were kept in files.

    Raises:
        click.ClickException: one is none.
    """
    try:
        return [Note.parse(each.read_text(encoding="utf-8")) for each in files]
    except (BadNote, OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"no checkpoint: {_said(error)}") from error


def make_key(file: Path, name: str) -> SigningKey:
    """A key in a new file that only its owner may read.

    Raises:
        click.ClickException: the name is none of a log, or the file is there already.
    """
    try:
        key = keys.generate(name)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except BadNote as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"no new file {file}: {error.strerror}") from error
    with os.fdopen(handle, "w", encoding="utf-8") as kept:
        kept.write(key.text() + "\n")
    return key


@click.group("keys")
def keys_group() -> None:
    """Make the key that signs the log, and show its public half."""


@keys_group.command("generate")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="of the log, such as coldtrail.example.org/county")
def generate_command(file: Path, name: str) -> None:
    """Make a key in a new file that only its owner may read, and print its public half.

    Example: coldtrail keys generate /srv/coldtrail/log.key --name coldtrail.example.org/county
    """
    click.echo(str(make_key(file, name).verifier))


@keys_group.command("show")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def show_command(file: Path) -> None:
    """Print the public half of a key, which auditors are given by another way than the checkpoints.

    Example: coldtrail keys show /srv/coldtrail/log.key
    """
    click.echo(str(signing_key(file).verifier))
