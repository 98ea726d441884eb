"""Cross-origin resource sharing (Fetch Standard, "CORS protocol"): an API says it once, on its root.

The front door adds the headers to every answer, so that a page can read refusals too.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pyramid.response import Response

if TYPE_CHECKING:
    from accountsapp.settings import Settings
    from accountsapp.web.request import Request

ANY = "*"


@dataclass(frozen=True, eq=False)
class Cors:
    """Which pages of other origins may read the answers.

    :ivar origins: :data:`ANY`, or gives the origins by the settings; then the answers vary by origin
    :ivar allowed_headers: request headers that a page may send
    :ivar allows_asked_headers: whether a preflight allows whatever else it asks for by name
    :ivar exposed_headers: response headers that a page may read
    :ivar credentials: whether browsers send cookies along; never with :data:`ANY`
    :ivar max_age: seconds for which a browser may keep what a preflight said
    """

    origins: str | Callable[["Settings"], Collection[str]]
    allowed_headers: tuple[str, ...] = ()
    allows_asked_headers: bool = False
    exposed_headers: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int = 86400

    def __post_init__(self) -> None:
        if self.credentials and self.origins == ANY:
            raise TypeError("credentials go to listed origins alone")

    def headers(self, request: "Request", response: Response) -> list[tuple[str, str]]:
        """What is added to an answer."""
        if request.environ["REQUEST_METHOD"] == "OPTIONS":
            allowed = self._allowed_headers(request)
            methods = response.headers.get("Allow")
        else:
            allowed, methods = self.allowed_headers, None
        if not callable(self.origins):
            return _headers(ANY, self, allowed, methods)
        origin = request.headers.get("Origin")
        vary = [("Vary", "Origin")]
        if origin is None or origin not in self.origins(request.app_settings):
            return vary
        return [*vary, *_headers(origin, self, allowed, methods)]

    def _allowed_headers(self, request: "Request") -> tuple[str, ...]:
        if not self.allows_asked_headers:
            return self.allowed_headers
        asked = (
            name.strip() for name in request.headers.get("Access-Control-Request-Headers", "").split(",")
        )
        known = {name.lower() for name in self.allowed_headers}
        return (*self.allowed_headers, *(name for name in asked if name and name.lower() not in known))


@lru_cache(maxsize=256)
def _headers(origin: str, cors: Cors, allowed: tuple[str, ...], methods: str | None) -> list[tuple[str, str]]:
    """The headers for a page of that origin."""
    headers = [("Access-Control-Allow-Origin", origin)]
    if cors.credentials:
        headers.append(("Access-Control-Allow-Credentials", "true"))
    if cors.exposed_headers:
        headers.append(("Access-Control-Expose-Headers", ", ".join(cors.exposed_headers)))
    if allowed:
        headers.append(("Access-Control-Allow-Headers", ", ".join(allowed)))
    if methods is not None:
        headers.append(("Access-Control-Allow-Methods", methods))
        headers.append(("Access-Control-Max-Age", str(cors.max_age)))
    return headers


def add_headers(request: "Request", response: Response) -> None:
    """Say on an answer which pages of other origins may read it, by the nearest API root."""
    if request.api is not None and request.api.cors is not None:
        response.headerlist.extend(request.api.cors.headers(request, response))
