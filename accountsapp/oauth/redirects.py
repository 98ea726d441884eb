"""Sending the browser on: to a page of ours, or back to a client."""

from collections.abc import Iterable
from urllib.parse import urlencode

from pyramid.response import Response

from accountsapp.web.answers import HEADERS


def go(uri: str) -> Response:
    """
    :param uri: an absolute URI, or a path on this site
    """
    return Response(status=303, headerlist=[("Location", uri), *HEADERS])


def with_parameters(redirect_uri: str, parameters: Iterable[tuple[str, str]]) -> str:
    """A client's redirect URI with parameters added; what its own query says stays as it is written.

    :param redirect_uri: without a fragment
    """
    mark = "&" if "?" in redirect_uri else "?"
    return redirect_uri + mark + urlencode(list(parameters))
