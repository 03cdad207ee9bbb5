"""The log: a Merkle tree over what was recorded, in the order in which it was found committed.

Nothing here is updated or deleted but the one row of `log_state`, which whoever appends holds meanwhile.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.leaves import FactKind
from inventory.persistence.columns import Base, Small, word


class LogLeaf(Base):
    """A fact in the log; `number` counts from 0, `stream_number` within its batch or sensor from 1.

    `content` are the bytes that `hash` was made of, so that whoever finds a difference can say which.
    """

    __tablename__ = "log_leaf"
    __table_args__ = (UniqueConstraint("fact_id", "version"), UniqueConstraint("stream_id", "stream_number"))
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[FactKind] = mapped_column(word(FactKind))
    fact_id: Mapped[UUID]
    version: Mapped[Small]
    stream_id: Mapped[UUID]
    stream_number: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[str] = mapped_column(Text)


class LogNode(Base):
    """The hash of a full subtree of 2^level leaves, for each eighth level: 256 hashes below make one above."""

    __tablename__ = "log_node"
    level: Mapped[Small] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class LogCheckpoint(Base):
    """What was signed of the log at an instant: the note with its signature, and what stands in it."""

    __tablename__ = "log_checkpoint"
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(LargeBinary)
    signed_at: Mapped[datetime]
    note: Mapped[str] = mapped_column(Text)


class LogState(Base):
    """How many leaves there are, and how many the newest checkpoint was signed for, 0 before the first.

    One row, held by who appends or signs, so that there is one at a time.
    """

    __tablename__ = "log_state"
    id: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int]
    signed: Mapped[int] = mapped_column(BigInteger)
