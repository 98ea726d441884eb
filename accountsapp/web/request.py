"""The request class: everything a view, a resource or the policy asks a request for.

A class of our own, because ``add_request_method(reify=True)`` would build one for every request.
"""

import os
from typing import TYPE_CHECKING, Any

import transaction
from pyramid.decorator import reify
from pyramid.request import Request as PyramidRequest

from accountsapp.db import LARGEST_RETRIED, is_unsafe
from accountsapp.domain.store import Store
from accountsapp.security.identity import Identity, Nobody
from accountsapp.security.policy import caller_of
from accountsapp.web.bodies import Parameters, read_body, read_query

if TYPE_CHECKING:
    from accountsapp.db import Database
    from accountsapp.domain.throttle import Throttle
    from accountsapp.settings import Settings
    from accountsapp.web.resources import ApiRoot


class Request(PyramidRequest):
    """One request; what is expensive is made when it is first asked for.

    :ivar api: the nearest API root above the context, set by the traverser; None outside the APIs
    :ivar view_name: what the path says after the context, empty where the path could not be walked
    """

    api: "ApiRoot | None" = None
    view_name: str = ""
    tm = transaction.manager
    request_body_tempfile_limit = LARGEST_RETRIED
    """Up to here a body is kept in memory, not in a temporary file that nobody closes."""

    @reify
    def id(self) -> str:
        """Names this request in the logs and in its answer (``X-Request-Id``)."""
        return os.urandom(8).hex()

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
    def client_addr(self) -> str:
        """The client's address; a proxy's word for it counts only where the server trusts the proxy."""
        return self.environ.get("REMOTE_ADDR", "")

    @reify
    def store(self) -> Store:
        """The accounts, for this request: writes are committed with the request's transaction."""
        columns = self.api.columns if self.api is not None else None
        return self.registry.process.for_request(self.client_addr, columns)

    @reify
    def caller(self) -> Identity | Nobody:
        """Who asks."""
        caller = caller_of(self)
        if isinstance(caller, Identity):
            self.store.actor_id = caller.account_id
        return caller

    @property
    def identity(self) -> Identity | None:
        """The proved identity of the caller, else None; Pyramid's own asks the policy, which asks here."""
        caller = self.caller
        return caller if isinstance(caller, Identity) else None

    @reify
    def query_pairs(self) -> list[tuple[str, Any]]:
        """
        :raises HTTPBadRequest: the query string cannot be read
        """
        return read_query(self.environ.get("QUERY_STRING", ""))

    @reify
    def callbacks(self) -> list[str]:
        """What the query string names as ``callback``, good or not.

        :raises HTTPBadRequest: the query string cannot be read
        """
        return [value for name, value in self.query_pairs if name == "callback"]

    @reify
    def parameters(self) -> Parameters:
        """The parameters of the query and, on unsafe methods, of the body, by the rules of the API.

        :raises HTTPClientError: they cannot be read
        """
        if self.api is None or not is_unsafe(self):
            return Parameters(self.query_pairs, [])
        body = read_body(
            self,
            largest=self.api.largest_body,
            untyped=self.api.untyped_body,
            optional=self.api.optional_body,
        )
        return Parameters(self.query_pairs, body)

    def close(self) -> None:
        """Give back the connection, if one was opened, and let go of the tree.

        Resources hold the request; a circle of them would keep its memory until the garbage collector comes,
        and the next request would have to work in other memory, which no cache of the processor has.
        """
        made = self.__dict__
        store = made.get("store")
        if store is not None:
            store.close()
        for name in ("root", "virtual_root", "api"):
            made.pop(name, None)
