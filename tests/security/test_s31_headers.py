"""S31: what every answer says of caches, referrers and types, whoever gives it.

Bookie's own headers stand in ``tests/apis/test_bookie_headers_and_jsonp.py``.
"""

import re
from collections.abc import Callable

import pytest
from webtest import TestApp, TestResponse

from accountsapp.testing.everywhere import Everywhere
from accountsapp.testing.people import SITE_URL, Person
from tests.support.outbox import Outbox

RESOURCE = re.compile(
    r"""(?i)\b(?:src|href|action|srcset|data|poster)\s*=\s*["']?([^"'\s>]+)|url\(([^)]*)\)"""
)


FORMS = (
    "/api/v1.1/o/applications",
    "/api/v1.1/o/authorize",
    "/applications",
    "/sessions",
    "/keys",
    "/account/",
)
"""Where forms are with a token against forgery, whose Origin browsers would hide: their own site may know."""


KEPT = ("/static/style.css", "/favicon.ico", "/uploads/default/30.png", "/api/keys/v1/pattern")
"""What may be kept: it is the same for everybody."""


def may_be_kept(answer: TestResponse) -> bool:
    return answer.status_int == 200 and answer.request.environ["PATH_INFO"].rstrip("/") in KEPT


def careless(answer: TestResponse) -> list[str]:
    """What is missing from the headers of an answer."""
    headers = answer.headers
    found = []
    has_form = answer.request.environ["PATH_INFO"].startswith(FORMS)
    policies = ("no-referrer", "same-origin") if has_form else ("no-referrer",)
    if headers.get("Referrer-Policy") not in policies:
        found.append("Referrer-Policy")
    if headers.get("X-Content-Type-Options") != "nosniff":
        found.append("nosniff")
    if "no-store" not in headers.get("Cache-Control", "") and not may_be_kept(answer):
        found.append("no-store")
    return found


def test_s31_every_answer(everywhere: Everywhere, alice: Person) -> None:
    wrong = {}
    seen = set()
    for door in everywhere.doors:
        for verb in (door.method, "HEAD", "OPTIONS", "PATCH", "PUT"):
            for where in (door.path, f"{door.path}/unknown", f"{door.path}%ff"):
                for query in ("", "callback=!", "x=%ff"):
                    answer = everywhere(door, query, method=verb, path=where)
                    seen.add(answer.status_int)
                    if missing := careless(answer):
                        wrong[verb, where, query, answer.status_int] = missing
    assert wrong == {}
    assert {200, 204, 400, 404, 405} <= seen


def test_s31_faults_of_ours(everywhere: Everywhere, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(type(everywhere.app.app.registry.process), "for_request", fail)
    wrong = {}
    faults = 0
    for door in everywhere.doors:
        answer = everywhere(door)
        faults += answer.status_int == 500
        if missing := careless(answer):
            wrong[door.method, door.path] = missing
    assert wrong == {}
    assert faults > 20


def test_s31_a_page_with_a_code_asks_nobody_else(
    app: TestApp, alice: Person, outbox: Outbox, register: Callable[..., Person]
) -> None:
    app.post("/api/v1/suspend", {"email": alice.email})
    recovery = outbox.link_to(alice.email)
    app.post(f"/api/v1/alice/account?api_key={alice.api_key}", {"email": "new@example.com"})
    confirmation = outbox.link_to("new@example.com")
    for path in ("/", recovery, confirmation):
        answer = app.get(path)
        assert careless(answer) == []
        # A refused form shows the page again, code and all.
        again = app.post(recovery, {"new_password": "x"}, expect_errors=True)
        assert careless(again) == []
        for page in (answer, again):
            asked = [one or two for one, two in RESOURCE.findall(page.text)]
            assert asked
            assert [url for url in asked if not url.startswith(("/", "#")) or url.startswith("//")] == []
            assert "<script" not in page.text.lower()
    assert SITE_URL not in app.get("/static/style.css").text
    assert RESOURCE.findall(app.get("/static/style.css").text) == []
