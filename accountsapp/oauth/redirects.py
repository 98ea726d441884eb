"""Sending the browser back to a client."""

from collections.abc import Iterable
from urllib.parse import urlencode


def with_parameters(redirect_uri: str, parameters: Iterable[tuple[str, str]]) -> str:
    """A client's redirect URI with parameters added; what its own query says stays as it is written.

    :param redirect_uri: without a fragment
    """
    mark = "&" if "?" in redirect_uri else "?"
    return redirect_uri + mark + urlencode(list(parameters))
