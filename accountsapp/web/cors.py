"""Cross-origin resource sharing (Fetch Standard, "CORS protocol"): an API says it once, on its root.

The front door adds the headers to every answer, so that a page can read refusals too.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from pyramid.response import Response

if TYPE_CHECKING:
    from accountsapp.settings import Settings
    from accountsapp.web.request import Request

ANY = "*"

OF_NO_API = (
    ("Access-Control-Allow-Origin", ANY),
    ("Access-Control-Allow-Headers", "Content-Type, X-Api-Key, X-Requested-With"),
    ("Access-Control-Expose-Headers", "Retry-After, X-Request-Id"),
)
"""Of an answer to what is no request: it says nothing of anybody."""


@dataclass(frozen=True, eq=False)
class Cors:
    """Which pages of other origins may read the answers.

    :ivar origins: :data:`ANY`, or gives the origins by the settings; then the answers vary by origin
    :ivar further: whether an origin that is none of these may too; None: no further ones
    :ivar allowed_headers: request headers that a page may send
    :ivar allows_asked_headers: whether a preflight allows whatever else it asks for by name
    :ivar exposed_headers: response headers that a page may read
    :ivar exposed_where_sent: further ones, which are named only in answers that have them
    :ivar credentials: whether browsers send cookies along; never with :data:`ANY`
    :ivar max_age: seconds for which a browser may keep what a preflight said
    """

    origins: str | Callable[["Settings"], Collection[str]]
    further: Callable[["Request", str], bool] | None = None
    allowed_headers: tuple[str, ...] = ()
    allows_asked_headers: bool = False
    exposed_headers: tuple[str, ...] = ()
    exposed_where_sent: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int = 86400

    def __post_init__(self) -> None:
        if self.credentials and self.origins == ANY:
            raise TypeError("credentials go to listed origins alone")

    def headers(self, request: "Request", response: Response) -> list[tuple[str, str]]:
        """What is added to an answer."""
        if not callable(self.origins):
            return self._headers(request, response, ANY)
        origin = request.environ.get("HTTP_ORIGIN")
        vary = [("Vary", "Origin")]
        if origin is None or not self._allows(request, origin, self.origins(request.app_settings)):
            return vary
        return [*vary, *self._headers(request, response, origin)]

    def _headers(self, request: "Request", response: Response, origin: str) -> list[tuple[str, str]]:
        if request.environ["REQUEST_METHOD"] != "OPTIONS":
            further = self.exposed_where_sent
            sent = tuple([name for name, _ in response.headerlist if name in further]) if further else ()
            if origin == ANY and not sent:
                return self._of_any_origin
            return _answer_headers(self, origin, sent)
        methods = response.headers.get("Allow")
        headers = _headers_of(self, origin, self._allowed_headers(request))
        if methods is not None:
            headers.append(("Access-Control-Allow-Methods", methods))
            headers.append(("Access-Control-Max-Age", str(self.max_age)))
        return headers

    @cached_property
    def _of_any_origin(self) -> list[tuple[str, str]]:
        """As :func:`_answer_headers`, for most answers by far, which need not look for it."""
        return _headers_of(self, ANY, self.allowed_headers)

    def _allows(self, request: "Request", origin: str, listed: Collection[str]) -> bool:
        return origin in listed or (self.further is not None and self.further(request, origin))

    def _allowed_headers(self, request: "Request") -> tuple[str, ...]:
        if not self.allows_asked_headers:
            return self.allowed_headers
        names = (
            name.strip() for name in request.headers.get("Access-Control-Request-Headers", "").split(",")
        )
        known = {name.lower() for name in self.allowed_headers}
        return (*self.allowed_headers, *(name for name in names if name and name.lower() not in known))


def _headers_of(
    cors: Cors, origin: str, allowed: tuple[str, ...], sent: tuple[str, ...] = ()
) -> list[tuple[str, str]]:
    """What a page of that origin is told of any answer.

    :param sent: headers that are exposed because this answer has them
    """
    headers = [("Access-Control-Allow-Origin", origin)]
    if cors.credentials:
        headers.append(("Access-Control-Allow-Credentials", "true"))
    if exposed := (*cors.exposed_headers, *sent):
        headers.append(("Access-Control-Expose-Headers", ", ".join(exposed)))
    if allowed:
        headers.append(("Access-Control-Allow-Headers", ", ".join(allowed)))
    return headers


@lru_cache(maxsize=64)
def _answer_headers(cors: Cors, origin: str, sent: tuple[str, ...]) -> list[tuple[str, str]]:
    """Of an answer that is no preflight's: they are the same each time."""
    return _headers_of(cors, origin, cors.allowed_headers, sent)


def add_headers(request: "Request", response: Response) -> None:
    """Say on an answer which pages of other origins may read it, by the nearest API root."""
    if request.api is not None and request.api.cors is not None and request.context.follows_cors:
        response.headerlist.extend(request.api.cors.headers(request, response))
