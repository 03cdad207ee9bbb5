"""Who may write, and what was already written."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.words import Role
from inventory.persistence.columns import Base, Key, Name, word


class Token(Base):
    """An actor: a bearer token, of which only the SHA-256 is kept."""

    __tablename__ = "token"
    __table_args__ = (
        Index(
            "uq_token_living_name",
            "name",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )
    id: Mapped[Key]
    name: Mapped[Name]
    role: Mapped[Role] = mapped_column(word(Role))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class TokenFacility(Base):
    """A facility that a token of staff or of a supervisor may write for."""

    __tablename__ = "token_facility"
    token_id: Mapped[UUID] = mapped_column(ForeignKey("token.id"), primary_key=True)
    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facility.id"), primary_key=True)


class IdempotencyKey(Base):
    """A ledger request that was carried out: its key, what it asked and what was answered."""

    __tablename__ = "idempotency_key"
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("token.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[dict[str, Any]] = mapped_column(JSON)
    recorded_at: Mapped[datetime]
