"""``/keys``: keys are made, rotated and revoked; what is refused changes nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import time_machine
from sqlalchemy import select

from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import api_keys, named_keys
from accountsapp.domain.credentials.named_keys import NamedKey
from accountsapp.domain.data.models import AuditEvent
from accountsapp.process import Process
from accountsapp.testing.people import SITE_URL, Person
from tests.support.keys_page import KeysPage, api_key_in
from tests.support.outbox import Outbox

EXTENSION = ("account:read", "account:write", "key:read", "key:write")
BOTH_READ = ("email:read", "key:read")
DAY = timedelta(days=1)


def keys_of(stores: Process, person: Person) -> list[NamedKey]:
    with stores.transaction() as store:
        return named_keys.listing(store.connection, person.id)


@contextmanager
def later(page: KeysPage, **distance: float) -> Iterator[None]:
    """Some time later, the password entered again."""
    with time_machine.travel(now() + timedelta(**distance)):
        page.post("confirm", {"password": page.person.password}, status=303)
        yield


def test_what_a_form_makes(wsgi: Any, stores: Process, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    cases: list[tuple[dict[str, Any], list[str], tuple[str, ...] | None, timedelta | None]] = [
        ({"preset": "read-only"}, [], ("account:read",), 365 * DAY),
        ({"preset": "extension", "expires_in": ""}, ["administer"], EXTENSION, 365 * DAY),
        ({"preset": "full", "expires_in": "never"}, ["no such"], None, None),
        ({"preset": "custom", "expires_in": "1"}, ["key:read", "email:read"], BOTH_READ, DAY),
        ({"expires_in": "3650"}, ["administer", "administer"], ("administer",), 3650 * DAY),
        ({"expires_in": "0030"}, ["email:write", "email:read"], ("email:read", "email:write"), 30 * DAY),
        ({"preset": "full", "expires_in": "7", "id": "x", "state": "expired"}, [], None, 7 * DAY),
    ]
    for number, (fields, scopes, granted, lifetime) in enumerate(cases):
        pairs = [("name", f"  Gerät {number} "), *fields.items(), *(("scope", scope) for scope in scopes)]
        answer = page.post("add", pairs, status=200)
        key = keys_of(stores, alice)[-1]
        assert (key.name, key.scopes) == (f"Gerät {number}", granted)
        assert key.expires == (key.created + lifetime if lifetime is not None else None)
        assert page.opens(api_key_in(answer)) is (granted is None or "account:read" in granted)
    header = {"X-CSRFToken": page.token}
    page.app.post("/keys/add", {"name": "By header", "preset": "full"}, headers=header, status=200)
    assert len(keys_of(stores, alice)) == len(cases) + 1


def test_what_no_form_may_say(wsgi: Any, stores: Process, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    good = {"name": "Phone", "preset": "full"}
    cases: list[dict[str, str]] = [
        *({**good, "name": name} for name in ("", "   ", "x" * 81, "a\tb", "a\0b", "a\x7fb", "a\u0085b")),
        *({**good, "preset": preset} for preset in ("", "Full", "full ", "all", "read-only,full")),
        {"name": "Phone"},
        {"name": "Phone", "preset": "custom"},
        *({"name": "Phone", "scope": scope} for scope in ("", "all", "Key:read", "account:read key:read")),
        *(
            {**good, "expires_in": days}
            for days in ("0", "3651", "-1", "+5", "1.5", " 7", "7 ", "²", "٣", "1e2", "Never", "9" * 5000)
        ),
        {"preset": "full"},
    ]
    for fields in cases:
        answer = page.post("add", fields)
        assert answer.status_int == 400, fields
        assert answer.html.select_one("form[action='/keys/add'] .error") is not None, fields
        assert not answer.html.select("#api-key")
    token = page.token
    for files in ([("name", "n.txt", b"x")], [("expires_in", "7", b"x")], [("scope", "x", b"account:read")]):
        fields = {"name": "Phone", "preset": "custom", "csrf_token": token}
        answer = page.app.post("/keys/add", fields, upload_files=files, expect_errors=True)
        assert answer.status_int == 400
    for body in ({"name": 5}, {"name": "A", "scope": [["key:read"]]}, {"name": "A", "preset": ["full"]}, {}):
        answer = page.app.post_json("/keys/add", body, headers={"X-CSRFToken": token}, expect_errors=True)
        assert answer.status_int == 415
    assert keys_of(stores, alice) == []


def test_what_was_typed_comes_back(wsgi: Any, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    fields = [("name", "x" * 81), ("scope", "key:read"), ("scope", "email:read"), ("expires_in", "90")]
    form = page.post("add", fields, status=400).html.select_one("form[action='/keys/add']")
    checked = [box["value"] for box in form.select("input[checked]")]
    assert checked == ["custom", "email:read", "key:read"]
    assert form.select_one("option[selected]")["value"] == "90"
    assert form.select_one("#name")["value"] == "x" * 81


def test_a_form_that_came_too_late_is_sent_again_as_it_was(wsgi: Any, stores: Process, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    sent = [("csrf_token", "of the day before"), ("name", "L <1>"), ("preset", "custom")]
    sent += [("scope", "email:read"), ("scope", "key:read")]
    late = page.app.post("/keys/add", sent, headers={"Origin": SITE_URL}, status=400)
    assert late.form.method == "post"
    assert not late.form.action
    answer = late.form.submit(headers={"Origin": SITE_URL}, status=200)
    assert api_key_in(answer)
    ((name, scopes),) = [(key.name, key.scopes) for key in keys_of(stores, alice)]
    assert (name, set(scopes or ())) == ("L <1>", set(BOTH_READ))


def test_conflicts(
    wsgi: Any, stores: Process, alice: Person, bob: Person, make_app: Callable[..., Any]
) -> None:
    page = KeysPage(make_app(**{"accountsapp.keys.max": "3"}), alice)
    first = page.add("Straße").id
    page.post("add", {"name": " STRASSE ", "preset": "full"}, status=409)
    both = page.post("add", {"name": "STRASSE", "preset": "custom", "expires_in": "x"}, status=400)
    assert both.html.select_one("#name").has_attr("autofocus")
    assert len(both.html.select("[autofocus]")) == 1
    assert [error["id"] for error in both.html.select(".error")] == [
        "name-error",
        "scope-error",
        "expires_in-error",
    ]
    unfit = page.post("add", {"name": "Fit", "preset": "custom", "expires_in": "x"}, status=400)
    assert [place["id"] for place in unfit.html.select("[autofocus]")] == ["scope"]
    theirs = KeysPage(wsgi, bob)
    theirs.add("Straße")
    page.post(f"{first}/rotate", {"overlap": "24"}, status=200)
    for key in keys_of(stores, alice):  # one is retiring, the other has a retiring partner
        assert page.post(f"{key.id}/rotate", {"overlap": "24"}).status_int == 409
    page.add("Second")
    page.add("Third", expires_in="1")
    full = page.post("add", {"name": "Fourth", "preset": "full"}, status=409)
    assert "at most 3 named keys" in full.html.select_one("[role=alert]").text
    assert [key.name for key in keys_of(stores, alice)] == ["Straße", "Straße", "Second", "Third"]
    with later(page, days=2):  # the third has expired, the retiring one too
        expired = [key for key in keys_of(stores, alice) if key.state == "expired"]
        assert [key.name for key in expired] == ["Straße", "Third"]
        for key in expired:
            assert page.post(f"{key.id}/rotate").status_int == 409
        page.add("Third")
        page.post("add", {"name": "Fourth", "preset": "full"}, status=409)


def test_rotation(wsgi: Any, stores: Process, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    made = page.add("Laptop", expires_in="10")
    (old,) = keys_of(stores, alice)
    with later(page, days=4):
        answer = page.post(f"{made.id}/rotate", {"overlap": "24"}, status=200)
        former, new = keys_of(stores, alice)
        assert (former.id, former.state, new.state) == (old.id, "retiring", "active")
        assert (new.name, new.scopes) == (old.name, old.scopes)
        assert old.expires is not None
        assert new.expires == new.created + (old.expires - old.created)
        assert former.expires == new.created + DAY
        assert page.opens(made.api_key)
        assert page.opens(api_key_in(answer))
        shown = [time["datetime"] for time in answer.html.select(".revealed time")]
        assert shown == [former.expires.strftime("%Y-%m-%dT%H:%M:%SZ")]
        states = [state["data-state"] for state in answer.html.select("[data-state]")]
        assert sorted(states) == ["active", "retiring"], "in the words of the API, whatever people read"
        with later(page, hours=25):
            assert not page.opens(made.api_key)
            again = page.post(f"{new.id}/rotate", {"overlap": ""}, status=200)  # at once
            assert not page.opens(api_key_in(answer))
            assert page.opens(api_key_in(again))
            assert not again.html.select(".revealed time")


def test_ends_of_rotated_keys(wsgi: Any, stores: Process, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    endless = page.add("Endless", expires_in="never")
    page.post(f"{endless.id}/rotate", {"overlap": "168"}, status=200)
    former, new = keys_of(stores, alice)[-2:]
    assert (new.expires, former.expires) == (None, new.created + 7 * DAY)
    short = page.add("Short", expires_in="1")
    page.post(f"{short.id}/rotate", {"overlap": "168"}, status=200)
    former, new = keys_of(stores, alice)[-2:]
    assert former.expires == former.created + DAY


def test_bad_overlaps_change_nothing(wsgi: Any, stores: Process, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    made = page.add("Laptop")
    before = keys_of(stores, alice)
    for overlap in ("169", "-1", "+5", "1.5", "²", "٣", "x", " 1", "9" * 5000, "never"):
        answer = page.post(f"{made.id}/rotate", {"overlap": overlap})
        assert answer.status_int == 400, overlap
        assert answer.html.select_one(f"form[action='/keys/{made.id}/rotate'] .error") is not None
    assert keys_of(stores, alice) == before


def test_revocation_of_one_half(wsgi: Any, alice: Person) -> None:
    page = KeysPage(wsgi, alice)
    for which in (0, 1):
        made = page.add("Laptop")
        api_keys_of_pair = [
            made.api_key,
            api_key_in(page.post(f"{made.id}/rotate", {"overlap": "1"}, status=200)),
        ]
        ended = page.ids[which]
        assert page.post(f"{ended}/revoke", status=303).location == "/keys"
        assert [page.opens(api_key) for api_key in api_keys_of_pair] == [which == 1, which == 0]
        assert page.post(f"{ended}/revoke").status_int == 404
        page.post(f"{page.ids[0]}/revoke", status=303)
        assert page.ids == []
        assert not any(page.opens(api_key) for api_key in api_keys_of_pair)


def test_the_default_key(wsgi: Any, stores: Process, alice: Person, outbox: Outbox) -> None:
    page = KeysPage(wsgi, alice)
    named = page.add("Laptop").api_key
    outbox.take()
    assert api_key_in(page.post("default/show", status=200)) == alice.api_key
    assert outbox.take() == []
    shown = api_key_in(page.post("default/reset", status=200))
    with stores.transaction() as store:
        row = store.reader.by_id(alice.id)
        assert row is not None
        assert api_keys.reveal(store, row) == shown
        events = store.session.scalars(select(AuditEvent.event)).all()
    assert events.count(Event.API_KEY_RESET) == 1
    assert [page.opens(api_key) for api_key in (alice.api_key, shown, named)] == [False, True, True]
    (mail,) = outbox.take()
    assert mail["To"] == alice.email


def test_each_change_is_one_event_and_told_by_mail(
    wsgi: Any, stores: Process, alice: Person, outbox: Outbox
) -> None:
    page = KeysPage(wsgi, alice)
    made = page.add("Laptop").id
    assert len(outbox.take()) == 1
    page.post(f"{made}/rotate", {"overlap": "1"}, status=200)
    (mail,) = outbox.take()
    assert "Laptop" in str(mail.get_body(("plain",)))
    new = keys_of(stores, alice)[-1].id
    page.post(f"{made}/revoke", status=303)
    page.post(f"{made}/revoke", status=404)
    page.post("add", {"name": ""}, status=400)
    assert outbox.take() == []
    with stores.transaction() as store:
        statement = select(AuditEvent.event, AuditEvent.detail, AuditEvent.account_id, AuditEvent.actor_id)
        rows = store.session.execute(statement.where(AuditEvent.event.like("API key%"))).all()
    assert [tuple(row) for row in rows] == [
        (Event.API_KEY_ADDED, {"key": made, "by": "page"}, alice.id, alice.id),
        (Event.API_KEY_ROTATED, {"key": made, "new": new, "by": "page"}, alice.id, alice.id),
        (Event.API_KEY_REVOKED, {"key": made, "by": "page"}, alice.id, alice.id),
    ]
