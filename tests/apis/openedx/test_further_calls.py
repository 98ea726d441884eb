"""E-mail, pictures, preferences, sessions: what the front ends load and send besides."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import jwt
from webtest import TestApp

from accountsapp.process import Process
from accountsapp.testing.credentials import hold, present
from accountsapp.testing.people import PASSWORD, Person
from tests.support.openedx import (
    ADULT,
    FRONT,
    MERGE_PATCH,
    PAYLOAD,
    SIGNATURE,
    Caller,
    account_of,
    grow_up,
    log_in,
    set_cookies,
)
from tests.support.outbox import Outbox, links_in
from tests.support.pictures import encoded, opened, photograph, quarters

Call = Callable[..., Caller]
NEW = "new@example.org"


# A new address


def test_a_new_address(call: Call, app: TestApp, adult: Person, outbox: Outbox) -> None:
    caller = call(adult)
    answer = caller.change({"email": NEW, "goals": "at once"}).json
    assert (answer["email"], answer["goals"]) == (adult.email, "at once")
    first = {message["To"]: message for message in outbox.take()}
    assert first.keys() == {NEW, adult.email}
    assert links_in(first[adult.email]) == []
    (older,) = links_in(first[NEW])
    caller.change({"email": NEW})
    newer = outbox.link_to(NEW)
    app.get(urlsplit(older).path, status=404)
    form = app.get(newer).form
    assert caller.get(account_of(adult)).json["email"] == adult.email
    form.submit()
    assert caller.get(account_of(adult)).json["email"] == NEW
    assert {message["To"] for message in outbox.take()} == {adult.email, NEW}
    app.post(newer, status=404)


def test_a_taken_address(call: Call, adult: Person, register: Callable[..., Person], outbox: Outbox) -> None:
    register("bob")
    assert call(adult).change({"email": "BOB@example.com"}).json["email"] == adult.email
    (notice,) = outbox.take()
    assert (notice["To"], links_in(notice)) == (adult.email, [])


def test_too_many_new_addresses(throttled: TestApp, adult: Person) -> None:
    caller = Caller(throttled, throttled.app.registry.process, adult)
    for _ in range(10):
        caller.change({"email": NEW})
    refused = caller.change({"email": NEW, "goals": "not now"}, 429)
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.json.keys() == {"detail"}
    assert caller.get(account_of(adult)).json["goals"] is None


# The picture


def upload(app: TestApp, caller: Caller, data: bytes, name: str, kind: str, status: int = 204) -> Any:
    headers = {
        **caller.headers,
        "Content-Type": kind,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    assert caller.person is not None
    return app.post(account_of(caller.person) + "image", data, headers=headers, status=status)


def images(app: TestApp, caller: Caller) -> dict[str, Any]:
    assert caller.person is not None
    shown: dict[str, Any] = caller.get(account_of(caller.person)).json["profile_image"]
    urls = {name: url for name, url in shown.items() if name != "has_image"}
    for name, url in urls.items():
        served = app.get(urlsplit(url).path)
        assert served.content_type == ("image/jpeg" if shown["has_image"] else "image/png")
        side = {"full": 500, "large": 120, "medium": 50, "small": 30}[name.removeprefix("image_url_")]
        image = opened(served.body)
        assert image.size == (side, side)
        assert not image.getexif()
    return shown


def test_a_picture(call: Call, app: TestApp, adult: Person, outbox: Outbox) -> None:
    caller, path = call(adult), account_of(adult) + "image"
    assert images(app, caller)["has_image"] is False
    for data, name, kind in (
        (encoded(quarters()), "me.png", "image/png"),
        (photograph(), "me.JPG", "image/jpeg"),
        (photograph(), "me.jpeg", "image/pjpeg"),
        (encoded(quarters(), "GIF"), "me.gif", "image/gif"),
    ):
        before = images(app, caller)
        assert upload(app, caller, data, name, kind).body == b""
        after = images(app, caller)
        assert after["has_image"] is True
        assert all(after[size] != before[size] for size in after if size != "has_image")
        assert "alice" not in str(after)
    outbox.take()
    app.get(urlsplit(before["image_url_full"]).path, status=404)
    part = [("file", "me.png", encoded(quarters()), "image/png")]
    assert app.post(path, upload_files=part, headers=caller.headers).status_int == 204
    for _ in range(2):
        assert app.delete(path, b"anything", headers=caller.headers).status_int == 204
    assert images(app, caller)["has_image"] is False


def test_uploads_that_are_refused(call: Call, app: TestApp, adult: Person) -> None:
    caller, path = call(adult), account_of(adult) + "image"
    png = encoded(quarters())
    upload(app, caller, png, "me.png", "image/png")
    before = images(app, caller)
    cases = [
        (png, "me.jpg", "image/png"),
        (png, "me.png", "image/jpeg"),
        (png, "me.jpg", "image/jpeg"),
        (png, "me", "image/png"),
        (png, "me.webp", "image/webp"),
        (b"<svg/>" * 50, "me.svg", "image/svg+xml"),
        (png[:120], "me.png", "image/png"),
        (b"\x89PNG", "me.png", "image/png"),
        (b"", "me.png", "image/png"),
        (png + bytes(1048577), "me.png", "image/png"),
    ]
    for data, name, kind in cases:
        answer = upload(app, caller, data, name, kind, 400)
        assert answer.json.keys() == {"developer_message", "user_message"}, (name, kind)
    without_name = {**caller.headers, "Content-Type": "image/png"}
    app.post(path, png, headers=without_name, status=400)
    app.post(path, png, headers={**without_name, "Content-Disposition": "inline"}, status=400)
    app.post(path, {"file": "text"}, headers=caller.headers, status=415)
    app.post(path, png, headers={**caller.headers, "Content-Type": "application/json"}, status=415)
    app.post(path, upload_files=[("other", "me.png", png)], headers=caller.headers, status=400)
    app.post(path, upload_files=[("file", "me.png", png + bytes(2**21))], headers=caller.headers, status=400)
    assert images(app, caller) == before


def test_a_picture_needs_consent(call: Call, app: TestApp, adult: Person, outbox: Outbox) -> None:
    caller, png = call(adult), encoded(quarters())
    upload(app, caller, png, "me.png", "image/png")
    url = images(app, caller)["image_url_full"]
    shown = caller.change({"year_of_birth": None}).json
    assert shown["profile_image"]["has_image"] is False
    outbox.take()
    app.get(urlsplit(url).path, status=404)
    upload(app, caller, png, "me.png", "image/png", 400)
    assert caller.change({"year_of_birth": ADULT}).json["profile_image"]["has_image"] is False


# Preferences

PREFERENCES = "/api/user/v1/preferences/alice"


def test_preferences(call: Call, adult: Person, register: Callable[..., Person], stores: Process) -> None:
    caller, bob, staff = call(adult), call(register("bob")), call(register("staff", is_staff=True))
    assert caller.get(PREFERENCES).json == {}
    fields = "name bio country date_joined level_of_education language_proficiencies social_links time_zone"
    given = {f"visibility.{field}": "private" for field in (*fields.split(), "course_certificates")}
    given |= {"account_privacy": "custom", "time_zone": "Europe/Berlin", "pref-lang": "es-419"}
    assert caller.patch(PREFERENCES, given, 204).body == b""
    assert caller.get(PREFERENCES + "/").json == staff.get(PREFERENCES).json == given
    assert caller.get(account_of(adult)).json["language"] == "es-419"
    public = {"username", "profile_image", "account_privacy"}
    assert bob.get(account_of(adult)).json.keys() == public
    assert bob.get(account_of(adult)).json["account_privacy"] == "custom"
    caller.patch(PREFERENCES, {"visibility.name": "all_users", "visibility.bio": "all_users"}, 204)
    assert bob.get(account_of(adult)).json.keys() == public | {"name", "bio"}
    caller.patch(PREFERENCES, dict.fromkeys(given), 204)
    assert caller.get(PREFERENCES).json == {}
    for other in (bob, staff):
        other.patch(PREFERENCES, {"time_zone": "UTC"}, 404 if other is bob else 403)
        other.get("/api/user/v1/preferences/nobody", 404)
    bob.get(PREFERENCES, 404)


def test_preferences_that_are_refused(call: Call, adult: Person) -> None:
    caller = call(adult)
    for name, value in (
        ("account_privacy", "friends"),
        ("account_privacy", ""),
        ("visibility.bio", "custom"),
        ("visibility.email", "private"),
        ("visibility.name", 7),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../etc/passwd"),
        ("pref-lang", ""),
        ("pref-lang", "l" * 256),
        ("pref-lang", "\0"),
        ("nothing", "x"),
        ("nothing", None),
    ):
        errors = caller.patch(
            PREFERENCES, {name: value, "visibility.bio" if "bio" not in name else "x": 1}, 400
        )
        assert errors.json["field_errors"].keys() >= {name}
    assert caller.patch(PREFERENCES, {}, 400).json.keys() == {"developer_message", "user_message"}
    assert caller.get(PREFERENCES).json == {}


def test_what_forms_offer(call: Call, app: TestApp, adult: Person) -> None:
    everywhere = app.get("/user_api/v1/preferences/time_zones/").json
    french = app.get("/user_api/v1/preferences/time_zones/?country_code=fr").json
    assert [zone["time_zone"] for zone in french] == ["Europe/Paris"]
    assert french[0].keys() == {"time_zone", "description"}
    assert app.get("/user_api/v1/preferences/time_zones?country_code=XX").json == everywhere
    assert len(everywhere) > 300
    (country,) = app.get("/user_api/v1/account/registration/").json["fields"]
    assert {"value": "DE", "name": "Germany"} in country["options"]
    assert call(adult).get("/api/third_party_auth/v0/providers/user_status").json == []
    assert call(adult).get("/api/user/v1/me").json == {"username": "alice"}


# Sessions


def test_signing_in(app: TestApp, adult: Person, register: Callable[..., Person], stores: Process) -> None:
    refused = set()
    for form in (
        {"email": adult.email, "password": "wrong"},
        {"email": "nobody@example.com", "password": PASSWORD},
        {"email": adult.email},
        {"password": PASSWORD},
    ):
        answer = log_in(app, **form)
        assert (answer.status_int, answer.json["success"]) == (400, False)
        assert answer.json["error_code"] == "incorrect-email-or-password"
        refused.add(answer.body)
    assert len(refused) == 1
    app.post("/api/user/v1/account/login_session/", {"email": adult.email, "password": PASSWORD}, status=403)
    for path, field in (("v1", "email"), ("v2", "email_or_username")):
        app.reset()
        answer = log_in(
            app, f"/api/user/{path}/account/login_session/", **{field: adult.email, "password": PASSWORD}
        )
        assert (answer.status_int, answer.json) == (200, {"success": True, "redirect_url": None})
        cookies = set_cookies(answer)
        assert cookies.keys() == {"sessionid", PAYLOAD, SIGNATURE}
        assert "HttpOnly" in cookies[SIGNATURE]
        assert "HttpOnly" not in cookies[PAYLOAD]
        value = cookies[PAYLOAD].partition("=")[2].partition(";")[0] + "." + app.cookies[SIGNATURE]
        claims = jwt.decode(value, options={"verify_signature": False})
        assert (claims["preferred_username"], claims["user_id"]) == ("alice", adult.id)
        assert app.get("/api/user/v1/me").json == {"username": "alice"}
        app.get("/api/user/v1/me", headers={"Authorization": f"JWT {value}"}, status=401)


def test_jwt_cookies_follow_the_session(front: TestApp, adult: Person) -> None:
    signed_in = set_cookies(log_in(front, email=adult.email, password=PASSWORD))
    assert "Domain=example.org" in signed_in[PAYLOAD]
    assert "Domain" not in signed_in["sessionid"]
    session = {"Cookie": signed_in["sessionid"].partition(";")[0]}
    front.reset()
    refreshed = front.post("/login_refresh", headers={**session, "Origin": FRONT})
    assert refreshed.json.keys() == {"success", "response_epoch_seconds"}
    assert set_cookies(refreshed).keys() == {PAYLOAD, SIGNATURE}
    front.reset()
    for headers in ({}, {"Authorization": "Bearer x"}):
        gone = front.post("/login_refresh", headers=headers, status=401)
        for name in (PAYLOAD, SIGNATURE):
            assert "Max-Age=0" in set_cookies(gone)[name]
            assert {"Domain=example.org", "Path=/"} <= {
                part.strip() for part in set_cookies(gone)[name].split(";")
            }
    page = front.get("/account/signin?next=https%3A%2F%2Ffront.example.org%2Faccount%3Fa%3Db")
    page.form["email"], page.form["password"] = adult.email, PASSWORD
    there = page.form.submit()
    assert there.location == f"{FRONT}/account?a=b"
    assert set_cookies(there).keys() >= {"sessionid", PAYLOAD, SIGNATURE}
    out = front.get("/account/signout?redirect_url=https%3A%2F%2Ffront.example.org%2F")
    out = out.form.submit() if out.status_int == 200 else out
    assert "Max-Age=0" in set_cookies(out)[PAYLOAD]
    assert out.location == f"{FRONT}/"


def test_the_language(app: TestApp, front: TestApp, adult: Person, stores: Process) -> None:
    shown = present("session", hold(stores, adult)).headers
    for language in ("de", "es-419", "pt-br", "zh-cn"):
        answer = front.post("/i18n/setlang/", {"language": language}, headers=shown, status=204)
        cookie = set_cookies(answer)["openedx-language-preference"]
        assert cookie.startswith(f"openedx-language-preference={language};")
        assert "Domain=example.org" in cookie
        assert "HttpOnly" not in cookie
    multipart = front.post(
        "/i18n/setlang/", {"language": "de"}, headers=shown, upload_files=[("x", "x", b"")]
    )
    assert multipart.status_int == 204
    for language in ("xx", "", "klingon", "../x", "d" * 100):
        front.post("/i18n/setlang/", {"language": language}, headers=shown, status=400)
    front.post("/i18n/setlang/", headers=shown, status=400)


def test_deleting_ones_account(app: TestApp, adult: Person, stores: Process, outbox: Outbox) -> None:
    path = "/api/user/v1/accounts/deactivate_logout/"
    holder = hold(stores, adult)
    shown = present("session", holder).headers
    app.post(path, {"password": "wrong"}, headers=shown, status=403)
    app.post(path, headers=shown, status=400)
    gone = app.post(path, {"password": PASSWORD}, headers=shown, status=204)
    assert set_cookies(gone).keys() == {"sessionid", PAYLOAD, SIGNATURE}
    app.reset()
    for kind in ("session", "bearer", "signed token"):
        app.get(account_of(adult), headers=present(kind, holder).headers, status=401)
    outbox.take()
    with stores.transaction() as store:
        assert store.reader.by_username("alice") is None


def test_a_forgotten_password(throttled: TestApp, adult: Person) -> None:
    outbox = Outbox(throttled.app.registry.process)
    answers = {throttled.post("/password_reset/", {"email": email}).body for email in (adult.email, NEW)}
    assert len(answers) == 1
    assert outbox.link_to(adult.email).startswith("/recovery/alice/")
    for _ in range(28):
        throttled.post("/password_reset/", {"email": NEW})
    assert throttled.post("/password_reset/", {"email": NEW}, status=403).json.keys() == {"detail"}


def test_s05_no_address_of_others(
    call: Call, app: TestApp, adult: Person, register: Callable[..., Person], stores: Process
) -> None:
    bob = register("bob", "canary@example.com")
    grow_up(stores, bob, account_privacy="all_users")
    call(bob).change({"email": "pending-canary@example.com"})
    alice = call(adult)
    for path in (
        account_of(bob),
        f"{account_of(bob)}?view=full",
        "/api/user/v1/accounts?usernames=bob,alice",
    ):
        assert b"canary" not in alice.get(path).body
    assert b"pending-canary" not in call(bob).get(account_of(bob)).body


def test_s04_naming_columns_changes_none(call: Call, app: TestApp, adult: Person) -> None:
    further = (
        "id",
        "is_admin",
        "is_staff",
        "is_superuser",
        "api_key",
        "password_hash",
        "credential_epoch",
        "state",
    )
    caller = call(adult)
    before = caller.get(account_of(adult)).json
    assert caller.change(dict.fromkeys(further, True)).json == before
    headers = {**caller.headers, "Content-Type": MERGE_PATCH}
    assert app.patch(account_of(adult) + "?goals=x", b"{}", headers=headers).json == before
