"""The request class: everything a view, a resource or the policy asks a request for.

A class of our own, because ``add_request_method(reify=True)`` would build one for every request.
"""

import os
from typing import TYPE_CHECKING, Any

import transaction
from pyramid.decorator import reify
from pyramid.httpexceptions import HTTPBadRequest, HTTPForbidden
from pyramid.location import lineage
from pyramid.request import Request as PyramidRequest

from accountsapp.domain.store import Store
from accountsapp.web import jsonp
from accountsapp.web.bodies import FORMS, Body, Parameters, content_type_of, read_body, read_query
from accountsapp.web.client_address import client_address
from accountsapp.web.transactions import LARGEST_RETRIED, SAFE_METHODS

if TYPE_CHECKING:
    from accountsapp.db import Database
    from accountsapp.domain.data.reads import AccountRow
    from accountsapp.domain.throttle import Throttle
    from accountsapp.security.identity import Identity, Nobody
    from accountsapp.security.policy import SecurityPolicy
    from accountsapp.settings import Settings
    from accountsapp.web.resources import ApiRoot


class Request(PyramidRequest):
    """One request; what is expensive is made when it is first asked for.

    :ivar api: the nearest API root above the context, set by the traverser; None outside the APIs
    :ivar view_name: what the path says after the context, empty where the path could not be walked
    :ivar known_caller: who asks, once the policy knows; None where it has not looked
    """

    if TYPE_CHECKING:
        identity: Identity | None

    api: "ApiRoot | None" = None
    view_name: str = ""
    known_caller: "Identity | Nobody | None" = None
    tm = transaction.manager
    request_body_tempfile_limit = LARGEST_RETRIED
    """Up to here a body is kept in memory, not in a temporary file that nobody closes."""
    _store: Store | None = None

    @reify
    def id(self) -> str:
        """Names this request in the logs and in its answer (``X-Request-Id``)."""
        return os.urandom(8).hex()

    @property
    def is_unsafe(self) -> bool:
        """Whether it may write: only then is there a transaction, and only then are there retries."""
        return self.method not in SAFE_METHODS

    @property
    def app_settings(self) -> "Settings":
        return self.registry.app_settings

    @property
    def database(self) -> "Database":
        return self.registry.database

    @property
    def throttle(self) -> "Throttle":
        return self.registry.throttle

    @property
    def policy(self) -> "SecurityPolicy":
        return self.registry.policy

    @property
    def client_addr(self) -> str:
        """The client's address (:func:`client_address`)."""
        return client_address(self.environ)

    @property
    def store(self) -> Store:
        """The accounts, for this request: writes are committed with the request's transaction."""
        if self._store is None:
            columns = self.api.columns if self.api is not None else None
            self._store = self.registry.process.for_request(self.client_addr, columns)
            self._store.read_only = not self.is_unsafe
        return self._store

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
    def query_pairs(self) -> list[tuple[str, Any]]:
        """
        :raises HTTPBadRequest: the query string cannot be read
        """
        return read_query(self.environ.get("QUERY_STRING", ""))

    @reify
    def callback(self) -> str | None:
        """The JSONP callback that the query string names, if it is exactly one and a good one."""
        try:
            return jsonp.only_callback(jsonp.callbacks(self.query_pairs))
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

        :raises HTTPClientError: they cannot be read
        """
        if self.api is None or not self.is_unsafe:
            return Parameters(self.query_pairs, [])
        return Parameters(self.query_pairs, *read_body(self, self.body_rules))

    def close(self) -> None:
        """Give back the connection, if one was opened, and let go of the tree.

        Resources hold the request; a circle of them would keep its memory until the garbage collector comes,
        and the next request would have to work in other memory, which no cache of the processor has.
        """
        store, self._store = self._store, None
        if store is not None:
            store.close()
        for name in ("root", "virtual_root", "api"):
            self.__dict__.pop(name, None)
