"""Tokens: fetched, refreshed, revoked, looked at, withdrawn (dockerhub 7.1, 7.3, 7.4)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from webtest import TestApp

from accountsapp.domain import clock
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.credentials import password_change
from accountsapp.domain.data.models import AuditEvent
from accountsapp.domain.data.oauth_models import AccessToken, OAuthGrant, RefreshToken
from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.oauth import clients, grants
from accountsapp.process import Process
from accountsapp.testing.oauth import (
    APPLICATIONS,
    CALLBACK,
    INTROSPECT,
    REVOKE,
    TOKEN,
    VERIFIER,
    Client,
    basic,
    bearer,
    issue,
    sign_in,
    works,
)
from accountsapp.testing.people import Person

USER = "/api/v1.1/users/alice/"
FORM = "application/x-www-form-urlencoded"


def later(**amount: float) -> Any:
    return time_machine.travel(clock.now() + timedelta(**amount))


def error_of(answer: Any, status: int = 400) -> str:
    assert answer.status_int == status
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    return answer.json["error"]


def test_a_code_gives_tokens(app: TestApp, public: Client, code: str, alice: Person) -> None:
    answer = public.exchange(app, code)
    assert answer.headers["Cache-Control"] == "no-store"
    given = answer.json
    access, refresh = given.pop("access_token"), given.pop("refresh_token")
    assert given == {
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "profile_read email_read",
        "username": "alice",
        "user_id": alice.id,
    }
    assert len(access) > 40
    assert len(refresh) > 40
    assert works(app, access)
    app.patch_json(USER, {}, headers=bearer(access), status=403)


def test_json_works_like_a_form_with_and_without_the_slash(app: TestApp, public: Client, code: str) -> None:
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    app.post_json(TOKEN[:-1], {**body, "code_verifier": VERIFIER, **public.identity}, status=200)


@pytest.mark.parametrize("way", ["basic", "body", "both"])
def test_a_confidential_client_by_basic_or_in_the_body(app: TestApp, confidential: Client, way: str) -> None:
    body = {
        "grant_type": "authorization_code",
        "code": confidential.code(app),
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    headers = basic(confidential.client_id, confidential.secret or "") if way != "body" else {}
    app.post(TOKEN, body | (confidential.identity if way != "basic" else {}), headers=headers, status=200)


def test_a_client_that_is_not_proved(app: TestApp, confidential: Client, public: Client) -> None:
    code = confidential.code(app)
    for changes in (
        {"client_id": None},
        {"client_id": "unknown"},
        {"client_id": "\0"},
        {"client_secret": None},
        {"client_secret": "wrong"},
        {"client_secret": ""},
    ):
        assert error_of(confidential.exchange(app, code, 401, **changes), 401) == "invalid_client"
    headers = basic(confidential.client_id, confidential.secret or "")
    body = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": public.client_id}
    assert error_of(app.post(TOKEN, body, headers=headers, status=401), 401) == "invalid_client"
    assert error_of(public.exchange(app, code, 401, client_secret="x"), 401) == "invalid_client"
    confidential.exchange(app, code)  # nothing was used up


def test_a_revoked_client(app: TestApp, stores: Process, public: Client, code: str) -> None:
    given = public.tokens(app)
    with stores.transaction() as store:
        clients.revoke(store, public.client_id)
    assert error_of(public.exchange(app, code, 401), 401) == "invalid_client"
    assert error_of(public.refresh(app, given["refresh_token"], 401), 401) == "invalid_client"
    assert not works(app, given["access_token"])


def test_what_does_not_fit_the_code(app: TestApp, stores: Process, public: Client, code: str) -> None:
    for changes in (
        {"code": "unknown"},
        {"code": "é\u2603"},
        {"redirect_uri": None},
        {"redirect_uri": CALLBACK + "/"},
        {"code_verifier": "w" * 50},
        {"code_verifier": "é" * 50},
    ):
        assert error_of(public.exchange(app, code, 400, **changes)) == "invalid_grant"
    missing = error_of(public.exchange(app, code, 400, code_verifier=None))
    assert missing in ("invalid_grant", "invalid_request")
    assert error_of(Client(stores).exchange(app, code, 400)) == "invalid_grant"  # another client
    public.exchange(app, code)


def test_a_verifier_that_nobody_asked_for(app: TestApp, confidential: Client) -> None:
    code = confidential.code(app, code_challenge=None, code_challenge_method=None)
    assert error_of(confidential.exchange(app, code, 400)) in ("invalid_grant", "invalid_request")
    confidential.exchange(app, code, code_verifier=None)


def test_a_code_without_redirect_uri_is_fetched_without(app: TestApp, public: Client) -> None:
    code = public.code(app, redirect_uri=None)
    for uri in ("https://x.example/", CALLBACK):
        assert error_of(public.exchange(app, code, 400, redirect_uri=uri)) == "invalid_grant"
    public.exchange(app, code, redirect_uri=None)


@pytest.mark.parametrize(("seconds", "status"), [(57, 200), (61, 400)])
def test_s21_a_code_lives_60_seconds(
    app: TestApp, public: Client, code: str, seconds: int, status: int
) -> None:
    with later(seconds=seconds):
        public.exchange(app, code, status)


def test_s21_a_code_used_twice_ends_its_tokens(
    app: TestApp, stores: Process, public: Client, code: str
) -> None:
    given = public.exchange(app, code).json
    assert works(app, given["access_token"])
    assert error_of(public.exchange(app, code, 400)) == "invalid_grant"
    assert not works(app, given["access_token"])
    assert error_of(public.refresh(app, given["refresh_token"], 400)) == "invalid_grant"
    with stores.transaction() as store:
        events = [row.event for row in store.session.query(AuditEvent)]
        assert events.count("used token presented again") == 1


def test_grant_types_and_missing_parameters(app: TestApp, public: Client) -> None:
    for grant_type in ("code", "password", "implicit", "openid", "client_credentials"):
        answer = app.post(TOKEN, {"grant_type": grant_type, **public.identity}, status=400)
        assert error_of(answer) == "unsupported_grant_type"
    for grant_type in ("", "authorization_code", "refresh_token"):
        answer = app.post(TOKEN, {"grant_type": grant_type, **public.identity}, status=400)
        assert error_of(answer) == "invalid_request"
    assert error_of(app.post(TOKEN, public.identity, status=400)) == "invalid_request"


def test_bodies_that_cannot_be_read(app: TestApp) -> None:
    for body, content_type, status in [
        (b"grant_type=refresh_token&refresh_token=x&refresh_token=y", FORM, 400),
        (b"grant_type=%FF", FORM, 400),
        (b"", FORM, 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"grant_type": 1}', "application/json", 400),
        (b'{"grant_type": "\\ud800"}', "application/json", 400),
        (b'{"grant_type": ["refresh_token"]}', "application/json", 400),
        (b"x", "text/plain", 415),
        (b"x=" + b"y" * 70_000, FORM, 413),
    ]:
        answer = app.post(TOKEN, body, content_type=content_type, status=status)
        assert answer.json["error"] == "invalid_request"


def test_parameters_in_the_url_are_refused_and_use_nothing_up(app: TestApp, confidential: Client) -> None:
    given = confidential.tokens(app)
    body = {"token": given["access_token"], **confidential.identity}
    refresh = {
        "grant_type": "refresh_token",
        "refresh_token": given["refresh_token"],
        **confidential.identity,
    }
    for query in (f"client_id={confidential.client_id}", "client_secret=x", "grant_type=", "token=x", "%FF"):
        for path, sent in ((TOKEN, refresh), (REVOKE, body), (INTROSPECT, body)):
            assert error_of(app.post(f"{path}?{query}", sent, status=400)) == "invalid_request"
    assert works(app, given["access_token"])
    app.post(TOKEN, refresh, status=200)


@pytest.mark.parametrize("path", [TOKEN, REVOKE, INTROSPECT])
def test_another_method_is_405(app: TestApp, path: str) -> None:
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
        answer = app.request(path, method=method, status=405)
        assert answer.content_type == "application/json"
        assert answer.headers["Allow"] == "OPTIONS, POST"
    answer = app.options(path, status=204)
    assert (answer.headers["Allow"], answer.body) == ("OPTIONS, POST", b"")


def test_a_refresh_replaces_both_tokens(app: TestApp, public: Client) -> None:
    first = public.tokens(app)
    second = public.refresh(app, first["refresh_token"]).json
    assert set(second) == set(first)
    assert works(app, second["access_token"])
    assert not works(app, first["access_token"])
    third = public.refresh(app, second["refresh_token"], scope="email_read email_read").json
    assert third["scope"] == "email_read"
    app.get(USER, headers=bearer(third["access_token"]), status=403)
    fourth = public.refresh(app, third["refresh_token"]).json  # keeps the full scope
    assert fourth["scope"] == "profile_read email_read"


def test_wider_scope_is_refused_and_uses_nothing_up(app: TestApp, public: Client) -> None:
    first = public.tokens(app)
    for scope in ("profile_read email_write", "unknown"):
        answer = public.refresh(app, first["refresh_token"], 400, scope=scope)
        assert error_of(answer) == "invalid_scope"
    assert works(app, first["access_token"])
    public.refresh(app, first["refresh_token"])


def test_s21_a_refresh_token_used_twice_ends_the_grant(app: TestApp, public: Client) -> None:
    first, elsewhere = public.tokens(app), public.tokens(app)
    second = public.refresh(app, first["refresh_token"]).json
    third = public.refresh(app, second["refresh_token"]).json
    assert error_of(public.refresh(app, first["refresh_token"], 400)) == "invalid_grant"
    assert not works(app, third["access_token"])
    assert error_of(public.refresh(app, third["refresh_token"], 400)) == "invalid_grant"
    assert works(app, elsewhere["access_token"])  # another grant


def test_refresh_tokens_that_are_invalid_grant(app: TestApp, stores: Process, public: Client) -> None:
    given, thief = public.tokens(app), Client(stores)
    for client, token in (
        (public, "unknown"),
        (public, given["access_token"]),
        (thief, given["refresh_token"]),
    ):
        assert error_of(client.refresh(app, token, 400)) == "invalid_grant"
    with later(days=180.1):
        assert error_of(public.refresh(app, given["refresh_token"], 400)) == "invalid_grant"
    with later(days=179.9):
        public.refresh(app, given["refresh_token"])


def test_s21_an_access_token_lives_an_hour(app: TestApp, public: Client) -> None:
    given = public.tokens(app)
    with later(seconds=3590):
        assert works(app, given["access_token"])
    with later(seconds=3601):
        assert not works(app, given["access_token"])


@pytest.mark.parametrize("event", ["deactivate", "delete", "password", "client", "withdraw"])
def test_s20_tokens_end_on_the_next_request_on_every_server(
    make_app: Callable[..., Any], app: TestApp, stores: Process, public: Client, alice: Person, event: str
) -> None:
    given, another = public.tokens(app), TestApp(make_app())
    code, by_hand = public.code(app), issue(stores, alice)
    assert works(another, given["access_token"])
    with stores.transaction() as store:
        if event == "password":
            password_change.set_by_operator(store, alice.id, "another good one")
        elif event in ("deactivate", "delete"):
            getattr(lifecycle, event)(store, alice.id)
        elif event == "client":
            clients.revoke(store, public.client_id)
    if event == "withdraw":
        app.get(APPLICATIONS).form.submit()
    for server in (app, another):
        assert not works(server, given["access_token"])
        assert works(server, by_hand) is (event in ("client", "withdraw"))
    status = 401 if event == "client" else 400
    public.refresh(another, given["refresh_token"], status)
    public.exchange(another, code, status)


def test_s49_only_hashes_are_kept(app: TestApp, stores: Process, confidential: Client) -> None:
    given = confidential.tokens(app)
    with stores.transaction() as store:
        rows = [*store.session.query(AccessToken), *store.session.query(RefreshToken)]
        kept = str([vars(row) for row in rows])
    for secret in (given["access_token"], given["refresh_token"], confidential.secret):
        assert secret not in kept


def test_what_expired_is_cleared(app: TestApp, stores: Process, public: Client) -> None:
    public.tokens(app)
    with stores.transaction() as store:
        grants.clear_old(store.session)
        assert store.session.query(AccessToken).count() == 1
    with later(hours=5), stores.transaction() as store:
        grants.clear_old(store.session)
        assert store.session.query(AccessToken).count() == 0
        assert store.session.query(OAuthGrant).count() == 1  # a refresh token is left
    with later(days=181), stores.transaction() as store:
        grants.clear_old(store.session)
        assert store.session.query(OAuthGrant).count() == 0


def revoke(app: TestApp, client: Client, token: str | None, status: int = 200, **more: str) -> Any:
    body = {**client.identity, **more} | ({"token": token} if token is not None else {})
    return app.post(REVOKE, body, status=status)


def test_revocation(app: TestApp, stores: Process, public: Client) -> None:
    given, thief = public.tokens(app), Client(stores, confidential=True)
    for token in ("unknown", given["access_token"], given["refresh_token"]):
        answer = revoke(app, thief, token)
        assert answer.body == b""
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Content-Length"] == "0"
    assert works(app, given["access_token"])
    revoke(app, public, given["access_token"], token_type_hint="refresh_token")  # a wrong hint
    assert not works(app, given["access_token"])
    given = public.refresh(app, given["refresh_token"]).json  # which had stayed
    assert revoke(app, public, given["refresh_token"]).body == b""
    assert not works(app, given["access_token"])
    assert error_of(public.refresh(app, given["refresh_token"], 400)) == "invalid_grant"


def test_revoking_needs_a_client_and_a_token(app: TestApp, confidential: Client) -> None:
    given = confidential.tokens(app)
    body = {"token": given["access_token"]}
    answer = app.post(REVOKE, {**body, "client_id": confidential.client_id}, status=401)
    assert error_of(answer, 401) == "invalid_client"
    assert error_of(app.post(REVOKE, body, status=401), 401) == "invalid_client"
    assert error_of(revoke(app, confidential, None, 400)) == "invalid_request"
    assert works(app, given["access_token"])


@pytest.mark.parametrize("path", [REVOKE, INTROSPECT])
def test_the_client_is_proved_before_the_token_is_missed(
    app: TestApp, confidential: Client, path: str
) -> None:
    for identity in (
        {},
        {"client_id": confidential.client_id},
        {**confidential.identity, "client_secret": "x"},
    ):
        assert error_of(app.post(path, identity, status=401), 401) == "invalid_client"
    assert error_of(app.post(path, confidential.identity, status=400)) == "invalid_request"


def introspect(app: TestApp, client: Client, token: str, status: int = 200) -> Any:
    return app.post(INTROSPECT, {**client.identity, "token": token}, status=status)


def test_introspection(
    app: TestApp, stores: Process, confidential: Client, public: Client, alice: Person
) -> None:
    given, other = confidential.tokens(app), public.tokens(app)
    answer = introspect(app, confidential, given["access_token"]).json
    assert answer.pop("exp") - answer.pop("iat") == 3600
    assert answer == {
        "active": True,
        "scope": "profile_read email_read",
        "client_id": confidential.client_id,
        "username": "alice",
        "sub": str(alice.id),
        "token_type": "Bearer",
    }
    with later(hours=2):
        assert introspect(app, confidential, given["access_token"]).json == {"active": False}
    revoke(app, confidential, given["access_token"])
    dead = [other["access_token"], other["refresh_token"], given["access_token"], "\u2603"]
    for token in (*dead, issue(stores, alice)):
        assert introspect(app, confidential, token).json == {"active": False}
    assert error_of(introspect(app, public, other["access_token"], 401), 401) == "invalid_client"


@pytest.fixture
def gateway(stores: Process) -> Client:
    """A resource server."""
    return Client(stores, confidential=True, resource_server=True, redirect_uris=[])


def test_a_resource_server_looks_at_any_living_token(
    app: TestApp, stores: Process, gateway: Client, confidential: Client, public: Client, alice: Person
) -> None:
    for client in (public, confidential):
        given = client.tokens(app)
        answer = introspect(app, gateway, given["access_token"]).json
        assert answer.pop("exp") - answer.pop("iat") == 3600
        assert answer == {
            "active": True,
            "scope": "profile_read email_read",
            "client_id": client.client_id,
            "username": "alice",
            "sub": str(alice.id),
            "token_type": "Bearer",
        }
        assert introspect(app, gateway, given["refresh_token"]).json == {"active": False}
    by_hand = introspect(app, gateway, issue(stores, alice, "email_read")).json
    assert (by_hand["active"], by_hand["scope"], by_hand["sub"]) == (True, "email_read", str(alice.id))
    assert (by_hand["token_type"], "client_id" in by_hand) == ("Bearer", False)
    of_nobody = introspect(app, gateway, issue(stores, None, client_id=confidential.id)).json
    assert (of_nobody["active"], of_nobody["client_id"]) == (True, confidential.client_id)
    assert not {"sub", "username"} & set(of_nobody)


def test_a_resource_server_learns_nothing_of_dead_tokens(
    app: TestApp, stores: Process, gateway: Client, public: Client, alice: Person
) -> None:
    given = public.tokens(app)
    with later(hours=2):
        assert introspect(app, gateway, given["access_token"]).json == {"active": False}
    revoke(app, gateway, given["access_token"])  # it may look, not end
    assert introspect(app, gateway, given["access_token"]).json["active"]
    revoke(app, public, given["refresh_token"])
    by_hand = issue(stores, alice)
    with stores.transaction() as store:
        lifecycle.deactivate(store, alice.id)
    for token in (given["access_token"], by_hand, "unknown", "\u2603"):
        assert introspect(app, gateway, token).json == {"active": False}
    wrong = {**gateway.identity, "client_secret": "x", "token": by_hand}
    app.post(INTROSPECT, wrong, status=401)


def test_only_a_client_with_a_secret_is_a_resource_server(stores: Process) -> None:
    with pytest.raises(InvalidValue):
        Client(stores, resource_server=True)


def test_withdrawal(app: TestApp, public: Client, confidential: Client) -> None:
    one, two = public.tokens(app), confidential.tokens(app)
    page = app.get(APPLICATIONS)
    assert len(page.forms) == 2
    assert "Public <b>& Co</b>" in page.html.get_text()
    forms = [form for number, form in page.forms.items() if isinstance(number, int)]
    form = next(form for form in forms if form["client_id"].value == public.client_id)
    assert form.method.lower() == "post"
    app.post(APPLICATIONS, {"client_id": public.client_id}, status=400)  # S26
    assert works(app, one["access_token"])
    page = form.submit(status=303).follow()
    assert len(page.forms) == 1
    assert not works(app, one["access_token"])
    assert error_of(public.refresh(app, one["refresh_token"], 400)) == "invalid_grant"
    assert works(app, two["access_token"])


def test_one_withdraws_only_ones_own(wsgi: Any, app: TestApp, public: Client, bob: Person) -> None:
    given, bobs = public.tokens(app), TestApp(wsgi)
    page = bobs.get(APPLICATIONS)
    assert "password" in page.form.fields
    assert "No application" in sign_in(page, "bob").text
    theirs = public.tokens(bobs, "bob")
    bobs.get(APPLICATIONS).form.submit()
    assert works(app, given["access_token"])
    assert not works(app, theirs["access_token"], "bob")


@pytest.mark.parametrize("client_id", ["unknown", "", "a\0b", "\ud800", "é", None, 1, ["x"]])
def test_withdrawing_from_a_client_that_is_none_changes_nothing(
    app: TestApp, stores: Process, public: Client, client_id: Any
) -> None:
    given = public.tokens(app)
    token = app.get(APPLICATIONS).form["csrf_token"].value
    app.post_json(APPLICATIONS, {"client_id": client_id}, headers={"X-CSRFToken": token}, status=303)
    assert works(app, given["access_token"])
    with stores.transaction() as store:
        assert "access withdrawn" not in {row.event for row in store.session.query(AuditEvent)}


@pytest.mark.parametrize("what", ["code", "refresh"])
def test_s41_used_at_once_one_wins(
    make_app: Callable[..., Any], app: TestApp, stores: Process, public: Client, what: str
) -> None:
    wsgi, code = make_app(), public.code(app)
    given = public.exchange(app, code).json if what == "refresh" else {}

    def use(_: int) -> Any:
        client = TestApp(wsgi)
        if what == "code":
            return public.exchange(client, code, "*")
        return public.refresh(client, given["refresh_token"], "*")

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(use, range(12)))
    assert sorted(answer.status_int for answer in answers) == [200] + [400] * 11
    assert {answer.json.get("error") for answer in answers} == {None, "invalid_grant"}
    (winner,) = [answer for answer in answers if answer.status_int == 200]
    assert not works(app, winner.json["access_token"])  # somebody else had it too
    with stores.transaction() as store:
        assert store.session.query(OAuthGrant).count() == 0
