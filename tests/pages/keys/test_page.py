"""``/keys``: who sees it, what it shows, and that it shows no key twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from sqlalchemy import update
from webtest import TestApp

from accountsapp.domain.clock import now
from accountsapp.domain.credentials import named_keys
from accountsapp.domain.credentials.named_keys import By
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.process import Process
from accountsapp.testing.credentials import hold
from accountsapp.testing.oauth import basic, bearer
from accountsapp.testing.people import PASSWORD, Person
from accountsapp.web.formats import seconds
from tests.support.keys_page import KeysPage, api_key_in

FORMS = ["/keys/default/show", "/keys/default/reset", "/keys/add"]


def actions(answer: Any) -> list[str]:
    return [form.get("action", "") for form in answer.html.select("main form")]


def test_only_a_session_opens_it(app: TestApp, stores: Process, alice: Person) -> None:
    holder = hold(stores, alice)
    with stores.transaction() as store:
        more = {"scopes": None, "lifetime": None, "by": By.CLI, "most": 20}
        named = named_keys.add(store, alice.id, name="All", **more).api_key
    shown: list[tuple[str, dict[str, str]]] = [
        ("", {}),
        ("", basic("alice", PASSWORD)),
        ("", bearer(holder.token)),
        ("", {"Authorization": f"Session {holder.cookie}"}),
        ("", {"Cookie": "sessionid=" + "A" * 43}),
    ]
    for api_key in (alice.api_key, named):
        shown += [
            (f"?api_key={api_key}", {}),
            ("", {"X-Api-Key": api_key}),
            ("", bearer(api_key)),
            ("", {"Cookie": f"sessionid={api_key}"}),
        ]
    for query, headers in shown:
        answer = app.get(f"/keys{query}", headers=headers, status=200)
        app.reset()
        assert answer.html.h1.text == "Sign in"
        assert {"username", "password", "csrf_token"} <= set(answer.form.fields)
    answer = app.get("/keys", headers={"Cookie": f"sessionid={holder.cookie}"}, status=200)
    assert answer.html.h1.text == "API keys"


def test_sign_in_and_come_back(app: TestApp, alice: Person, bob: Person) -> None:
    form = app.get("/keys").form
    form["username"], form["password"] = "alice", "wrong"
    again = form.submit(expect_errors=True)
    assert again.status_int == 400
    assert again.form["username"].value == "alice"
    form["password"] = PASSWORD
    assert form.submit(status=303).location == "/keys"
    listed = app.get("/keys")
    assert "alice" in listed.html.main.text
    assert actions(listed) == FORMS
    first = app.cookies["sessionid"]
    token = listed.html.find(attrs={"name": "csrf_token"})["value"]
    fields = {"username": "bob", "password": PASSWORD}
    app.post("/keys", {**fields, "csrf_token": token}, status=303)
    assert app.cookies["sessionid"] != first
    assert "bob" in app.get("/keys").html.main.text
    former = app.get("/keys", headers={"Cookie": f"sessionid={first}"})
    assert former.html.h1.text == "Sign in"
    app.post("/keys", fields, status=400)


def test_headers(app: TestApp, wsgi: Any, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    answers = [
        app.get("/keys"),
        page.get(),
        page.post("add", {"name": "A", "preset": "full"}),
        page.post("add", {"name": ""}),
        page.post("default/show"),
        page.post("nobody/revoke"),
    ]
    assert [answer.status_int for answer in answers] == [200, 200, 200, 400, 200, 404]
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] in ("no-referrer", "same-origin")
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.content_type == "text/html"


def test_what_is_shown_of_each_key(wsgi: Any, stores: Process, alice: Person, bob: Person) -> None:
    with stores.transaction() as store:

        def add(name: str, scopes: Any, days: int | None, account_id: int = alice.id) -> Any:
            lifetime = timedelta(days=days) if days is not None else None
            more = {"scopes": scopes, "lifetime": lifetime, "by": By.CLI, "most": 20}
            return named_keys.add(store, account_id, name=name, **more)

        made = [add("Laptop", ["key:read", "account:read"], 90), add("Phone", None, None)]
        theirs = add("Not mine", None, None, bob.id)
        used = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
        row = update(ApiKey).where(ApiKey.public_id == made[1].key.id)
        store.session.execute(row.values(last_used=used, last_used_in="query"))
    with time_machine.travel(now() - timedelta(days=40)), stores.transaction() as store:
        for name, days in (("Old", 20), ("Very old", 5)):
            made.append(add(name, ["administer"], days))
    page = KeysPage(wsgi, alice)
    listed = page.get()
    old, laptop, phone = (item for item in listed.html.select(".keys > li")[1:])
    assert [item.h2.contents[0].strip() for item in (old, laptop, phone)] == ["Old", "Laptop", "Phone"]
    states = [item.select_one("h2 .tag").text for item in (old, laptop, phone)]
    assert states == ["expired", "active", "active"]
    assert [code.text for code in laptop.select("code.tag")] == ["account:read", "key:read"]
    assert "all that your account may" in phone.text
    key = made[0].key
    times = [time["datetime"] for time in laptop.select("time")]
    assert times == [seconds(key.created), seconds(key.expires)]
    assert made[0].api_key[:9] in laptop.text
    assert "Not used yet" in laptop.text
    assert "Has no end" in phone.text
    assert [time["datetime"] for time in phone.select("time")][1:] == ["2026-03-04T05:06:07Z"]
    assert "in the query" in phone.text
    for api_key in (alice.api_key, theirs.api_key, *(each.api_key for each in made)):
        assert api_key not in listed.text
    assert "Not mine" not in listed.text
    assert "Very old" not in listed.text
    assert set(page.ids) == {old_id.key.id for old_id in made[:3]}


def test_a_key_is_shown_once(wsgi: Any, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    answer = page.post("add", {"name": "Once", "preset": "full"}, status=200)
    api_key = api_key_in(answer)
    assert answer.text.count(api_key) == 1
    assert page.opens(api_key)
    later = [page.get(), page.post("add", {"name": "Once", "preset": "full"}), page.post("default/show")]
    assert [seen.status_int for seen in later] == [200, 409, 200]
    assert all(api_key not in seen.text for seen in later)


def test_names_are_data(wsgi: Any, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    script = '"><script>alert(1)</script>{{ 7 * 7 }}%(name)s'
    for _ in range(2):  # made, then refused with the name in the form
        answer = page.post("add", {"name": script, "preset": "full"})
        assert "<script>alert" not in answer.text
        assert "&lt;script&gt;alert(1)" in answer.text
    (made,) = page.ids
    for answer in (page.get(), page.post(f"{made}/rotate", {"overlap": "1"})):
        assert "<script>alert" not in answer.text
        assert "{{ 7 * 7 }}%(name)s" in answer.html.main.text


def test_the_pages_lead_there(wsgi: Any, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    for path in ("/account/alice", "/account/alice/update", "/sessions", "/applications"):
        answer = page.app.get(path, headers={"Accept": "text/html"})
        assert "/keys" in [link["href"] for link in answer.html.select("main a, header a")], path
