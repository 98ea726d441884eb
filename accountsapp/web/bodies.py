"""The one place where query strings and bodies are read.

Strict, because clients are hostile or broken: everything that cannot be read exactly is an HTTP error,
which the API's own error view puts into its own format.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass
from encodings.aliases import aliases
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_plus

from multipart import MultipartError, MultipartParser, MultipartPart, parse_options_header
from pyramid.decorator import reify
from pyramid.httpexceptions import (
    HTTPBadRequest,
    HTTPRequestEntityTooLarge,
    HTTPUnsupportedMediaType,
)

from accountsapp import strict_json
from accountsapp.web.transactions import is_unsafe

if TYPE_CHECKING:
    from accountsapp.web.request import Request

MOST_PARAMETERS = 70_000
"""More than 64 KiB can hold."""
MOST_PARTS = 2000
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
JSON = "application/json"
FORMS = (FORM, MULTIPART)
UTF8 = ("utf-8", "utf8", "us-ascii")

_CHARSETS = {*aliases, *aliases.values()}
"""The charsets there are, with ``_`` for ``-``; none is ever looked up by what a client says."""

Pairs = list[tuple[str, Any]]


class BodyIsNoObject(HTTPBadRequest):
    """The body is JSON, but no object."""


@dataclass(frozen=True)
class Body:
    """What the body of a request may be.

    :ivar types: media types; ``+json`` stands for every type that ends so, ``image/*`` for all of its kind
    :ivar largest: bytes
    :ivar largest_multipart: bytes of a multipart form, where that is another number
    :ivar any_charset: whether an URL-encoded form may name any charset, also one that nobody knows
    :ivar untyped: the media type of a body that names none; None refuses it
    :ivar type_first: whether a type that is not understood is refused before a size
    :ivar deferred: whether it is the view that reads it, after all that the API checks
    :ivar optional: an empty body has no parameters, whatever its media type; otherwise it must be readable
        like any other
    """

    types: tuple[str, ...] = (JSON, FORM, MULTIPART)
    largest: int = 1024 * 1024
    largest_multipart: int | None = None
    any_charset: bool = False
    untyped: str | None = None
    type_first: bool = False
    deferred: bool = False
    optional: bool = True

    def takes(self, content_type: str) -> bool:
        """Whether a body may be of that type."""
        return any(
            content_type == known
            or (known[0] == "+" and content_type.endswith(known))
            or (known.endswith("/*") and content_type.startswith(known[:-1]))
            for known in self.types
        )

    def limit(self, content_type: str) -> int:
        """Bytes that a body of that type may have."""
        if content_type == MULTIPART and self.largest_multipart is not None:
            return self.largest_multipart
        return self.largest


class Parameters:
    """What a request says, by place; each place is read when it is first asked for.

    :ivar query: name and value of each parameter of the query string, in order
    :ivar body: the same of the body; the values of a JSON object are of any JSON type, an uploaded file is a
        :class:`multipart.MultipartPart`. On safe methods, and where no API is, no body counts
    :ivar content: the body where it is of a type that has no parameters, such as a picture
    """

    def __init__(self, request: "Request") -> None:
        self._request = request
        self._content: bytes | None = None

    @reify
    def query(self) -> Pairs:
        return read_query(self._request.environ.get("QUERY_STRING", ""))

    @reify
    def body(self) -> Pairs:
        request = self._request
        if request.api is None or not is_unsafe(request):
            return []
        pairs, self._content = read_body(request, request.body_rules)
        return pairs

    @property
    def content(self) -> bytes | None:
        self.body  # noqa: B018 reads it
        return self._content

    def all(self, name: str) -> list[Any]:
        """Every value given, in every place."""
        return [value for key, value in (*self.query, *self.body) if key == name]

    def are_in_query(self, names: Container[str]) -> bool:
        """Whether the query string has a parameter of these names; also where it cannot be read."""
        try:
            return any(name in names for name, _ in self.query)
        except HTTPBadRequest:
            fields = self._request.environ.get("QUERY_STRING", "").split("&")
            return any(unquote_plus(field.partition("=")[0]) in names for field in fields)

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


def content_type_of(request: "Request") -> tuple[str, dict[str, str]]:
    """The media type of the body, in lower case, and its parameters."""
    content_type, options = parse_options_header(request.environ.get("CONTENT_TYPE", ""))
    return content_type.lower(), options


def read_body(request: "Request", rules: Body) -> tuple[Pairs, bytes | None]:
    """The parameters of a body, and the body itself where it is of a type that has none.

    :raises HTTPRequestEntityTooLarge: over the largest size; nothing of it was read
    :raises HTTPUnsupportedMediaType: another content type, or another charset than UTF-8 where one counts
    :raises HTTPBadRequest: cannot be read
    """
    content_type, options = content_type_of(request)
    content_type = content_type or rules.untyped or ""
    if rules.type_first:
        _check_type(rules, content_type)
    body = read_content(request, rules.limit(content_type))
    if not body and rules.optional:
        return [], None
    charset = options.get("charset", "utf-8")
    if content_type != FORM:
        _check_charset(charset)
    elif not rules.any_charset:
        _check_known(charset)
    _check_type(rules, content_type)
    if content_type == FORM:
        return _pairs(body.decode("latin-1")), None
    if content_type == MULTIPART:
        return _multipart(body, options.get("boundary", "")), None
    if content_type == JSON or content_type.endswith("+json"):
        return list(read_json_object(body).items()), None
    return [], body


def _check_type(rules: Body, content_type: str) -> None:
    if not rules.takes(content_type):
        raise HTTPUnsupportedMediaType("The request body has a content type that is not understood.")


def read_content(request: "Request", largest: int) -> bytes:
    """The bytes of a body, of whatever type.

    :raises HTTPRequestEntityTooLarge: more than ``largest``; nothing was read if it says so itself
    """
    length = request.content_length
    if length is None or length <= largest:
        body = _read(request, largest)
        if len(body) <= largest:
            return body
    raise HTTPRequestEntityTooLarge("The request body is too large.")


def _read(request: "Request", largest: int) -> bytes:
    """A body, of a larger one at least a byte more, from its beginning: another try may have read it.

    Servers keep it whole, in memory or in a file.
    """
    length = request.content_length
    if length is None and not request.is_body_readable:
        return b""
    request.body_file_raw.seek(0)
    body: bytes = request.body_file_raw.read(length if length is not None else largest + 1)
    if length is not None and len(body) < length:
        raise HTTPBadRequest("The request body is not whole.")
    return body


def read_json_object(body: bytes) -> dict[str, Any]:
    """A JSON object, by the rules of :mod:`accountsapp.strict_json`.

    :raises BodyIsNoObject: another JSON value
    :raises HTTPBadRequest: says what is wrong, without echoing the body
    """
    try:
        return strict_json.read_object(body)
    except strict_json.NoObject as error:
        raise BodyIsNoObject(f"The request body {error}.") from None
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


def _check_known(charset: str) -> None:
    """Of an URL-encoded form, whose bytes and escapes are UTF-8 whatever an older client says of them."""
    if charset.lower().replace("-", "_") not in _CHARSETS:
        raise HTTPUnsupportedMediaType("The charset is not known.")


def _reading(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (MultipartError, ValueError, LookupError):
        raise HTTPBadRequest("The parameters cannot be read.") from None
