"""``/auth/check``: a proxy asks whose credential a request has that it has received."""

from types import MappingProxyType
from typing import Any, NamedTuple

from pyramid.authorization import Allow, Authenticated
from pyramid.decorator import reify
from pyramid.httpexceptions import HTTPForbidden

from accountsapp.keys.check_question import Question, question_of
from accountsapp.security import csrf
from accountsapp.security.credentials import Basic, SessionCookie
from accountsapp.security.identity import Reason
from accountsapp.security.permissions import Permission
from accountsapp.security.policy import Refused
from accountsapp.security.proxied_credentials import ApiKeyOrToken, ProxiedApiKey, RequestedSession
from accountsapp.web.client_address import is_among, proxied_client
from accountsapp.web.request import Request
from accountsapp.web.resources import ApiRoot
from accountsapp.web.transactions import SAFE_METHODS

METHODS = ("HTTP_X_ORIGINAL_METHOD", "HTTP_X_FORWARDED_METHOD")
"""Where proxies say what the method of the request is."""


class CheckedColumns(NamedTuple):
    """What is said of an account, and what may be required of it."""

    name: str | None
    permissions: list[str]


def check_question(request: Request, context: "KeyCheck", permission: str | None) -> None:
    """The check's own query can be understood.

    :raises HTTPBadRequest: it cannot
    """
    context.question  # noqa: B018 reads it


def check_origin(request: Request, context: "KeyCheck", permission: str | None) -> None:
    """A request that the cookie decides comes from a page of ours, if it may change something.

    :raises HTTPForbidden: it comes from another page
    """
    environ = request.environ
    if request.caller.kind != SessionCookie.kind or "HTTP_ORIGIN" not in environ:
        return
    methods = [environ[name] for name in METHODS if environ.get(name)]
    changes_nothing = bool(methods) and all(method in SAFE_METHODS for method in methods)
    if not changes_nothing and not csrf.is_own_origin(request, environ["HTTP_ORIGIN"]):
        raise HTTPForbidden


def check_requirements(request: Request, context: "KeyCheck", permission: str | None) -> None:
    """The caller has what the proxy requires.

    :raises HTTPForbidden: ``result`` names the scope that is missing, if it is one
    """
    caller, question = request.caller, context.question
    missing = question.missing_scope(caller)
    if missing is not None:
        raise HTTPForbidden(result=Refused(Reason.SCOPE, missing))
    if not question.is_held_by(caller):
        raise HTTPForbidden


class KeyCheck(ApiRoot):
    """For those alone who may ask; for all others the path leads nowhere."""

    accepts = (ProxiedApiKey(), ApiKeyOrToken(), Basic(grants=None, writes=False), RequestedSession())
    columns = CheckedColumns
    own_checks = MappingProxyType(
        {"question": check_question, "origin": check_origin, "requirements": check_requirements}
    )
    checks = ("question", "credential", "scope", "acl", "key_rate", "csrf", "origin", "requirements")
    __acl__ = ((Allow, Authenticated, (Permission.CALLER_READ,)),)

    def __init__(self, request: Request, name: str, parent: Any) -> None:
        """
        :raises KeyError: the client may not ask
        """
        if not is_among(request.client_addr, request.app_settings.check_from):
            raise KeyError(name)
        super().__init__(request, name, parent)

    @staticmethod
    def counted_address(request: Request) -> str:
        """The proxy's client, who may be guessing."""
        return proxied_client(request.environ, request.client_addr)

    @reify
    def question(self) -> Question:
        """
        :raises HTTPBadRequest: the query cannot be understood
        """
        return question_of(self.request.parameters.query)
