"""The authorization endpoint and its pages (dockerhub 7.2)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from webtest import TestApp

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.credentials import password_change
from accountsapp.domain.data.models import AuditEvent
from accountsapp.domain.data.oauth_models import OAuthGrant
from accountsapp.domain.oauth import clients
from accountsapp.domain.oauth.scopes import Scope
from accountsapp.process import Process
from accountsapp.testing.oauth import APPLICATIONS, AUTHORIZE, CALLBACK, ISSUER, Client, sent_back, sign_in
from accountsapp.testing.people import PASSWORD, SITE_URL, Person

STATE = "a b&c=d/é"


@pytest.fixture
def signed_in(app: TestApp, public: Client) -> TestApp:
    """Alice's browser."""
    sign_in(app.get(public.query()))
    return app


def error_of(app: TestApp, url: str) -> dict[str, str]:
    answer = app.get(url)
    assert answer.location.startswith(CALLBACK + "?")
    return sent_back(answer)


def grants(stores: Process) -> int:
    with stores.transaction() as store:
        return store.session.query(OAuthGrant).count()


def test_unknown_client_or_redirect_uri_is_a_page(app: TestApp, stores: Process, public: Client) -> None:
    bare = Client(stores, redirect_uris=[])
    gone = Client(stores)
    with stores.transaction() as store:
        clients.revoke(store, gone.client_id)
    urls = [gone.query(), bare.query(), bare.query(redirect_uri=None), public.query() + "&state=%FF"]
    urls += [public.query(client_id=name) for name in (None, "", "unknown", "\0", "ü" * 40)]
    urls += [f"{public.query()}&{name}=x" for name in ("client_id", "redirect_uri")]
    urls += [f"{public.query()}&client_id={public.client_id}", f"{public.query()}&redirect_uri={CALLBACK}"]
    urls += [f"{gone.query()}&{name}=x" for name in ("state", "scope", "response_type")]
    for uri in (
        CALLBACK + "/",
        CALLBACK.upper(),
        CALLBACK + "?x=1",
        "https://client.example.com.evil.com/callback",
        "javascript:alert(1)",
        "//client.example.com/callback",
        "callback",
    ):
        urls.append(public.query(redirect_uri=uri))
    for url in urls:
        answer = app.get(url, status=400)
        assert answer.content_type == "text/html"
        assert "Location" not in answer.headers
        assert not answer.forms


def test_other_errors_go_to_the_client(app: TestApp, stores: Process, public: Client) -> None:
    for changes, error in [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"scope": "profile_read unknown"}, "invalid_scope"),
        ({"scope": "PROFILE_READ"}, "invalid_scope"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "é" * 43}, "invalid_request"),
    ]:
        told = error_of(app, public.query(**changes))
        assert told["error"] == error
        assert told["state"] == STATE
        assert told["iss"] == ISSUER
        assert "state" not in error_of(app, public.query(state=None, **changes))
    writer = Client(stores, scopes=[Scope.PROFILE_WRITE])
    for scope in ("profile_read", None):
        assert error_of(app, writer.query(scope=scope))["error"] == "invalid_scope"


@pytest.mark.parametrize(
    "name", ["response_type", "scope", "state", "code_challenge", "code_challenge_method"]
)
def test_a_parameter_given_twice_is_told_to_the_client(signed_in: TestApp, public: Client, name: str) -> None:
    once = public.query()
    (value,) = parse_qs(urlsplit(once).query)[name]
    for second in (value, "x", "S256"):
        url = f"{once}&{urlencode({name: second})}"
        told = error_of(signed_in, url)
        assert (told["error"], told["state"]) == ("invalid_request", STATE)
        token = signed_in.get(once).form["csrf_token"].value
        for decision in ("allow", "deny"):
            answer = signed_in.post(url, {"csrf_token": token, "decision": decision}, status=303)
            assert sent_back(answer)["error"] == "invalid_request"
    assert "Allow access" in signed_in.get(f"{once}&{name}=&x=1&x=2").text  # empty ones and unknown ones


def test_a_confidential_client_needs_no_pkce_but_never_plain(app: TestApp, confidential: Client) -> None:
    app.get(confidential.query(code_challenge=None, code_challenge_method=None), status=200)
    error = error_of(app, confidential.query(code_challenge_method="plain"))["error"]
    assert error == "invalid_request"


def test_without_a_redirect_uri_the_first_one_counts(app: TestApp, stores: Process, alice: Person) -> None:
    client = Client(stores, redirect_uris=["https://one.example/cb", CALLBACK])
    answer = sign_in(app.get(client.query(redirect_uri=None)))
    assert "one.example" in answer.text
    answer = answer.form.submit("decision", value="allow")
    assert answer.location.startswith("https://one.example/cb?code=")


def test_without_a_scope_the_default_as_far_as_allowed(app: TestApp, stores: Process, alice: Person) -> None:
    assert Client(stores).tokens(app, scope=None)["scope"] == "profile_read email_read"
    some = Client(stores, scopes=[Scope.EMAIL_READ, Scope.EMAIL_WRITE])
    assert some.tokens(app, scope=None)["scope"] == "email_read"


def test_who_is_not_signed_in_signs_in_and_is_back_with_all_parameters(app: TestApp, public: Client) -> None:
    url = public.query()
    page = app.get(url, status=200)
    assert len(page.html.select("input[type=password]")) == 1
    assert set(page.form.fields) - {None} == {"csrf_token", "username", "password"}
    page.form["username"], page.form["password"] = "alice", PASSWORD
    answer = page.form.submit(status=303)
    back = urlsplit(answer.location)
    assert (back.path, dict(parse_qsl(back.query))) == (AUTHORIZE, dict(parse_qsl(urlsplit(url).query)))
    assert "Allow access" in answer.follow().text


@pytest.mark.parametrize("name", ["ALICE", "Alice@Example.COM"])
def test_username_or_primary_address_sign_in(app: TestApp, public: Client, name: str) -> None:
    assert "Allow access" in sign_in(app.get(public.query()), name).text


def test_a_wrong_password_shows_the_form_again(
    app: TestApp, stores: Process, public: Client, bob: Person
) -> None:
    with stores.transaction() as store:
        lifecycle.deactivate(store, bob.id)
    form = app.get(public.query()).form
    names = ["alice", "nobody", "", "a\0b", "nobody@example.org", "x\0@example.org"]
    for name, password in [*((name, "wrong") for name in names), ("bob", PASSWORD)]:
        form["username"], form["password"] = name, password
        answer = form.submit(status=400)
        assert answer.html.select_one("[role=alert]")
        assert "password" in answer.form.fields
        assert answer.form["password"].value == ""


def test_s18_sign_in_is_throttled(throttled: TestApp, public: Client) -> None:
    form = throttled.get(public.query()).form
    form["username"], form["password"] = "alice", "wrong"
    for _ in range(10):
        form.submit(status=400)
    answer = form.submit(status=429)
    assert int(answer.headers["Retry-After"]) > 0


def test_s44_a_new_session_at_sign_in(app: TestApp, public: Client) -> None:
    page = app.get(public.query())
    before = app.cookies["sessionid"]
    page.form["username"], page.form["password"] = "alice", PASSWORD
    answer = page.form.submit()
    cookies = answer.headers.getall("Set-Cookie")
    assert all("SameSite=Lax" in cookie and "domain" not in cookie.lower() for cookie in cookies)
    (cookie,) = [cookie for cookie in cookies if cookie.startswith("sessionid=")]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "domain" not in cookie.lower()
    assert "secure" not in cookie.lower()
    assert app.cookies["sessionid"] != before
    app.reset()  # not beside the new one, which would count
    app.set_cookie("sessionid", before)
    assert "password" in app.get(public.query()).form.fields


def test_s44_secure_with_https(make_app: Callable[..., Any], public: Client) -> None:
    app = TestApp(make_app(**{"accountsapp.site_url": "https://accounts.example.org"}))
    (cookie,) = app.get(public.query()).headers.getall("Set-Cookie")
    assert "; secure" in cookie.lower()


def test_s20_a_session_that_ended_is_asked_to_sign_in(
    signed_in: TestApp, stores: Process, public: Client, alice: Person
) -> None:
    page = signed_in.get(public.query())
    with stores.transaction() as store:
        password_change.set_by_operator(store, alice.id, "another good one")
    assert "password" in signed_in.get(public.query()).form.fields
    answers = [page.form.submit("decision", value=decision, status=200) for decision in ("allow", "deny")]
    token = page.form["csrf_token"].value
    answers.append(signed_in.post(APPLICATIONS, {"csrf_token": token, "client_id": public.client_id}))
    for answer in answers:
        assert "password" in answer.form.fields
        assert not answer.html.select("[role=alert]")
        assert "Location" not in answer.headers
    assert grants(stores) == 0
    with stores.transaction() as store:
        assert "sign-in failed" not in {row.event for row in store.session.query(AuditEvent)}
    answer = sign_in(answers[0], password="another good one")
    assert "Allow access" in answer.text


def test_the_consent_page(signed_in: TestApp, public: Client) -> None:
    answer = signed_in.get(public.query(scope="email_write profile_read profile_write email_read"))
    text = answer.html.get_text()
    for word in (
        "Public <b>& Co</b>",
        "client.example.com",
        "alice",
        "See your profile",
        "Change your profile",
        "See your e-mail",
        "Add, confirm and remove",
    ):
        assert word in text
    assert len(answer.html.select("form")) == 1
    assert answer.form.method.lower() == "post"
    assert answer.html.select_one("input[type=hidden][name=csrf_token]")
    buttons = answer.html.select("button[type=submit][name=decision]")
    assert [button["value"] for button in buttons] == ["allow", "deny"]
    assert not answer.html.select("script")


def test_somebody_else_decides(signed_in: TestApp, public: Client, bob: Person) -> None:
    """Who says so is signed out, and the page asks the next one for the same."""
    page, ended = signed_in.get(public.query()), signed_in.cookies["sessionid"]
    forged = signed_in.post(public.query(), {"account": "other", "csrf_token": "x"}, status=400)
    assert "CSRF" not in forged.text
    late = {"decision": "allow", "csrf_token": "x"}
    unseen = signed_in.post(public.query(), late, headers={"Origin": SITE_URL}, status=400)
    assert not unseen.forms, "consent is given where it stands who is asked for what"
    answer = page.form.submit("account", value="other", status=303)
    assert answer.location == public.query()
    assert not signed_in.cookies.get("sessionid")
    again = signed_in.get(public.query(), headers={"Cookie": f"sessionid={ended}"})
    assert again.html.h1.text == "Sign in"
    answer = sign_in(signed_in.get(public.query()), "bob")
    assert "bob" in answer.html.find("main").text
    assert "alice" not in answer.html.find("main").text


def test_allow_deny_and_neither(signed_in: TestApp, stores: Process, public: Client) -> None:
    page = signed_in.get(public.query())
    answer = page.form.submit("decision", value="deny")
    assert answer.location.startswith(CALLBACK + "?")
    assert sent_back(answer) == {"error": "access_denied", "state": STATE, "iss": ISSUER}
    token = page.form["csrf_token"].value
    for decision in ({}, {"decision": ""}, {"decision": "ALLOW"}):
        signed_in.post(public.query(), {"csrf_token": token, **decision}, status=400)
    assert grants(stores) == 0
    answer = page.form.submit("decision", value="allow")
    assert answer.location.startswith(CALLBACK + "?")
    assert set(sent_back(answer)) == {"code", "state", "iss"}
    assert sent_back(answer)["state"] == STATE
    assert sent_back(answer)["iss"] == ISSUER
    assert "Allow access" in signed_in.get(public.query()).text  # asked every time


def test_state_comes_back_unchanged(signed_in: TestApp, public: Client) -> None:
    for state in ("%2B+ &=#", "\r\nX: y", "<script>", "☃" * 100, "a\0b"):
        answer = signed_in.get(public.query(state=state)).form.submit("decision", value="allow")
        assert sent_back(answer)["state"] == state
        assert "\n" not in answer.location


def test_an_app_with_its_own_scheme(app: TestApp, stores: Process, alice: Person) -> None:
    client = Client(stores, redirect_uris=["org.example.app:/callback"])
    page = sign_in(app.get(client.query(redirect_uri=None)))
    answer = page.form.submit("decision", value="allow")
    assert answer.location.startswith("org.example.app:/callback?code=")


@pytest.mark.parametrize(
    "uri",
    [
        "https://client.example.com/cb?flag&x=a%20b&y=a+b&z=%7e&code=own",
        "https://client.example.com/cb?",
        "https://client.example.com?x",
        "http://[::1]:8080/cb?x=1;y=2",
        "org.example.app:/cb?x=%2F",
    ],
)
def test_the_query_of_a_redirect_uri_stays_as_it_is(
    app: TestApp, stores: Process, alice: Person, uri: str
) -> None:
    client = Client(stores, redirect_uris=[uri])
    start = uri + "&"
    form = sign_in(app.get(client.query(redirect_uri=uri))).form
    assert form.submit("decision", value="allow").location.startswith(f"{start}code=acac_")
    assert form.submit("decision", value="deny").location.startswith(f"{start}error=access_denied&")
    refused = app.get(client.query(redirect_uri=uri, scope="unknown"))
    assert refused.location.startswith(f"{start}error=invalid_scope&")


def test_pages_are_not_kept_framed_or_told_of(app: TestApp, public: Client) -> None:
    for page in (app.get(public.query()), sign_in(app.get(public.query())), app.get(APPLICATIONS)):
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert page.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_only_the_consent_page_has_a_form_that_leads_away(app: TestApp, public: Client) -> None:
    pages = [app.get(public.query()), sign_in(app.get(public.query())), app.get(APPLICATIONS)]
    policies = [page.headers["Content-Security-Policy"] for page in pages]
    assert ["form-action 'self'" in policy for policy in policies] == [True, False, True]
    assert "form-action" not in policies[1]


@pytest.mark.parametrize("case", ["none", "empty", "wrong", "visitor", "other", "before", "origin", "null"])
def test_s26_no_code_without_a_good_token(
    app: TestApp, wsgi: Any, stores: Process, public: Client, case: str, bob: Person
) -> None:
    first = app.get(public.query())
    good = sign_in(first).form["csrf_token"].value
    token = {"empty": "", "wrong": "x" * 43, "before": first.form["csrf_token"].value}.get(case, good)
    if case == "visitor":
        token = TestApp(wsgi).get(public.query()).form["csrf_token"].value
    if case == "other":
        token = sign_in(TestApp(wsgi).get(public.query()), "bob").form["csrf_token"].value
    fields = {"decision": "allow"} | ({"csrf_token": token} if case != "none" else {})
    origin = {"origin": "https://evil.example.com", "null": "null"}.get(case)
    headers = {"Origin": origin} if origin else {}
    answer = app.post(public.query(), fields, headers=headers, expect_errors=True)
    assert answer.status_int in (400, 403)
    assert "Location" not in answer.headers
    assert grants(stores) == 0


@pytest.mark.parametrize("setting", ["site_url", "cors_origins"])
@pytest.mark.parametrize("given", ["HTTPS://Accounts.Example.com", "https://accounts.example.com:443"])
def test_s26_an_origin_is_ours_however_the_setting_spells_it(
    make_app: Callable[..., Any], public: Client, setting: str, given: str
) -> None:
    app = TestApp(make_app(**{f"accountsapp.{setting}": given}), extra_environ={"wsgi.url_scheme": "https"})
    page = app.get(public.query())
    page.form["username"], page.form["password"] = "alice", PASSWORD
    page.form.submit(headers={"Origin": "https://accounts.example.com"}, status=303)


def test_s26_signing_in_needs_a_token_and_a_get_never_decides(
    app: TestApp, stores: Process, public: Client
) -> None:
    page = app.get(public.query())
    app.post(public.query(), {"username": "alice", "password": PASSWORD}, status=400)
    token = sign_in(page).form["csrf_token"].value
    more = urlencode({"decision": "allow", "csrf_token": token, "_method": "POST"})
    app.get(f"{public.query()}&{more}", headers={"X-HTTP-Method-Override": "POST"}, status=200)
    assert grants(stores) == 0


def test_another_method_is_405_and_a_page(app: TestApp) -> None:
    for path in (AUTHORIZE, AUTHORIZE[:-1], APPLICATIONS):
        for method in ("PUT", "DELETE", "PATCH", "TRACE"):
            answer = app.request(path, method=method, status=405)
            assert answer.content_type == "text/html"
            assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
        assert app.options(path, status=204).headers["Allow"] == "GET, HEAD, OPTIONS, POST"
