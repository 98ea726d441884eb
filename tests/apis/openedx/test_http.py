"""What every answer has; credentials; other origins (sections 1, 3, 10)."""

from collections.abc import Callable
from itertools import product
from typing import Any

from webtest import TestApp

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.oauth import clients, jwts
from accountsapp.domain.oauth.scopes import Scope
from accountsapp.process import Process
from accountsapp.testing.credentials import hold, present, session, visitor
from accountsapp.testing.oauth import bearer, issue
from accountsapp.testing.people import SITE_URL, Person
from tests.support.openedx import ACCOUNTS, MERGE_PATCH, Caller, account_of

Call = Callable[..., Caller]
FRONT = "https://front.example.org"
PATHS = (
    ACCOUNTS,
    f"{ACCOUNTS}/alice/",
    f"{ACCOUNTS}/alice/image",
    f"{ACCOUNTS}/name_change/",
    f"{ACCOUNTS}/deactivate_logout/",
    "/api/user/v1/me",
    "/api/user/v1/preferences/alice",
    "/api/user/v1/account/login_session/",
    "/api/user/v2/account/login_session/",
    "/api/third_party_auth/v0/providers/user_status",
    "/user_api/v1/preferences/time_zones/",
    "/user_api/v1/account/registration/",
    "/csrf/api/v1/token",
    "/login_refresh",
    "/i18n/setlang/",
    "/password_reset/",
    "/api/edx_name_affirmation/v1/verified_name",
    "/api/certificates/v0/certificates/alice/",
    "/api/notifications/count/",
)


def has(answer: Any, name: str, word: str) -> bool:
    return word in [part.strip() for value in answer.headers.getall(name) for part in value.split(",")]


def test_headers_of_every_answer(call: Call, app: TestApp, adult: Person) -> None:
    caller = call(adult)
    account, image = account_of(adult), f"{account_of(adult)}image"
    answers = [
        (app.get(account, headers={**caller.headers, "Accept": "text/html"}), "GET, HEAD, OPTIONS, PATCH"),
        (caller.get(account_of("nobody"), 404), "GET, HEAD, OPTIONS, PATCH"),
        (app.get(account, status=401), "GET, HEAD, OPTIONS, PATCH"),
        (app.put(account, headers=caller.headers, status=405), "GET, HEAD, OPTIONS, PATCH"),
        (caller.change({"gender": 7}, 400), "GET, HEAD, OPTIONS, PATCH"),
        (caller.get(ACCOUNTS), "GET, HEAD, OPTIONS"),
        (app.post(ACCOUNTS, headers=caller.headers, status=405), "GET, HEAD, OPTIONS"),
        (app.get(image, headers=caller.headers, status=405), "DELETE, OPTIONS, POST"),
    ]
    for answer, allowed in answers:
        assert answer.content_type == "application/json"
        assert isinstance(answer.json, dict | list)
        assert has(answer, "Vary", "Accept")
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers.getall("Allow") == [allowed]
    read = caller.get(account)
    head = app.head(account, headers=caller.headers)
    assert (head.status_int, head.body) == (200, b"")
    assert head.headers["Content-Length"] == read.headers["Content-Length"]
    for path in (account, account[:-1], f"{ACCOUNTS}/nobody"):
        options = app.options(path)
        assert (options.status_int, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS, PATCH")
    assert caller.get(account[:-1]).body == read.body
    deleted = app.delete(image, headers=caller.headers)
    assert (deleted.status_int, deleted.body, deleted.headers["Allow"]) == (204, b"", "DELETE, OPTIONS, POST")


def test_nobody_is_told_what_there_is(app: TestApp, adult: Person, stores: Process) -> None:
    bodies = set()
    for path in (ACCOUNTS, account_of(adult), account_of("nobody"), f"{ACCOUNTS}/a/b/c", "/api/user/v1/x"):
        for method in ("GET", "PATCH", "PUT", "POST", "DELETE"):
            answer = app.request(path, method=method, expect_errors=True)
            assert (answer.status_int, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="api"')
            bodies.add(answer.body)
    assert len(bodies) == 1


def test_nobody_is_told_what_is_wrong_with_his_request(
    app: TestApp, call: Call, adult: Person, stores: Process
) -> None:
    """Whoever shows no good credential learns that, whatever else cannot be read."""
    odd: list[dict[str, Any]] = [
        {"query": "usernames=%ff"},
        {"query": "&" * 70_001},
        {"query": "api_key=x&usernames=%ff"},
        {"query": "%61pi_key=x&view=%ff"},
        {"content_type": "text/plain", "body": b"x"},
        {"content_type": MERGE_PATCH, "body": b"{"},
        {"content_type": MERGE_PATCH, "body": b" " * 1_100_000},
        {"content_type": "multipart/form-data", "body": b"x"},
    ]
    paths = (
        *(ACCOUNTS, account_of(adult), account_of(adult) + "image", account_of("nobody"), f"{ACCOUNTS}/%ff"),
        *("/api/user/v1/me", "/api/user/v1/preferences/alice", "/api/user/v1/x", "/i18n/setlang"),
        *(
            "/api/third_party_auth/v0/providers/user_status",
            f"{ACCOUNTS}/deactivate_logout",
            "/login_refresh",
        ),
    )

    def ask(path: str, method: str, headers: dict[str, str], **how: Any) -> Any:
        url = f"{path}?{how['query']}" if "query" in how else path
        if "content_type" in how:
            headers = {**headers, "Content-Type": how["content_type"]}
        return app.request(url, method=method, headers=headers, body=how.get("body", b""), expect_errors=True)

    for path, authorization in product(paths, ("", "Basic eDp5")):
        headers = {"Authorization": authorization} if authorization else {}
        plain = ask(path, "GET", headers)
        assert plain.status_int == 401
        for how in odd:
            answer = ask(path, "POST" if "body" in how else "GET", headers, **how)
            assert (answer.status_int, answer.body) == (401, plain.body), (path, headers, how)
    cookie = {"Cookie": f"sessionid={hold(stores, adult).cookie}"}
    for query in ("api_key=x&usernames=%ff", "%61pi_key=x&view=%ff"):
        app.get(f"{ACCOUNTS}?{query}", headers=cookie, status=401)
    app.get(f"{ACCOUNTS}?usernames=%ff", headers=cookie, status=400)
    call(adult, "email_read").get(f"{ACCOUNTS}?usernames=%ff", 403)
    call(adult).get(f"{ACCOUNTS}?usernames=%ff", 400)
    app.get("/api/notifications/?x=%ff", status=404)
    headers = {**call(adult).headers, "Content-Type": "text/plain"}
    app.post(f"{ACCOUNTS}/name_change/", b"x", headers=headers, status=404)


def test_bad_credentials(
    call: Call, app: TestApp, adult: Person, register: Callable[..., Person], stores: Process
) -> None:
    bob = register("bob")
    holder, locked = hold(stores, adult), hold(stores, bob)
    cookie = {"Cookie": f"sessionid={holder.cookie}"}
    expired = issue(stores, adult, seconds=-1)
    site = jwts.Issuer(f"{SITE_URL}/oauth2", SITE_URL)
    with stores.transaction() as store:
        lifecycle.deactivate(store, bob.id)
        row = store.reader.by_id(adult.id)
        client, _ = clients.register(store, "JWT", confidential=True, owner_id=adult.id)
        subject = jwts.Subject(row, None, client.client_id)
        claims = jwts.claims_of(subject, site, list(Scope), grant_type="x", seconds=-1)
        living = jwts.claims_of(subject, site, list(Scope), grant_type="x", seconds=60)
    keyring = stores.keyring
    header, payload, signature = holder.signed_token.split(".")
    unsigned = "eyJhbGciOiJub25lIn0"
    cases = [
        ("Bearer unknown", "token_nonexistent"),
        (f"bearer {expired}", "token_expired"),
        ("Bearer", "token_malformed"),
        ("Bearer a b", "token_malformed"),
        (f"Bearer {locked.token}", "user_is_disabled"),
        (f"JWT {locked.signed_token}", "user_is_disabled"),
        (f"jwt {jwts.sign(keyring, claims)}", "token_expired"),
        ("JWT x", "token_malformed"),
        ("JWT", "token_malformed"),
        (f"JWT {header}.{payload}.{signature[:-2]}AA", "token_nonexistent"),
        (f"JWT {holder.signed_token}=", "token_malformed"),
        (f"JWT {unsigned}.{payload}.", "token_nonexistent"),
        (f"JWT {unsigned}.{payload}.{signature}", "token_nonexistent"),
        (f"JWT {jwts.sign(keyring, living, jwts.SESSION)}", "token_nonexistent"),
        (f"JWT {jwts.sign(keyring, {**living, 'iss': 'user:1:1'})}", "token_nonexistent"),
        (f"JWT {jwts.sign(keyring, {**living, 'aud': 'other'})}", "token_nonexistent"),
        (f"JWT {jwts.sign(keyring, {**living, 'epoch': 9})}", "token_nonexistent"),
        ("Basic YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5", None),
        ("Digest x", None),
        (f"Session {holder.cookie}", None),
    ]
    for header_value, code in cases:
        for beside in ({}, cookie):
            headers = {"Authorization": header_value, **beside}
            answer = app.get(account_of(adult), headers=headers, expect_errors=True)
            got = (answer.status_int, answer.json.get("error_code"))
            assert got == (401, code), (header_value, got)
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    for path in (account_of(adult), ACCOUNTS):
        app.get(f"{path}?api_key={adult.api_key}", headers=cookie, status=401)
    assert (
        app.get(account_of(adult), headers={**cookie, "USE-JWT-COOKIE": "true"}).json["username"] == "alice"
    )
    scheme = holder.signed_token
    assert app.get(account_of(adult), headers={"Authorization": f"jWt {scheme}"}).json["email"] == adult.email


def test_s26_a_cookie_needs_its_token(app: TestApp, adult: Person, stores: Process) -> None:
    holder = hold(stores, adult)
    good = session(holder.cookie, holder.csrf_token).headers
    cookie = {"Cookie": good["Cookie"]}
    for token in (None, "", "wrong", visitor(stores).headers["X-CSRFToken"], "é".encode().decode("latin-1")):
        headers = {**cookie, "Content-Type": MERGE_PATCH}
        if token is not None:
            headers["X-CSRFToken"] = token
        assert app.patch(account_of(adult), b'{"goals": "x"}', headers=headers, status=403).json.keys() == {
            "detail"
        }
    for origin in ("https://evil.example", "null"):
        headers = {**good, "Content-Type": MERGE_PATCH, "Origin": origin}
        app.patch(account_of(adult), b'{"goals": "x"}', headers=headers, status=403)
    form = app.post(
        "/i18n/setlang/", {"language": "de", "csrf_token": holder.csrf_token}, headers=cookie, status=403
    )
    assert form.json.keys() == {"detail"}
    app.reset()
    told = app.get("/csrf/api/v1/token", headers=cookie).json
    assert told == {"csrfToken": holder.csrf_token}
    changed = app.patch(account_of(adult), b'{"goals": "y"}', headers={**good, "Content-Type": MERGE_PATCH})
    assert changed.json["goals"] == "y"
    token_only = {
        **present("bearer", holder).headers,
        "Content-Type": MERGE_PATCH,
        "Origin": "https://evil.example",
    }
    assert app.patch(account_of(adult), b"{}", headers=token_only).json["goals"] == "y"


def test_s29_other_origins(make_app: Callable[..., Any], adult: Person, stores: Process) -> None:
    app = TestApp(make_app(**{"accountsapp.cors_origins": FRONT}))
    holder = hold(stores, adult)
    asked = {
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "x-new, content-type",
    }
    for path in PATHS:
        preflight = app.options(path, headers={"Origin": FRONT, **asked}, status=204)
        assert preflight.headers["Access-Control-Allow-Origin"] == FRONT
        assert preflight.headers["Access-Control-Allow-Credentials"] == "true"
        assert preflight.headers["Access-Control-Allow-Methods"] == preflight.headers["Allow"]
        for name in (
            "authorization",
            "content-type",
            "use-jwt-cookie",
            "x-csrftoken",
            "x-requested-with",
            "x-new",
        ):
            assert has(preflight, "Access-Control-Allow-Headers", name), (path, name)
        for headers in ({}, present("session", holder).headers):
            app.reset()
            answer = app.get(path, headers={"Origin": FRONT, **headers}, expect_errors=True)
            assert answer.headers["Access-Control-Allow-Origin"] == FRONT, path
            assert answer.headers["Access-Control-Allow-Credentials"] == "true"
            assert has(answer, "Vary", "Origin")
        for origin in (
            "https://evil.example",
            "null",
            FRONT + ".evil.example",
            FRONT.replace("https", "http"),
        ):
            app.reset()
            refused = app.options(path, headers={"Origin": origin, **asked})
            read = app.get(path, headers={"Origin": origin}, expect_errors=True)
            assert not [
                name for name in (*refused.headers, *read.headers) if name.startswith("Access-Control")
            ]
    app.reset()
    shown = {**present("session", holder).headers, "Origin": FRONT, "Content-Type": MERGE_PATCH}
    assert app.patch(account_of(adult), b'{"goals": "cross"}', headers=shown).json["goals"] == "cross"
    for not_offered in PATHS[-3:]:
        app.get(not_offered, headers=bearer(holder.token), status=404)
