"""Sending the browser on: to a page of ours, or back to a client."""

from typing import Any

from pyramid.response import Response

from accountsapp.renderers import HEADERS


class SeeOther(Response):
    """A 303 whose ``Location`` is sent as it stands."""

    @staticmethod
    def _make_location_absolute(environ: Any, value: str) -> str:
        """WebOb would put the request's ``Host`` before a path, and that can be anything."""
        return value


def go(uri: str) -> Response:
    """
    :param uri: an absolute URI, or a path on this site
    """
    return SeeOther(status=303, headerlist=[("Location", uri), *HEADERS])
