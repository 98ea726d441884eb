"""Fresh sessions: for what somebody who finds a browser left open must not do."""

from datetime import timedelta
from typing import TYPE_CHECKING

from accountsapp.domain.credentials import sessions
from accountsapp.security import session_cookie
from accountsapp.security.identity import Identity

if TYPE_CHECKING:
    from accountsapp.web.request import Request


def is_fresh(request: "Request") -> bool:
    """Whether a session proves the caller, and the password was entered in it lately
    (``accountsapp.keys.fresh``).
    """
    caller = request.policy.caller(request)
    if not isinstance(caller, Identity) or caller.kind != session_cookie.KIND or caller.secret is None:
        return False
    within = timedelta(seconds=request.app_settings.keys.fresh)
    return sessions.is_fresh(request.store.connection, caller.secret, within)
