"""The request class: everything a view, a resource or the policy asks a request for.

A class of our own, because ``add_request_method(reify=True)`` would build one for every request.
"""

from collections import deque
from collections.abc import Callable, Collection
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import transaction
from pyramid.decorator import reify
from pyramid.httpexceptions import HTTPBadRequest, HTTPForbidden
from pyramid.location import lineage
from pyramid.request import Request as PyramidRequest

from accountsapp import i18n
from accountsapp.domain.store import Store
from accountsapp.web import jsonp
from accountsapp.web.bodies import FORMS, Body, Parameters, content_type_of
from accountsapp.web.transactions import is_unsafe

if TYPE_CHECKING:
    from accountsapp.db.database import Database
    from accountsapp.domain.data.reads import AccountRow
    from accountsapp.domain.throttle import RequestLimits
    from accountsapp.security.identity import Identity, Nobody
    from accountsapp.security.policy import SecurityPolicy
    from accountsapp.settings import Settings
    from accountsapp.web.resources import ApiRoot

LIMITS = "accountsapp.limits"
"""In the environ: what the request counts by, once it has come to that."""

Callback = Callable[..., Any]
"""Called with the request, and with the response where there is one."""


class Request(PyramidRequest):
    """One request; what is expensive is made when it is first asked for.

    :ivar id: names this request in the logs and in its answer (``X-Request-Id``); given at the front door
    :ivar client_addr: the client's address; a proxy's word for it counts where the server trusts the proxy
    :ivar api: the nearest API root above the context, set by the traverser; None outside the APIs
    :ivar view_name: what the path says after the context, empty where the path could not be walked
    :ivar known_caller: who asks, once the policy knows; None where it has not looked
    """

    if TYPE_CHECKING:
        app_settings: Settings
        database: Database
        policy: SecurityPolicy
    else:
        app_settings = property(attrgetter("registry.app_settings"))
        database = property(attrgetter("registry.database"))
        policy = property(attrgetter("registry.policy"))

    id: str = ""
    client_addr: str = ""
    api: "ApiRoot | None" = None
    view_name: str = ""
    known_caller: "Identity | Nobody | None" = None
    tm = transaction.manager
    response_callbacks: Collection[Callback] = ()
    finished_callbacks: Collection[Callback] = ()
    """Few requests have any; Pyramid's own class makes a deque of each for all."""

    def add_response_callback(self, callback: Callback) -> None:
        self.response_callbacks = deque([*self.response_callbacks, callback])

    def add_finished_callback(self, callback: Callback) -> None:
        self.finished_callbacks = deque([*self.finished_callbacks, callback])

    @reify
    def store(self) -> Store:
        """The accounts, for this request: what it writes is committed with its transaction."""
        columns = self.api.columns if self.api is not None else None
        store: Store = self.registry.process.for_request(
            self.client_addr,
            columns,
            read_only=not is_unsafe(self),
            throttle=self._limits,
        )
        if self.api is not None and self.api.code_pages is not None:
            store.code_pages = self.api.code_pages(self.app_settings)
        if self.api is not None and self.api.counted_address is not None:
            store.counted_address = self.api.counted_address(self)
        if not store.read_only:
            store.language = self.accepted_language
        return store

    @property
    def accepted_language(self) -> str | None:
        """Of the locales that the operator offers, the one that the client wants most."""
        languages = self.environ.get("HTTP_ACCEPT_LANGUAGE", "")
        return i18n.accepted(languages, self.app_settings.locales) if languages else None

    @property
    def _limits(self) -> "RequestLimits":
        """What the request counts by, in all of its tries."""
        limits: RequestLimits | None = self.environ.get(LIMITS)
        if limits is None:
            limits = self.environ[LIMITS] = self.registry.throttle.of_request()
        return limits

    @property
    def identity(self) -> "Identity | None":
        """Who asks, by the policy; Pyramid's own looks that up in the registry each time."""
        return self.policy.identity(self)

    @property
    def caller(self) -> "Identity":
        """Who asks, for views that are not open.

        :raises HTTPForbidden: nobody was proved
        """
        identity = self.identity
        if identity is None:
            raise HTTPForbidden
        return identity

    @property
    def actor(self) -> "AccountRow":
        """The account that asks, for views that only an account reaches.

        :raises HTTPForbidden: none was proved
        """
        account = self.caller.account
        if account is None:
            raise HTTPForbidden
        return account

    @reify
    def callback(self) -> str | None:
        """The JSONP callback that the query string names, if it is exactly one and a good one."""
        try:
            return jsonp.only_callback(jsonp.callbacks(self.parameters.query))
        except HTTPBadRequest:
            return None

    @property
    def body_rules(self) -> Body:
        """What the body may be, as the nearest resource says."""
        for resource in lineage(self.context):
            rules: Body | None = getattr(resource, "body", None)
            if rules is not None:
                return rules
        return Body()

    @property
    def has_form(self) -> bool:
        """Whether the body is a form, whose values are all text."""
        return (content_type_of(self)[0] or self.body_rules.untyped) in FORMS

    @reify
    def parameters(self) -> Parameters:
        """The parameters of the query and, on unsafe methods, of the body, by the rules of the API.

        What cannot be read is an ``HTTPClientError`` when it is first asked for.
        """
        return Parameters(self)

    def close(self) -> None:
        """Give back the connection, if one was opened, let go of the tree and of where an error was raised.

        Resources and tracebacks hold the request; a circle of them would keep its memory until the garbage
        collector comes, and the next request would have to work in other memory, which no cache of the
        processor has.
        """
        attributes = self.__dict__
        store = attributes.pop("store", None)
        if store is not None:
            store.close()
        for name in ("parameters", "root", "virtual_root", "api", "exc_info"):
            attributes.pop(name, None)
        error = attributes.get("exception")
        if error is not None:
            error.__traceback__ = None
