"""Cookies that only this service can read and make: what one page leaves to another, without a row."""

from dataclasses import dataclass

from pyramid.response import Response

from accountsapp.domain.keyring import SealError
from accountsapp.web.request import Request

LONGEST_COOKIE = 2800
"""Characters. Browsers drop a longer cookie than 4096, and where nobody told it otherwise nginx answers 502
for a longer head than that, in which there is more than the cookie.
"""


@dataclass(frozen=True)
class SealedCookie:
    """A cookie for pages of ours, not for scripts and other sites.

    Over https its name keeps a host below or beside ours from setting it (RFC 6265bis 4.1.3.2).

    :ivar name: also what it is sealed for, so that no other sealed text takes its place
    :ivar seconds: how long a browser keeps it, and it is good
    """

    name: str
    seconds: int

    def seal(self, request: Request, text: str) -> str | None:
        """What the cookie is to hold; None if it is too long for one."""
        sealed = request.store.keyring.seal(self.name, text)
        return sealed if len(sealed) <= LONGEST_COOKIE else None

    def give(self, request: Request, response: Response, sealed: str) -> None:
        """Have the browser keep what :meth:`seal` made."""
        self._set(request, response, sealed, self.seconds)

    def is_in(self, request: Request) -> bool:
        """Whether the browser sent one, good or not."""
        return self._name_for(request) in request.cookies

    def read(self, request: Request) -> str | None:
        """The text that the browser was given; None without one, or if it is too old or not ours."""
        sealed = request.cookies.get(self._name_for(request))
        if not sealed or len(sealed) > LONGEST_COOKIE:
            return None
        try:
            return request.store.keyring.unseal(self.name, sealed, self.seconds)
        except SealError:
            return None

    def take_away(self, request: Request, response: Response) -> None:
        """Have the browser forget it, if it has one."""
        if self.is_in(request):
            self._set(request, response, "", 0)

    def _set(self, request: Request, response: Response, value: str, seconds: int) -> None:
        response.set_cookie(
            self._name_for(request),
            value,
            max_age=seconds,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=_is_https(request),
        )

    def _name_for(self, request: Request) -> str:
        return f"__Host-{self.name}" if _is_https(request) else self.name


def _is_https(request: Request) -> bool:
    return request.app_settings.site_url.startswith("https:")
