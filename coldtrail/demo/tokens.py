"""The demonstration's tokens: their secrets lie in a file that only its owner can read."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from coldtrail.demo.county import CITY, COUNTY, County
from inventory.clock import Clock
from inventory.domain.errors import Conflict, Unauthenticated
from inventory.domain.words import Role
from inventory.persistence.database import Database
from inventory.services import access

ADMIN, AUDITOR, SITES, SUPERVISOR, GATEWAY = "admin", "auditor", "sites", "supervisor", "gateway"

Tokens = Mapping[str, str]
"""The secret of each holder."""


class TokenFile:
    """The secrets in a file, made where they are lacking or no longer valid."""

    def __init__(self, file: Path, database: Database, clock: Clock) -> None:
        self._file = file
        self._database = database
        self._clock = clock
        self._secrets: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    def admin(self) -> str:
        """The admin's secret, which is needed before there is any facility."""
        return self._secret(ADMIN, Role.ADMIN, ())

    def all(self, county: County) -> Tokens:
        """The secrets of all; the facilities have to be enrolled by now."""
        self._secret(ADMIN, Role.ADMIN, ())
        self._secret(AUDITOR, Role.AUDITOR, ())
        self._secret(GATEWAY, Role.GATEWAY, ())
        self._secret(CITY, Role.STAFF, [CITY])
        self._secret(COUNTY, Role.STAFF, [COUNTY])
        self._secret(SUPERVISOR, Role.SUPERVISOR, county.facilities)
        self._secret(SITES, Role.STAFF, [site.code for site in county.sites])
        return dict(self._secrets)

    def _secret(self, holder: str, role: Role, facilities: Sequence[str]) -> str:
        if not self._is_valid(holder):
            self._secrets[holder] = self._made(f"demo-{holder.lower()}", role, facilities)
            self._save()
        return self._secrets[holder]

    def _is_valid(self, holder: str) -> bool:
        try:
            access.authenticate(self._database, self._secrets.get(holder, ""))
        except Unauthenticated:
            return False
        return True

    def _made(self, name: str, role: Role, facilities: Sequence[str]) -> str:
        """A new token; an older one of the same name, whose secret is lost, ends."""
        now = self._clock()
        try:
            return access.create_token(self._database, name, role, facilities, now)
        except Conflict:
            access.revoke_token(self._database, name, now)
            return access.create_token(self._database, name, role, facilities, now)

    def _save(self) -> None:
        with os.fdopen(os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self._secrets, file, indent=1)
