"""What a proxy asks of a caller: the check's own query, and what a caller lacks of it."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from pyramid.httpexceptions import HTTPBadRequest

from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.rules import app_permissions
from accountsapp.domain.rules.key_scopes import SCOPES
from accountsapp.security.identity import Identity
from accountsapp.security.permissions import Permission
from accountsapp.security.principals import holders

ON = "1"


class Question(NamedTuple):
    """The requirements, which must all hold.

    :ivar scopes: what the credential must grant, and the account may
    :ivar permissions: what the account must have, ``app:action``
    :ivar administrator: whether it must be an administrator, and the credential grant that
    """

    scopes: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    administrator: bool = False

    def missing_scope(self, caller: Identity) -> str | None:
        """The first scope that is needed and that the caller has not; None where none is missing."""
        needs_power = self.administrator and caller.is_admin
        needed = (*self.scopes, Permission.ADMINISTER) if needs_power else self.scopes
        effective = effective_scopes(caller)
        return next((scope for scope in needed if scope not in effective), None)

    def is_held_by(self, caller: Identity) -> bool:
        """Whether the account has what is needed of it, whatever its credential grants."""
        if self.administrator and not caller.is_admin:
            return False
        return all(set(holders(permission)) & set(caller.principals) for permission in self.permissions)


def question_of(query: Iterable[tuple[str, str]]) -> Question:
    """What a query asks for.

    :raises HTTPBadRequest: an unknown parameter, a value that is none: a typing error lets nobody in
    """
    scopes: list[str] = []
    permissions: list[str] = []
    switches = set()
    for name, value in query:
        match name:
            case "scope":
                scopes += _scopes(value)
            case "permission":
                permissions.append(_permission(value))
            case "session" | "admin" if value == ON:
                switches.add(name)
            case "session" | "admin":
                raise HTTPBadRequest(f"{name} can only be {ON}.")
            case _:
                raise HTTPBadRequest("The check has no such parameter.")
    return Question(tuple(scopes), tuple(permissions), "admin" in switches)


def effective_scopes(caller: Identity) -> tuple[str, ...]:
    """The scopes that the credential grants and the account may use, in their one order."""
    return _effective(caller.scopes, caller.is_admin)


@lru_cache(maxsize=256)
def _effective(granted: frozenset[str] | None, is_admin: bool) -> tuple[str, ...]:
    return tuple(
        scope
        for scope in SCOPES
        if (granted is None or scope in granted) and (is_admin or scope != Permission.ADMINISTER)
    )


def _scopes(value: str) -> Iterator[str]:
    for scope in value.split(" "):
        if scope not in SCOPES:
            raise HTTPBadRequest("scope is empty or unknown.")
        yield scope


def _permission(value: str) -> str:
    try:
        return app_permissions.check(value)
    except InvalidValue:
        raise HTTPBadRequest("permission must be of the form app:action.") from None
