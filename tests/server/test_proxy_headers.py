"""What proxies say, read here and by waitress: the application is handed the same."""

from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from waitress.adjustments import Adjustments
from waitress.proxy_headers import proxy_headers_middleware

from accountsapp.server.proxy_headers import FOR, PROTO, ProxyHeaders

PROXY = "127.0.0.1"
FORWARDED = "HTTP_FORWARDED"
TRUSTED = ("x-forwarded-for", "x-forwarded-for x-forwarded-proto", "x-forwarded-proto", "forwarded", "")
ADDRESSES = (
    *(None, "", "203.0.113.9", "203.0.113.9:80", "1.2.3", "999.1.1.1", ".", "...", "unknown", "::1", "[::1]"),
    *(
        "2001:db8::1",
        "198.51.100.1, 203.0.113.9",
        " 203.0.113.9 ",
        "203.0.113.9\n",
        '"203.0.113.9"',
        "１.2.3.4",
    ),
)
SCHEMES = (None, "", "http", "https", "HTTPS", "ftp", '"http"', "http, https", "http ")


def settings(peer: str, trusted: str, *, clear: bool = True) -> Any:
    proxy = {"trusted_proxy": peer, "trusted_proxy_headers": trusted} if trusted else {}
    return Adjustments(clear_untrusted_proxy_headers=clear, **proxy)


def handed_on(adjustments: Any, environ: dict[str, Any]) -> tuple[Any, Any]:
    """What the application is handed by ours and by waitress's; None where it is not asked."""

    def keep(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        asked.append(environ)
        return []

    asked: list[dict[str, Any]] = []
    by_waitress = proxy_headers_middleware(
        keep,
        trusted_proxy=adjustments.trusted_proxy,
        trusted_proxy_count=adjustments.trusted_proxy_count,
        trusted_proxy_headers=adjustments.trusted_proxy_headers,
        clear_untrusted=adjustments.clear_untrusted_proxy_headers,
    )
    outcomes = []
    for middleware in (ProxyHeaders(by_waitress, keep, adjustments), by_waitress):
        asked.clear()
        middleware(dict(environ), lambda _status, _headers: None)
        outcomes.append([*asked])
    return outcomes[0], outcomes[1]


def environ_of(address: str | None, scheme: str | None, **more: str) -> dict[str, Any]:
    environ = {"REMOTE_ADDR": PROXY, "SERVER_PORT": "6543", "wsgi.url_scheme": "http", **more}
    said = {FOR: address, PROTO: scheme}
    return environ | {name: value for name, value in said.items() if value is not None}


def test_ours_hands_on_what_waitress_does() -> None:
    more: list[dict[str, str]] = [{}, {FORWARDED: "for=192.0.2.1"}, {"HTTP_X_FORWARDED_HOST": "a.example:1"}]
    for peer, trusted, clear in product((PROXY, "*", "192.0.2.9"), TRUSTED, (True, False)):
        adjustments = settings(peer, trusted, clear=clear)
        for address, scheme, others in product(ADDRESSES, SCHEMES, more):
            ours, waitress = handed_on(adjustments, environ_of(address, scheme, **others))
            assert ours == waitress, (peer, trusted, clear, address, scheme, others)


@given(
    address=st.one_of(st.none(), st.text('0123456789.:,[]" \tx', max_size=20)),
    scheme=st.one_of(st.none(), st.sampled_from(["http", "https"]), st.text('htps," ', max_size=6)),
)
def test_any_address_and_scheme(address: str | None, scheme: str | None) -> None:
    adjustments = settings(PROXY, "x-forwarded-for x-forwarded-proto")
    ours, waitress = handed_on(adjustments, environ_of(address, scheme))
    assert ours == waitress


def test_plain_ones_do_not_come_to_waitress() -> None:
    def refuse(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise AssertionError

    asked: list[dict[str, Any]] = []
    adjustments = settings(PROXY, "x-forwarded-for x-forwarded-proto")
    ours = ProxyHeaders(refuse, lambda environ, _start: asked.append(environ) or [], adjustments)
    ours(environ_of("203.0.113.9", "https"), None)
    (environ,) = asked
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == ("203.0.113.9", "https")
