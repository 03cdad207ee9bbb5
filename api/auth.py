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

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            g.actor = _actor()
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


def _actor() -> Actor:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise Unauthenticated(Code.UNAUTHENTICATED, "Authorization", "not a token", N_("Bearer and a token"))
    return authenticate(database(), secret.strip())
