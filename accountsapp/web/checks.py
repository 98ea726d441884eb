"""What a request must pass before its view: the API names the checks in its own order (``ApiRoot.checks``).

One view deriver runs them for every view, open ones too; it stands in the place of Pyramid's
``secured_view``, which knows one order. Each check returns, or raises what the error view of the API answers.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pyramid.httpexceptions import HTTPBadRequest, HTTPForbidden
from pyramid.interfaces import IDefaultPermission
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.viewderivers import INGRESS

from accountsapp.domain.errors import PasswordNeeded
from accountsapp.security import csrf
from accountsapp.security.credentials import SessionCookie
from accountsapp.security.freshness import is_fresh
from accountsapp.security.identity import Identity
from accountsapp.security.permissions import Permission
from accountsapp.security.policy import Refused
from accountsapp.web import jsonp
from accountsapp.web.transactions import is_unsafe

if TYPE_CHECKING:
    from pyramid.config import Configurator

    from accountsapp.web.request import Request

Check = Callable[["Request", Any, str | None], None]
"""Of a request, its context and the permission that the view names; None for an open view."""


class Forbidden(HTTPForbidden):
    """The caller may not; an error view answers.

    Not the response that Pyramid's own is besides: nobody sends that, and making it takes 7 µs.
    """

    def __init__(self, refused: Refused) -> None:
        Exception.__init__(self)
        self.result = refused
        self.detail = None


def check_callback(request: "Request", context: Any, permission: str | None) -> None:
    """A callback that was given can be called.

    :raises HTTPBadRequest: it cannot, there is more than one, or the query string cannot be read
    """
    if request.callback is None and jsonp.callbacks(request.parameters.query):
        raise HTTPBadRequest("Invalid callback.")


def check_credential(request: "Request", context: Any, permission: str | None) -> None:
    """A credential is good, and there is one where not everybody may.

    :raises Forbidden: ``result`` says why
    """
    if permission is not None:
        refused = request.policy.refused_by_credential(request, context, permission)
        if refused is not None:
            raise Forbidden(refused)


def check_scope(request: "Request", context: Any, permission: str | None) -> None:
    """The credential grants the permission.

    :raises HTTPForbidden: it does not
    """
    if permission is not None:
        refused = request.policy.refused_by_scope(request, permission)
        if refused is not None:
            raise Forbidden(refused)


def check_acl(request: "Request", context: Any, permission: str | None) -> None:
    """The account may, and is active.

    :raises HTTPForbidden: it may not
    """
    if permission is not None:
        refused = request.policy.refused_by_acl(request, context, permission)
        if refused is not None:
            raise Forbidden(refused)


def check_policy(request: "Request", context: Any, permission: str | None) -> None:
    """Credential, scope and ACL at once, where nothing is checked between them.

    :raises Forbidden: ``result`` says why
    """
    if permission is not None:
        refused = request.policy.permits(request, context, permission)
        if isinstance(refused, Refused):
            raise Forbidden(refused)


def check_key_rate(request: "Request", context: Any, permission: str | None) -> None:
    """The API key that proved the caller is not used too often; ending it is never too often.

    :raises TooManyAttempts: it is
    """
    if permission is None or permission == Permission.KEY_END or not request.store.throttle.limits_keys:
        return
    caller = request.identity
    if caller is not None and caller.key is not None:
        request.store.count_key(caller.secret or "")


def check_key_policy(request: "Request", context: Any, permission: str | None) -> None:
    """Credential, ACL, rate and scope at once.

    :raises Forbidden: ``result`` says why
    :raises TooManyAttempts: the API key is used too often
    """
    if permission is None:
        return
    policy = request.policy
    refused = policy.refused_by_credential(request, context, permission)
    if refused is None:
        refused = policy.refused_by_acl(request, context, permission)
    if refused is None:
        check_key_rate(request, context, permission)
        refused = policy.refused_by_scope(request, permission)
    if refused is not None:
        raise Forbidden(refused)


def check_csrf(request: "Request", context: Any, permission: str | None) -> None:
    """An unsafe request that a cookie could stand behind comes from a page of ours.

    The token may be in a form where the API reads that first; otherwise, and beside JSON, it is in the header
    alone.

    :raises HTTPBadRequest: it has no token or another session's, or is sent by a foreign page
    """
    if is_unsafe(request) and request.api is not None and accepts_cookie(request.api.accepts):
        caller = request.policy.caller(request)
        if not isinstance(caller, Identity) or caller.kind == SessionCookie.kind:
            before = request.api.checks[: request.api.checks.index("csrf")]
            csrf.check(request, in_body="body" in before and request.has_form)


def check_query(request: "Request", context: Any, permission: str | None) -> None:
    """The query string can be read.

    :raises HTTPBadRequest: it cannot
    """
    request.parameters.query  # noqa: B018 reads it


def check_body(request: "Request", context: Any, permission: str | None) -> None:
    """The body can be read, by the rules of the nearest resource.

    :raises HTTPClientError: it cannot
    """
    if not request.body_rules.deferred:
        request.parameters.body  # noqa: B018 reads it


def check_fresh(request: "Request", context: Any, permission: str | None) -> None:
    """The password was entered lately in the session that asks, where the place needs that.

    :raises PasswordNeeded: it was not
    """
    if context.needs_fresh_session and not is_fresh(request):
        raise PasswordNeeded


CHECKS: dict[str, Check] = {
    "callback": check_callback,
    "credential": check_credential,
    "csrf": check_csrf,
    "key_rate": check_key_rate,
    "query": check_query,
    "scope": check_scope,
    "body": check_body,
    "acl": check_acl,
    "fresh": check_fresh,
}


NO_CHECKS: Mapping[str, Check] = MappingProxyType({})


def accepts_cookie(credentials: Iterable[Any]) -> bool:
    """Whether a browser sends one of these kinds by itself, also from a page of somebody else."""
    return any(isinstance(credential, SessionCookie) for credential in credentials)


def steps_of(
    checks: tuple[str, ...], credentials: Iterable[Any], own: Mapping[str, Check] = NO_CHECKS
) -> tuple[Check, ...]:
    """The checks that an API names, in its order.

    :param own: what no other API checks
    :raises TypeError: an unknown name, one twice, no ``acl``, or no ``csrf`` although a cookie counts; an own
        check has the name of a common one
    """
    if taken := own.keys() & CHECKS.keys():
        raise TypeError(f"own checks: {', '.join(sorted(taken))} is taken")
    known = {**CHECKS, **own}
    unknown = set(checks) - known.keys()
    if unknown or len(set(checks)) != len(checks):
        raise TypeError(f"checks: {', '.join(sorted(unknown)) or 'a name twice'}")
    needed = {"acl", "csrf"} if accepts_cookie(credentials) else {"acl"}
    if not needed <= set(checks):
        raise TypeError(f"checks: {', '.join(sorted(needed - set(checks)))} is missing")
    functions = tuple(known[name] for name in checks)
    acl = checks.index("acl")
    before = checks[:acl]
    if checks[acl - 1 : acl + 3] == ("credential", "acl", "key_rate", "scope"):
        return (*functions[: acl - 1], check_key_policy, *functions[acl + 3 :])
    if before[-2:] == ("credential", "scope"):
        return (*functions[: acl - 2], check_policy, *functions[acl + 1 :])
    if {"credential", "scope"} <= set(before):
        return functions
    return (*functions[:acl], check_policy, *functions[acl + 1 :])


OUTSIDE = (check_policy,)
"""Where no API is."""


def checked_view(view: Any, info: Any) -> Any:
    """View deriver. A view that names no permission has the default one, which nobody has."""
    if info.exception_only:
        return view
    permission = info.options.get("permission") or info.registry.queryUtility(IDefaultPermission)
    if permission == NO_PERMISSION_REQUIRED:
        permission = None
    without_csrf = info.options.get("require_csrf") is False

    def checked(context: Any, request: "Request") -> Any:
        for check in request.api.steps if request.api is not None else OUTSIDE:
            if check is not check_csrf or not without_csrf:
                check(request, context, permission)
        return view(context, request)

    return checked


def includeme(config: "Configurator") -> None:
    config.add_view_deriver(checked_view, name="secured_view", under=INGRESS, over="owrapped_view")
