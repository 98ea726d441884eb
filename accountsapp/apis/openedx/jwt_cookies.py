"""The cookies by which front ends know who is signed in: a signed token in two parts, beside a session.

Scripts read the first; it opens nothing here, the session does.
"""

from typing import NamedTuple

from pyramid.response import Response

from accountsapp.apis.openedx.resources import ISSUER_PATH
from accountsapp.apis.openedx.settings import Settings
from accountsapp.domain.data import reads
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.oauth import jwts
from accountsapp.domain.oauth.jwts import Issuer, Subject
from accountsapp.domain.oauth.scopes import Scope
from accountsapp.web.request import Request

HEADER_PAYLOAD, SIGNATURE = "edx-jwt-cookie-header-payload", "edx-jwt-cookie-signature"
LANGUAGE = "openedx-language-preference"
LANGUAGE_KEPT = 365 * 24 * 3600
"""Seconds."""


class FullName(NamedTuple):
    """The column that a token shows besides."""

    name: str | None


class JwtCookies:
    """Given with every session, taken away with it (:class:`session_cookie.FurtherCookies`)."""

    def give(self, request: Request, response: Response, account: AccountRow) -> None:
        site_url, settings = request.app_settings.site_url, request.app_settings.section(Settings)
        profile = reads.profile(request.store.latest, account.id, FullName)
        claims = jwts.claims_of(
            Subject(account, profile.name if profile is not None else None, ""),
            Issuer(site_url + ISSUER_PATH, site_url),
            list(Scope),
            grant_type="password",
            seconds=settings.jwt_expires_in,
        )
        token = jwts.sign(request.store.keyring, claims, jwts.SESSION)
        header_payload, _, signature = token.rpartition(".")
        seconds = settings.jwt_expires_in
        set_cookie(request, response, HEADER_PAYLOAD, header_payload, seconds)
        set_cookie(request, response, SIGNATURE, signature, seconds, for_scripts=False)

    def take_away(self, request: Request, response: Response) -> None:
        domain = request.app_settings.section(Settings).cookie_domain or None
        for name in (HEADER_PAYLOAD, SIGNATURE):
            response.delete_cookie(name, path="/", domain=domain)


def set_cookie(
    request: Request, response: Response, name: str, value: str, seconds: int, *, for_scripts: bool = True
) -> None:
    """Set a cookie for the hosts of the front ends.

    :param for_scripts: whether their scripts may read it
    """
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        domain=request.app_settings.section(Settings).cookie_domain or None,
        httponly=not for_scripts,
        samesite="Lax",
        secure=request.app_settings.site_url.startswith("https:"),
    )
