"""Who asks: a bearer token, and the roles that a route allows."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import g, request

from api.context import database
from inventory.domain.errors import N_, Code, Forbidden, Unauthenticated
from inventory.domain.words import Role
from inventory.services.access import Actor, authenticate

View = TypeVar("View", bound=Callable[..., Any])

READERS = (Role.ADMIN, Role.SUPERVISOR, Role.STAFF, Role.AUDITOR)
WRITERS = (Role.ADMIN, Role.SUPERVISOR, Role.STAFF)
ADMINS = (Role.ADMIN,)


def allow(*roles: Role) -> Callable[[View], View]:
    """Let only these roles use a view; a route without such a policy is a defect that a test finds."""
    return _allow(roles, _bearer)


def allow_browsers(*roles: Role) -> Callable[[View], View]:
    """Let these roles see a page: by a token as elsewhere, or as the password that a browser asks for by itself.

    Only for what changes nothing: a browser sends such a password along with every request, whoever caused it.
    """
    return _allow(roles, _password_or_bearer)


def _allow(roles: tuple[Role, ...], secret: Callable[[], str]) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            g.actor = authenticate(database(), secret())
            if g.actor.role not in roles:
                expected = N_("one of the roles %(roles)s")
                raise Forbidden(Code.FORBIDDEN, "role", g.actor.role, expected, roles=", ".join(roles))
            return view(*args, **kwargs)

        guarded.roles = roles  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def open_to_all(view: View) -> View:
    """Mark a view that needs no token."""
    view.roles = ()  # type: ignore[attr-defined]
    return view


def actor() -> Actor:
    """Who asks, once `allow` has let him in."""
    found: Actor = g.actor
    return found


def _bearer() -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise Unauthenticated(Code.UNAUTHENTICATED, "Authorization", "not a token", N_("Bearer and a token"))
    return secret.strip()


def _password_or_bearer() -> str:
    """The token; whatever name stands beside it, for a token says who its holder is."""
    given = request.authorization
    if given is not None and given.type == "basic" and given.password:
        return given.password
    return _bearer()
