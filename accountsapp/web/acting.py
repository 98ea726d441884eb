"""Safe methods write nothing, except in a view that says ``acts=True``: it gets a transaction of its own.

On an unsafe method pyramid_tm has one for every view (:mod:`accountsapp.web.transactions`).
"""

from typing import TYPE_CHECKING, Any

from accountsapp.web.transactions import is_unsafe

if TYPE_CHECKING:
    from pyramid.config import Configurator

    from accountsapp.web.request import Request


def acting_view(view: Any, info: Any) -> Any:
    """View deriver, inside the checks."""
    if not info.options.get("acts"):
        return view

    def acted(context: Any, request: "Request") -> Any:
        if is_unsafe(request):
            return view(context, request)
        request.store.read_only = False
        request.store.language = request.accepted_language
        with request.tm:
            response = view(context, request)
            request.store.prepare()
            return response

    return acted


acting_view.options = ("acts",)  # type: ignore[attr-defined]  # how Pyramid asks a deriver for its view options


def includeme(config: "Configurator") -> None:
    config.add_view_deriver(acting_view, under="secured_view", over="owrapped_view")
