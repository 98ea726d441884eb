"""The one place where query strings and bodies are read.

Strict, because clients are hostile or broken: everything that cannot be read exactly is an HTTP error,
which the API's own error view puts into its own format.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from multipart import MultipartError, MultipartParser, MultipartPart, parse_options_header
from pyramid.httpexceptions import (
    HTTPBadRequest,
    HTTPRequestEntityTooLarge,
    HTTPUnsupportedMediaType,
)

from accountsapp import strict_json

MOST_PARAMETERS = 70_000
"""More than 64 KiB can hold."""
MOST_PARTS = 2000
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
JSON = "application/json"
UTF8 = ("utf-8", "utf8", "us-ascii")

Pairs = list[tuple[str, Any]]


class Parameters:
    """What a request says, by place.

    :ivar query: name and value of each parameter of the query string, in order
    :ivar body: the same of the body; the values of a JSON object are of any JSON type, an uploaded file is a
        :class:`multipart.MultipartPart`
    """

    def __init__(self, query: Pairs, body: Pairs) -> None:
        self.query = query
        self.body = body

    def all(self, name: str) -> list[Any]:
        """Every value given, in every place."""
        return [value for key, value in (*self.query, *self.body) if key == name]

    def last(self, name: str, default: Any = None) -> Any:
        """The value that counts: body over query, within one place the last one."""
        return self.last_in_body(name, self.last_in_query(name, default))

    def last_in_query(self, name: str, default: Any = None) -> Any:
        return next((value for key, value in reversed(self.query) if key == name), default)

    def last_in_body(self, name: str, default: Any = None) -> Any:
        return next((value for key, value in reversed(self.body) if key == name), default)


def read_query(query_string: str) -> Pairs:
    """The parameters of a query string.

    :raises HTTPBadRequest: bytes that are not UTF-8, more than 70,000 parameters
    """
    if not query_string:
        return []
    return _pairs(query_string)


def is_form(request: Any) -> bool:
    """Whether the body is a form, whose values are all text."""
    return content_type_of(request)[0] in (FORM, MULTIPART)


def content_type_of(request: Any) -> tuple[str, dict[str, str]]:
    """The media type of the body, in lower case, and its parameters."""
    content_type, options = parse_options_header(request.environ.get("CONTENT_TYPE", ""))
    return content_type.lower(), options


def read_body(request: Any, *, largest: int, untyped: str | None = None, optional: bool = True) -> Pairs:
    """The parameters of a body: a form, a multipart form or a JSON object; an empty one has none.

    :param largest: bytes
    :param untyped: the content type that a body without one has; None refuses it
    :param optional: an empty body has no parameters, whatever its content type
    :raises HTTPRequestEntityTooLarge: over ``largest``; nothing of it was read
    :raises HTTPUnsupportedMediaType: another content type, or another charset than UTF-8
    :raises HTTPBadRequest: cannot be read
    """
    length = request.content_length
    if length is not None and length > largest:
        raise HTTPRequestEntityTooLarge("The request body is too large.")
    body = request.body
    if len(body) > largest:
        raise HTTPRequestEntityTooLarge("The request body is too large.")
    if not body and optional:
        return []
    content_type, options = content_type_of(request)
    content_type = content_type or untyped or ""
    _check_charset(options.get("charset", "utf-8"))
    if content_type == FORM:
        return _pairs(body.decode("latin-1"))
    if content_type == MULTIPART:
        return _multipart(body, options.get("boundary", ""))
    if content_type == JSON or (content_type.endswith("+json") and untyped == JSON):
        return list(read_json_object(body).items())
    raise HTTPUnsupportedMediaType("The request body has a content type that is not understood.")


def read_json_object(body: bytes) -> dict[str, Any]:
    """A JSON object, by the rules of :mod:`accountsapp.strict_json`.

    :raises HTTPBadRequest: says what is wrong, without echoing the body
    """
    try:
        return strict_json.read_object(body)
    except strict_json.BadJson as error:
        raise HTTPBadRequest(f"The request body {error}.") from None


def _pairs(encoded: str) -> Pairs:
    if encoded.count("&") >= MOST_PARAMETERS:
        raise HTTPBadRequest("There are too many parameters.")
    if encoded.isascii() and "%" not in encoded and "+" not in encoded:  # nothing to decode
        fields = [field.partition("=") for field in encoded.split("&") if field]
        return [(name, value) for name, _, value in fields]
    # A raw byte beyond ASCII arrives as a latin-1 character: quoted, it is decoded like the escaped ones.
    if not encoded.isascii():
        encoded = "".join(c if c.isascii() else f"%{ord(c):02X}" for c in encoded)
    return _reading(lambda: parse_qsl(encoded, keep_blank_values=True, errors="strict"))


def _multipart(body: bytes, boundary: str) -> Pairs:
    # The body is in memory already: its parts stay there, none becomes a temporary file.
    room = len(body) + 1
    parser = MultipartParser(
        BytesIO(body),
        boundary,
        len(body),
        strict=True,
        part_limit=MOST_PARTS,
        memory_limit=room,
        spool_limit=room,
    )
    return [(part.name, _value_of(part)) for part in _reading(parser.parts)]


def _value_of(part: MultipartPart) -> Any:
    # Looked at before anything is decoded: some of Python's charsets take quadratic time.
    _check_charset(part.charset)
    return part if part.filename else _reading(lambda: part.value)


def _check_charset(name: str) -> None:
    if name.lower() not in UTF8:
        raise HTTPUnsupportedMediaType("Only UTF-8 is understood.")


def _reading(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (MultipartError, ValueError, LookupError):
        raise HTTPBadRequest("The parameters cannot be read.") from None


__all__ = ["MultipartPart", "Parameters", "read_body", "read_json_object", "read_query"]
