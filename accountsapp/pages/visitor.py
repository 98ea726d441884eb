"""Who looks at a page: for its menu and its language, never for what somebody may."""

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from accountsapp.domain.credentials import sessions
from accountsapp.domain.data import reads
from accountsapp.domain.errors import Busy
from accountsapp.security import session_cookie
from accountsapp.security.identity import Identity

if TYPE_CHECKING:
    from accountsapp.web.request import Request

_VISITOR = "visitor"


class Visitor(NamedTuple):
    """Somebody who is signed in."""

    id: int
    username: str
    locale: str | None


class Language(NamedTuple):
    """The column that pages need besides."""

    locale: str | None


def visitor_of(request: "Request") -> Visitor | None:
    """Whose session the browser has, found out once a request; nobody while the database cannot tell."""
    known = request.__dict__  # not the environ, which a request that is tried again has too
    if _VISITOR not in known:
        try:
            known[_VISITOR] = _find(request)
        except (Busy, SQLAlchemyError):
            known[_VISITOR] = None
    visitor: Visitor | None = known[_VISITOR]
    return visitor


def _find(request: "Request") -> Visitor | None:
    values = session_cookie.values_in(request)
    if not values:
        return None
    connection, caller = request.store.connection, request.known_caller
    if isinstance(caller, Identity) and caller.kind == session_cookie.KIND and caller.account is not None:
        profile = caller.account.profile
        if not hasattr(profile, "locale"):
            profile = reads.profile(connection, caller.account.id, Language)
        return Visitor(caller.account.id, caller.account.username, profile.locale if profile else None)
    for value in values:
        session = sessions.find(connection, value, Language)
        if session is not None:
            return Visitor(session.account.id, session.account.username, session.account.profile.locale)
    return None


def ask_nobody(request: "Request") -> None:
    """Take it that nobody is signed in: the page says that something does not work, which may be this."""
    request.__dict__.setdefault(_VISITOR, None)
