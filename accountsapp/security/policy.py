"""The one security policy of the tree.

Two keys open a door: the credential must grant the permission (scopes) and the ACL must. A credential that is
bad opens none, not even one that is open to everybody. The state of the account is looked at here, once, so
that no view can forget it.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from pyramid.authorization import Allow, Authenticated, Everyone
from pyramid.location import lineage
from pyramid.security import Allowed, Denied

from accountsapp.domain.data.proofs import Actor
from accountsapp.security.identity import ANONYMOUS, Identity, Nobody, Reason
from accountsapp.security.permissions import OF_EVERY_CREDENTIAL

if TYPE_CHECKING:
    from accountsapp.web.request import Request

ALLOWED = Allowed("by scope, ACL and state")


class Refused(Denied):
    """A denial that carries its reason, and what was asked for, for the API's error view."""

    def __new__(cls, reason: Reason, permission: str) -> "Refused":
        return super().__new__(cls, "%s", reason)

    def __init__(self, reason: Reason, permission: str) -> None:
        self.reason = reason
        self.permission = permission


class SecurityPolicy:
    """Asks the credential kinds that the nearest API root accepts, and that root alone."""

    def caller(self, request: "Request") -> Identity | Nobody:
        """Who asks, found out once a request; an account that was proved is the store's actor.

        What proved it counts from when a door is opened with it: an open one it may pass either way.
        """
        caller = request.known_caller
        if caller is None:
            caller = request.known_caller = _identify(request)
            if isinstance(caller, Identity) and caller.account_id is not None:
                request.store.actor = Actor(caller.account_id)
        return caller

    def identity(self, request: "Request") -> Identity | None:
        """The proved identity of the caller, else None."""
        caller = self.caller(request)
        return caller if isinstance(caller, Identity) else None

    def authenticated_userid(self, request: "Request") -> str | None:
        identity = self.identity(request)
        return str(identity.account_id) if identity else None

    def permits(self, request: "Request", context: Any, permission: str) -> Allowed | Denied:
        refused = self.refused_by_credential(request, context, permission)
        if refused is None:
            refused = self.refused_by_scope(request, permission)
        if refused is None:
            refused = self.refused_by_acl(request, context, permission)
        return ALLOWED if refused is None else refused

    def refused_by_credential(self, request: "Request", context: Any, permission: str) -> Refused | None:
        """Because the credential is bad, or there is none where not everybody may."""
        caller = self.caller(request)
        if isinstance(caller, Identity):
            return None
        if caller.reason is Reason.NO_CREDENTIAL and acl_permits(context, (Everyone,), permission):
            return None
        return Refused(caller.reason, permission)

    def refused_by_scope(self, request: "Request", permission: str) -> Refused | None:
        """Because the credential does not grant the permission."""
        caller = self.caller(request)
        if isinstance(caller, Nobody) or caller.scopes is None or permission in caller.scopes:
            return None
        if permission in OF_EVERY_CREDENTIAL:
            return None
        return _refuse(request, caller, Reason.SCOPE, permission)

    def refused_by_acl(self, request: "Request", context: Any, permission: str) -> Refused | None:
        """Because the account may not, or is not active."""
        caller = self.caller(request)
        if isinstance(caller, Nobody):
            return None
        is_active, actor, principals = caller.is_active, caller.actor, caller.principals
        if not acl_permits(context, (Everyone, Authenticated, *principals), permission):
            return _refuse(request, caller, Reason.NOT_ALLOWED, permission)
        if not is_active:
            return _refuse(request, caller, Reason.INACTIVE, permission)
        request.store.actor = actor
        return None

    def grants(self, request: "Request", context: Any, permission: str) -> bool:
        """Whether the caller may, for an answer that says more to some than to others.

        Nothing is recorded.
        """
        caller = self.caller(request)
        if isinstance(caller, Nobody):
            return acl_permits(context, (Everyone,), permission)
        if caller.scopes is not None and permission not in caller.scopes:
            return False
        return caller.is_active and acl_permits(
            context, (Everyone, Authenticated, *caller.principals), permission
        )

    def remember(self, request: "Request", userid: str, **kw: Any) -> list[tuple[str, str]]:
        """No API of this application signs in by headers of the policy."""
        return []

    def forget(self, request: "Request", **kw: Any) -> list[tuple[str, str]]:
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


def _identify(request: "Request") -> Identity | Nobody:
    """By the first credential presented of those the nearest API root accepts."""
    for credential in request.api.accepts if request.api is not None else ():
        caller = credential.identify(request)
        if caller is not None:
            return caller
    return ANONYMOUS


def _refuse(request: "Request", caller: Identity, reason: Reason, permission: str) -> Refused:
    """Audit that somebody who was proved is refused."""
    target = getattr(request.context, "account", None)
    request.store.record_refused(
        account_id=target.id if target is not None else None,
        permission=permission,
        reason=reason.value,
        credential=caller.kind,
    )
    return Refused(reason, permission)
