"""The one security policy of the tree.

Two keys open a door: the credential must grant the permission (scopes) and the ACL must. The state of the
account is looked at here, once, so that no view can forget it.
"""

from typing import Any

from pyramid.authorization import ACLHelper, Authenticated, Everyone
from pyramid.security import Allowed, Denied

from accountsapp.domain.audit import Event
from accountsapp.security.identity import Identity, Nobody, Reason


class Refused(Denied):
    """A denial that carries its reason, and what was asked for, for the API's error view."""

    def __new__(cls, reason: Reason, permission: str) -> "Refused":
        return super().__new__(cls, "%s", reason.value)

    def __init__(self, reason: Reason, permission: str) -> None:
        self.reason = reason
        self.permission = permission


class SecurityPolicy:
    """Asks the credential kinds that the nearest API root accepts, and that root alone."""

    def __init__(self) -> None:
        self._acl = ACLHelper()

    def identity(self, request: Any) -> Identity | None:
        """The proved identity of the caller, else None."""
        caller = request.caller
        return caller if isinstance(caller, Identity) else None

    def authenticated_userid(self, request: Any) -> str | None:
        identity = self.identity(request)
        return str(identity.account_id) if identity else None

    def permits(self, request: Any, context: Any, permission: str) -> Allowed | Denied:
        caller = request.caller
        if isinstance(caller, Nobody):
            return Refused(caller.reason, permission)
        allowed = self._permits(caller, context, permission)
        if isinstance(allowed, Refused):
            _record(request, caller, permission, allowed.reason)
        return allowed

    def _permits(self, caller: Identity, context: Any, permission: str) -> Allowed | Denied:
        if caller.scopes is not None and permission not in caller.scopes:
            return Refused(Reason.SCOPE, permission)
        principals = [Everyone, Authenticated, *caller.principals]
        allowed = self._acl.permits(context, principals, permission)
        if not allowed:
            return Refused(Reason.NOT_ALLOWED, permission)
        return allowed if caller.is_active else Refused(Reason.INACTIVE, permission)

    def remember(self, request: Any, userid: str, **kw: Any) -> list[tuple[str, str]]:
        """No API of this application signs in by headers of the policy."""
        return []

    def forget(self, request: Any, **kw: Any) -> list[tuple[str, str]]:
        return []


def _record(request: Any, caller: Identity, permission: str, reason: Reason) -> None:
    """Audit that somebody who was proved was refused."""
    target = getattr(request.context, "account", None)
    request.store.record_apart(
        Event.REFUSED,
        account_id=target.id if target is not None else None,
        actor_id=caller.account_id,
        permission=permission,
        reason=reason.value,
        credential=caller.kind,
    )


def caller_of(request: Any) -> Identity | Nobody:
    """Who asks, by the first credential presented of those the nearest API root accepts."""
    api = getattr(request, "api", None)
    for credential in api.accepts if api is not None else ():
        found = credential.identify(request)
        if found is not None:
            return found
    return Nobody(Reason.NO_CREDENTIAL)
