"""Who asks: bearer tokens, random, of which only a digest is stored; and what each role may do."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from inventory.domain.words import Role
from inventory.persistence.database import Database
from inventory.persistence.prepared import Prepared
from inventory.persistence.tables import Facility, Token, TokenFacility
from inventory.services.ids import new_id

PREFIX = "ct_"
LONGEST_NAME = 200
BOUND = frozenset({Role.STAFF, Role.SUPERVISOR})
"""The roles that write for facilities of theirs only."""


@dataclass(frozen=True)
class Actor:
    """The holder of a token: its id, name, role and, for staff and supervisors, the facilities it may write for."""

    id: UUID
    name: str
    role: Role
    facility_ids: frozenset[UUID]

    def may_write_for(self, facility: Facility) -> None:
        """Refuse to write for a facility that is not the actor's; an admin writes for all.

        Raises:
            Forbidden: `not_your_facility`.
        """
        if self.role is Role.ADMIN or (self.role in BOUND and facility.id in self.facility_ids):
            return
        raise Forbidden(Code.NOT_YOUR_FACILITY, "facility", facility.code, N_("a facility of yours"))


@dataclass(frozen=True)
class TokenInfo:
    """What may be shown of a token."""

    id: UUID
    name: str
    role: Role
    facilities: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None


def create_token(database: Database, name: str, role: Role, facilities: Sequence[str], now: datetime) -> str:
    """A new token's secret, which is shown this once.

    Raises:
        Invalid: `malformed` for a name that is none, or when staff or supervisors have no facility, or others have one.
        NotFound: `not_found` for a facility that is not known.
        Conflict: `already_exists` when a living token has the name.
    """
    if not (1 <= len(name) <= LONGEST_NAME and name.isprintable()):
        raise Invalid(Code.MALFORMED, "name", name[:LONGEST_NAME], N_("1 to 200 printable characters"))
    if (role in BOUND) != bool(facilities):
        expected = N_("facilities for staff and supervisors, none for others")
        raise Invalid(Code.MALFORMED, "facilities", ", ".join(facilities), expected)
    secret = PREFIX + secrets.token_urlsafe(32)

    def work(session: Session) -> str:
        if session.scalar(select(Token.id).where(Token.name == name, Token.revoked_at.is_(None))):
            raise Conflict(Code.ALREADY_EXISTS, "name", name, N_("a name that no living token has"))
        token = Token(id=new_id(), name=name, role=role, digest=_digest(secret), created_at=now)
        session.add(token)
        session.flush()
        for code in facilities:
            session.add(TokenFacility(token_id=token.id, facility_id=_facility_id(session, code)))
        return secret

    return database.write(work)


def list_tokens(database: Database) -> list[TokenInfo]:
    """Every token, oldest first, without its secret."""
    with database.read() as session:
        return [
            TokenInfo(
                token.id,
                token.name,
                token.role,
                _facility_codes(session, token.id),
                token.created_at,
                token.revoked_at,
            )
            for token in session.scalars(select(Token).order_by(Token.created_at, Token.id))
        ]


def revoke_token(database: Database, name: str, now: datetime) -> None:
    """End a token by its name.

    Raises:
        NotFound: `not_found` when no living token has the name.
    """

    def work(session: Session) -> None:
        token = session.scalar(select(Token).where(Token.name == name, Token.revoked_at.is_(None)))
        if token is None:
            raise NotFound(Code.NOT_FOUND, "name", name, N_("the name of a living token"))
        token.revoked_at = now

    database.write(work)


_HOLDER = Prepared(
    select(Token.id, Token.name, Token.role, TokenFacility.facility_id)
    .outerjoin(TokenFacility, TokenFacility.token_id == Token.id)
    .where(Token.digest == bindparam("digest"), Token.revoked_at.is_(None))
)


def authenticate(database: Database, secret: str) -> Actor:
    """The actor whose token this is.

    Raises:
        Unauthenticated: `unauthenticated` when it is nobody's, or revoked.
    """
    rows = database.ask(_HOLDER, digest=_digest(secret))
    if not rows:
        raise Unauthenticated(
            Code.UNAUTHENTICATED, "Authorization", "a token", N_("a token that is known and not revoked")
        )
    first = rows[0]
    return Actor(first.id, first.name, first.role, frozenset(row.facility_id for row in rows if row.facility_id))


def _digest(secret: str) -> str:
    """SHA-256 is enough for 256 random bits; a slow hash protects only what people choose."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _facility_id(session: Session, code: str) -> UUID:
    found = session.scalar(select(Facility.id).where(Facility.code == code))
    if found is None:
        raise NotFound(Code.NOT_FOUND, "facilities", code, N_("the code of a facility"))
    return found


def _facility_codes(session: Session, token_id: UUID) -> tuple[str, ...]:
    query = (
        select(Facility.code)
        .join(TokenFacility, TokenFacility.facility_id == Facility.id)
        .where(TokenFacility.token_id == token_id)
        .order_by(Facility.code)
    )
    return tuple(session.scalars(query))
