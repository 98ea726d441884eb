"""The one security policy of the tree.

Two keys open a door: the credential must grant the permission (scopes) and the ACL must. The state of the
account is looked at here, once, so that no view can forget it.
"""

from collections.abc import Collection
from typing import Any

from pyramid.authorization import Allow, Authenticated, Everyone
from pyramid.location import lineage
from pyramid.security import Allowed, Denied

from accountsapp.domain.audit import Event
from accountsapp.security.identity import Identity, Nobody, Reason

ALLOWED = Allowed("by scope, ACL and state")


class Refused(Denied):
    """A denial that carries its reason, and what was asked for, for the API's error view."""

    def __new__(cls, reason: Reason, permission: str) -> "Refused":
        return super().__new__(cls, "%s", reason.value)

    def __init__(self, reason: Reason, permission: str) -> None:
        self.reason = reason
        self.permission = permission


class SecurityPolicy:
    """Asks the credential kinds that the nearest API root accepts, and that root alone."""

    def identity(self, request: Any) -> Identity | None:
        """The proved identity of the caller, else None."""
        identity: Identity | None = request.identity
        return identity

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
        if not acl_permits(context, (Everyone, Authenticated, *caller.principals), permission):
            return Refused(Reason.NOT_ALLOWED, permission)
        return ALLOWED if caller.is_active else Refused(Reason.INACTIVE, permission)

    def remember(self, request: Any, userid: str, **kw: Any) -> list[tuple[str, str]]:
        """No API of this application signs in by headers of the policy."""
        return []

    def forget(self, request: Any, **kw: Any) -> list[tuple[str, str]]:
        return []


def acl_permits(context: Any, principals: Collection[str], permission: str) -> bool:
    """Whether the ACLs from the context up to the root grant it: the first entry that fits decides.

    As Pyramid's ``ACLHelper``, without the account of its reasons, which costs more than the answer.

    :param context: in its lineage ``__acl__`` is a sequence, or makes one, of (Allow or Deny, principal,
        container of permissions)
    """
    for location in lineage(context):
        acl = getattr(location, "__acl__", ())
        for action, principal, permissions in acl() if callable(acl) else acl:
            if principal in principals and permission in permissions:
                return bool(action == Allow)
    return False


def _record(request: Any, caller: Identity, permission: str, reason: Reason) -> None:
    """Audit that somebody who was proved was refused."""
    target = getattr(request.context, "account", None)
    request.store.record_apart(
        Event.REFUSED,
        account_id=target.id if target is not None else None,
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
