"""Proofs that a fact is in the log, and that a later log begins with an earlier one."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, Invalid, NotFound
from inventory.domain.leaves import FactKind
from inventory.domain.merkle import consistency_proof, inclusion_proof
from inventory.persistence.database import Database
from inventory.persistence.tables import LogLeaf
from inventory.services.log import sequencer
from inventory.services.log.checkpoints import required
from inventory.services.log.tree import Tree


@dataclass(frozen=True)
class Inclusion:
    """A leaf, and the hashes that lead from it to the root of the checkpoint."""

    kind: FactKind
    fact: UUID
    version: int
    index: int
    leaf: str
    leaf_hash: bytes
    hashes: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True)
class Consistency:
    """The hashes that show that the log of `new` leaves begins with that of `old`."""

    old: int
    new: int
    hashes: tuple[bytes, ...]


def prove_inclusion(database: Database, fact: UUID, version: int) -> Inclusion:
    """Prove that a fact is in the log of the newest checkpoint; version 0 for a fact that has none.

    Raises:
        NotFound: `not_found` for what is no fact, or in no checkpoint yet.
    """
    with database.read() as session:
        checkpoint = required(session)
        leaf = session.scalars(
            select(LogLeaf).where(LogLeaf.fact_id == fact, LogLeaf.version == version, LogLeaf.number < checkpoint.size)
        ).one_or_none()
        if leaf is None:
            raise NotFound(Code.NOT_FOUND, "fact", fact, N_("a fact of before the newest checkpoint"))
        hashes = inclusion_proof(leaf.number, checkpoint.size, Tree(session).subtree)
        return Inclusion(leaf.kind, fact, version, leaf.number, leaf.content, leaf.hash, tuple(hashes), checkpoint.note)


def prove_consistency(database: Database, old: int, new: int) -> Consistency:
    """Prove that the log of `new` leaves begins with that of `old`.

    Raises:
        Invalid: `malformed` where these are not two sizes that the log has had.
    """
    with database.read() as session:
        return consistency(session, old, new)


def consistency(session: Session, old: int, new: int) -> Consistency:
    """The same in a session; see `prove_consistency`."""
    size = sequencer.size(session)
    if not 0 < old <= new <= size:
        expected = N_("two sizes from 1 to %(size)s, the smaller one first")
        raise Invalid(Code.MALFORMED, "from, to", f"{old}, {new}", expected, size=size)
    return Consistency(old, new, tuple(consistency_proof(old, new, Tree(session).subtree)))
