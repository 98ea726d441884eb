"""Bookie 2.2: a forgotten password, and the first one of an invited account."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from sqlalchemy import select
from webtest import TestApp

from accountsapp.domain.accounts import lifecycle, registration
from accountsapp.domain.clock import now
from accountsapp.domain.credentials import recovery, sessions, signin
from accountsapp.domain.data.models import Account, AccountState, EmailAddress
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.domain.rules.folding import fold
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, SITE_URL, Person
from tests.support.bookie import Bookie
from tests.support.outbox import Outbox, links_in, text_of

NEW = "a new and better one"
ACTIVATED = "Account activated, please log in."


def set_state(stores: Process, person: Person, state: AccountState) -> None:
    with stores.transaction() as store:
        account = store.session.get(Account, person.id)
        assert account is not None
        account.state = state


def code_for(stores: Process, person: Person, seconds: float = 600) -> str:
    """A code as the mail would bring it."""
    with stores.transaction() as store:
        account = store.session.get(Account, person.id)
        assert account is not None
        return links.make(store.session, account, Purpose.RESET, person.email, seconds)


def is_password(stores: Process, person: Person, password: str) -> bool:
    with stores.transaction() as store:
        return stores.passwords.verify(password, store.reader.password_hash(person.id))


@pytest.mark.parametrize("how", ["query", "form", "json"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_ask_from_any_place(bookie: Bookie, alice: Person, outbox: Outbox, how: str, slash: str) -> None:
    answer = bookie("POST", "/suspend" + slash, **{how: {"email": " Alice@Example.com "}})
    assert (answer.status_int, list(answer.json)) == (200, ["message"])
    assert "check your email" in answer.json["message"]
    assert outbox.to("alice@example.com")


def test_one_answer_and_the_same_work_for_everybody(
    bookie: Bookie, alice: Person, register: Callable[..., Person], stores: Process, outbox: Outbox
) -> None:
    register("gone", is_admin=True)
    with stores.transaction() as store:
        lifecycle.delete(store, register("deleted").id)
    assert [message["To"] for message in outbox.take()] == ["deleted@example.com"]
    set_state(stores, register("off"), AccountState.DEACTIVATED)
    set_state(stores, register("waits"), AccountState.PENDING)
    register("unproved", verified=False)
    answers, queued = set(), set()
    for name in ("alice", "alice", "nobody", "off", "waits", "unproved", "gone", "deleted", "ALICE"):
        before = outbox.jobs()
        answer = bookie("POST", "/suspend", json={"email": f"{name}@example.com"})
        headers = tuple(sorted((k, v) for k, v in answer.headers.items() if k != "X-Request-Id"))
        answers.add((answer.status_int, answer.body, headers))
        queued.add(outbox.jobs() - before)
    assert len(answers) == 1
    assert queued == {1}
    told = [str(message["To"]) for message in outbox.take()]
    assert set(told) == {f"{name}@example.com" for name in ("alice", "waits", "unproved", "gone")}
    assert "code" not in next(iter(answers))[1].decode()


@pytest.mark.parametrize(
    "email",
    [None, "", " ", "alice", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\nBcc: x@y", 5, ["a@b"], {}, True],
)
def test_no_address(bookie: Bookie, outbox: Outbox, email: object) -> None:
    answer = bookie("POST", "/suspend", json={} if email is None else {"email": email})
    assert (answer.status_int, list(answer.json)) == (406, ["error"])
    assert answer.json["error"]
    assert outbox.jobs() == 0


def test_asking_touches_nothing(
    bookie: Bookie, alice: Person, outbox: Outbox, snapshot: Callable[[], Any]
) -> None:
    before = snapshot()
    bookie("POST", "/suspend", form={"email": alice.email})
    outbox.take()
    assert snapshot() == before
    assert bookie("GET", "/alice/ping", query={"api_key": alice.api_key}).json["success"] is True


def test_the_mail(bookie: Bookie, alice: Person, outbox: Outbox) -> None:
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    bookie("POST", "/suspend", form={"email": alice.email}, headers=evil)
    (message,) = outbox.take()
    assert message["To"] == alice.email
    for part in (str(message["Subject"]), text_of(message)):
        assert "accounts.example.org" in part
        assert "alice" in part
    (link,) = links_in(message)
    prefix = f"{SITE_URL}/recovery/alice/reset/"
    assert link.startswith(prefix)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22,}", link.removeprefix(prefix))
    assert "evil" not in message.as_string()


def test_the_link_of_a_username_that_needs_quoting(
    bookie: Bookie, register: Callable[..., Person], outbox: Outbox, app: TestApp
) -> None:
    for number, username in enumerate(("jürgen", "a b", "x@y.example", "semi;colon", "50%", "@@view", "q?#")):
        register(username, f"user{number}@example.com")
        bookie("POST", "/suspend", form={"email": f"user{number}@example.com"})
        path = outbox.link_to(f"user{number}@example.com")
        assert path == f"/recovery/{quote(username, safe='')}/reset/{path.rpartition('/')[2]}"
        assert app.get(path).status_int == 200


def test_only_the_primary_address_is_asked_by(bookie: Bookie, alice: Person, outbox: Outbox) -> None:
    bookie("POST", "/alice/account", form={"api_key": alice.api_key, "email": "other@example.com"})
    outbox.take()
    bookie("POST", "/suspend", form={"email": "other@example.com"})
    assert outbox.take() == []
    bookie("POST", "/suspend", form={"email": alice.email})
    assert [str(m["To"]) for m in outbox.take()] == [alice.email]


def test_using_a_code(bookie: Bookie, alice: Person, stores: Process, outbox: Outbox) -> None:
    with stores.transaction() as store:
        row = signin.authenticate(store, "alice", PASSWORD)
        cookie = signin.sign_in(store, row)
    bookie("POST", "/suspend", form={"email": alice.email})
    code = outbox.code_to(alice.email)
    answer = bookie("DELETE", "/suspend", json={"username": "ALICE", "code": code, "password": NEW})
    assert (answer.status_int, answer.json) == (200, {"message": ACTIVATED, "username": "alice"})
    assert is_password(stores, alice, NEW)
    assert not is_password(stores, alice, PASSWORD)
    assert bookie("GET", "/alice/ping", query={"api_key": alice.api_key}).status_int == 200
    with stores.transaction() as store:
        assert sessions.find(store.connection, cookie) is None
    assert [str(m["To"]) for m in outbox.take()] == [alice.email]

    again = bookie("DELETE", "/suspend", json={"username": "alice", "code": code, "password": NEW})
    assert again.status_int == 403


def test_using_a_code_proves_the_address(
    bookie: Bookie, register: Callable[..., Person], bob: Person, stores: Process
) -> None:
    """Copies that others have and never proved disappear; their other addresses stay."""
    owner = register("owner", verified=False)
    with stores.transaction() as store:
        account = store.session.get_one(Account, bob.id)
        for address in ("Owner@example.com", "other@example.com"):
            account.emails.append(EmailAddress(address=address, address_key=fold(address)))
    given = {"username": "owner", "code": code_for(stores, owner), "password": NEW}
    assert bookie("DELETE", "/suspend", json=given).status_int == 200
    with stores.transaction() as store:
        addresses = store.session.scalars(select(EmailAddress))
        assert {(row.account_id, row.address, row.verified) for row in addresses} == {
            (owner.id, "owner@example.com", True),
            (bob.id, "bob@example.com", True),
            (bob.id, "other@example.com", False),
        }


@pytest.mark.parametrize("how", ["query", "form", "json", "multipart"])
def test_a_code_from_any_place(bookie: Bookie, alice: Person, stores: Process, how: str) -> None:
    given = {"username": "alice", "code": code_for(stores, alice), "password": NEW}
    if how == "multipart":
        body = "".join(
            f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in given.items()
        )
        answer = bookie(
            "DELETE",
            "/suspend",
            body=f"{body}--b--\r\n".encode(),
            content_type="multipart/form-data; boundary=b",
        )
    elif how == "query":  # as api.js sends it: everything in the query, a JSON content type, no body
        answer = bookie(
            "DELETE",
            "/suspend",
            query={**given, "api_key": "", "new_username": ""},
            content_type="application/json",
            headers={"X-Requested-With": "XMLHttpRequest", "Accept": "application/json"},
        )
    else:
        answer = bookie("DELETE", "/suspend", **{how: given})
    assert (answer.status_int, answer.json) == (200, {"message": ACTIVATED, "username": "alice"})


def test_refusals_in_their_order_and_none_uses_the_code_up(
    bookie: Bookie, alice: Person, bob: Person, stores: Process, snapshot: Callable[[], Any]
) -> None:
    code = code_for(stores, alice)
    before = snapshot()
    good = {"username": "alice", "code": code, "password": NEW}

    def refused(status: int, **change: object) -> bytes:
        given = {k: v for k, v in {**good, **change}.items() if v is not None}
        answer = bookie("DELETE", "/suspend", json=given)
        assert (answer.status_int, list(answer.json)) == (status, ["error"]), change
        return answer.body

    for password in (None, "", "short", " " * 9, "password1", "x" * 73, "nul\0inside", 12345678, ["x" * 9]):
        refused(406, password=password)
        refused(406, password=password, code="wrong", username="nobody")
    # The owner's names are refused only to who has the code: nobody learns an address this way.
    refused(406, password="Alice@example.com")
    refused(403, password="Alice@example.com", code="wrong")

    flipped = code[:-1] + ("A" if code[-1] != "A" else "B")
    bodies = {
        refused(403, username="nobody"),
        refused(403, username=None),
        refused(403, username=""),
        refused(403, username=["alice"]),
        refused(403, username="bob"),
        refused(403, username="al\0ice"),
        refused(403, code=None),
        refused(403, code=""),
        refused(403, code=5),
        refused(403, code=flipped),
        refused(403, code=code[:-1]),
        refused(403, code=code + "A"),
        refused(403, code=code.swapcase()),
        refused(403, code=" " + code),
        refused(403, code="x" * 5000),
        refused(403, code="\0"),
        refused(403, code="nobody", new_username="a/b"),
    }
    assert len(bodies) == 1
    refused(406, new_username="newname")  # alice is no pending account
    assert snapshot() == before
    assert bookie("DELETE", "/suspend", json=good).status_int == 200
    assert bookie("DELETE", "/suspend", json=good).body in bodies


def test_expired_replaced_and_void_codes_are_one_refusal(
    bookie: Bookie, alice: Person, stores: Process
) -> None:
    def use(code: str) -> tuple[int, bytes]:
        answer = bookie("DELETE", "/suspend", json={"username": "alice", "code": code, "password": NEW})
        return answer.status_int, answer.body

    wrong = use("wrong")
    assert wrong[0] == 403
    expired = code_for(stores, alice, seconds=0)
    replaced = code_for(stores, alice)
    code_for(stores, alice)
    assert use(expired) == use(replaced) == wrong
    voided = code_for(stores, alice)
    changed = bookie(
        "POST",
        "/alice/password",
        form={"api_key": alice.api_key, "current_password": PASSWORD, "new_password": "something else"},
    )
    assert changed.status_int == 200
    assert use(voided) == wrong


def test_a_code_dies_with_deactivation_and_revives_nobody(
    bookie: Bookie, alice: Person, stores: Process, outbox: Outbox
) -> None:
    code = code_for(stores, alice)
    with stores.transaction() as store:
        lifecycle.deactivate(store, alice.id)
    given = {"username": "alice", "code": code, "password": NEW}
    assert bookie("DELETE", "/suspend", json=given).status_int == 403
    # Even a code that was made later, by whatever door.
    given["code"] = code_for(stores, alice)
    assert bookie("DELETE", "/suspend", json=given).status_int == 403
    assert not is_password(stores, alice, NEW)
    with stores.transaction() as store:
        lifecycle.activate(store, alice.id)
    given["code"] = code
    assert bookie("DELETE", "/suspend", json=given).status_int == 403


def test_a_request_that_was_queued_before_the_deactivation_sends_nothing(
    bookie: Bookie, alice: Person, stores: Process, outbox: Outbox
) -> None:
    bookie("POST", "/suspend", form={"email": alice.email})
    with stores.transaction() as store:
        lifecycle.deactivate(store, alice.id)
    assert outbox.take() == []


def test_life_of_a_code(make_app: Callable[..., Any], alice: Person, outbox: Outbox) -> None:
    bookie = Bookie(TestApp(make_app()))
    life = timedelta(seconds=18000)
    for late, status in ((timedelta(seconds=-5), 200), (timedelta(seconds=5), 403)):
        bookie("POST", "/suspend", form={"email": alice.email})
        code = outbox.code_to(alice.email)
        with time_machine.travel(now() + life + late):
            answer = bookie("DELETE", "/suspend", json={"username": "alice", "code": code, "password": NEW})
        assert answer.status_int == status
        outbox.take()


@pytest.fixture
def invited(stores: Process, alice: Person) -> Person:
    """A pending account, named by its address."""
    with stores.transaction() as store:
        account = registration.register(
            store, "new@example.com", "new@example.com", state=AccountState.PENDING, invited_by="alice"
        )
        return Person(account.id, "new@example.com", "new@example.com", None, "")


def use(bookie: Bookie, person: Person, code: str, **further: object) -> Any:
    given = {"username": person.username, "code": code, "password": NEW, **further}
    return bookie("DELETE", "/suspend", json=given)


def test_a_pending_account_is_activated_and_may_choose_its_name(
    bookie: Bookie, invited: Person, stores: Process
) -> None:
    answer = use(bookie, invited, code_for(stores, invited), new_username="  Neo.Phyte ")
    assert answer.json == {"message": ACTIVATED, "username": "neo.phyte"}
    with stores.transaction() as store:
        row = store.reader.by_id(invited.id)
        assert row is not None
        assert (row.state, row.username, row.email_verified) == (AccountState.ACTIVE, "neo.phyte", True)


@pytest.mark.parametrize("none", [None, ""])
def test_a_pending_account_may_keep_its_name(
    bookie: Bookie, invited: Person, stores: Process, none: object
) -> None:
    answer = use(bookie, invited, code_for(stores, invited), new_username=none)
    assert answer.json["username"] == "new@example.com"


BAD_NAMES = [
    *(
        " ",
        ".",
        "..",
        "a/b",
        "/",
        "@@view",
        "nul\0",
        "new\nline",
        "x" * 256,
        "\ufdfa" * 255,
        "\ud800",
        "\u2028",
        5,
        ["x"],
        {},
    ),
    *("a", "A", "ping", "Suspend", "STATS", "bmarks", "tags", "account", "register", "api", " signin "),
    *("alice", "ALICE", "Älice", NEW),
]


def test_names_that_cannot_be_chosen(
    bookie: Bookie, invited: Person, register: Callable[..., Person], stores: Process
) -> None:
    register("älice", "aelice@example.com")
    code = code_for(stores, invited)
    for name in BAD_NAMES:
        answer = use(bookie, invited, code, new_username=name)
        assert (answer.status_int, list(answer.json)) == (406, ["error"]), name
    answer = use(bookie, invited, code, new_username="a/b", password="short")
    assert (answer.status_int, answer.json["error"]) == (406, "A password needs at least 8 characters")
    for name in ("x", "ñ" * 255):
        with stores.transaction() as store:
            account = store.session.get(Account, invited.id)
            assert account is not None
            account.state = AccountState.PENDING
        answer = use(bookie, invited, code, new_username=name)
        assert (answer.status_int, answer.json["username"]) == (200, name)
        with stores.transaction() as store:
            account = store.session.get(Account, invited.id)
            assert account is not None
            account.username = account.username_key = invited.username
        code = code_for(stores, invited)


def test_ping_and_other_words_of_paths_are_accounts_too(
    bookie: Bookie, register: Callable[..., Person]
) -> None:
    for name in ("ping", "suspend", "a", "stats"):
        person = register(name)
        answer = bookie("GET", f"/{name}/account", query={"api_key": person.api_key})
        assert (answer.status_int, answer.json.get("username")) == (200, name)
        pinged = bookie("GET", f"/{name}/ping/", query={"api_key": person.api_key})
        assert pinged.json == {"success": True, "message": "Looks good"}


def test_methods_and_paths(bookie: Bookie, alice: Person) -> None:
    for slash in ("", "/"):
        for method in ("GET", "PUT", "PATCH", "TRACE"):
            answer = bookie(method, f"/suspend{slash}")
            assert answer.status_int == 405
            assert answer.headers["Allow"] == "DELETE, OPTIONS, POST"
        options = bookie("OPTIONS", f"/suspend{slash}")
        assert (options.status_int, options.body) == (204, b"")
        assert options.headers["Allow"] == "DELETE, OPTIONS, POST"
        assert options.headers["Access-Control-Allow-Methods"] == "DELETE, OPTIONS, POST"
    for path in ("/suspend/x", "/Suspend", "/suspend//", "/suspend/suspend", "/alice/suspend"):
        for method in ("POST", "DELETE"):
            answer = bookie(method, path, form={"email": alice.email, "api_key": alice.api_key})
            assert (answer.status_int, answer.json) == (404, {"error": "Not found."}), path


def test_jsonp(bookie: Bookie, alice: Person, outbox: Outbox) -> None:
    answer = bookie("POST", "/suspend", query={"callback": "f"}, form={"email": alice.email})
    assert answer.status_int == 200
    assert answer.text.startswith("/**/f({")
    refused = bookie("DELETE", "/suspend", query={"callback": "f"}, json={"password": NEW})
    assert (refused.status_int, refused.text[:6]) == (403, "/**/f(")
    before = outbox.jobs()
    bad = bookie("POST", "/suspend", query={"callback": "f("}, form={"email": alice.email})
    assert (bad.status_int, bad.json) == (400, {"error": "Invalid callback."})
    assert outbox.jobs() == before


def test_flood_of_one_address_is_silent(throttled: TestApp, alice: Person, outbox: Outbox) -> None:
    bookie = Bookie(throttled)
    answers = {
        (answer.status_int, answer.body)
        for _ in range(12)
        for answer in [bookie("POST", "/suspend", form={"email": alice.email})]
    }
    assert len(answers) == 1
    assert {status for status, _ in answers} == {200}
    assert 1 <= len(outbox.take()) <= 5


def test_flood_from_one_client_is_refused(throttled: TestApp) -> None:
    bookie = Bookie(throttled)
    statuses = [
        bookie("POST", "/suspend", form={"email": f"user{number}@example.com"}) for number in range(40)
    ]
    refused = [answer for answer in statuses if answer.status_int == 429]
    assert len(refused) >= 5
    assert {answer.status_int for answer in statuses} == {200, 429}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    assert refused[0].json["error"]


def test_malformed_addresses_count_and_are_refused_like_others(throttled: TestApp) -> None:
    """The throttle (1.3, row 5) comes before the values (row 7)."""
    bookie = Bookie(throttled)
    malformed = [bookie("POST", "/suspend", form={"email": "nobody"}).status_int for _ in range(31)]
    assert malformed == [406] * 30 + [429]
    assert bookie("POST", "/suspend", form={"email": "nobody@example.com"}).status_int == 429


def test_the_new_name_is_no_password(bookie: Bookie, invited: Person, stores: Process) -> None:
    code = code_for(stores, invited)
    assert use(bookie, invited, code, new_username="Fantastic", password="fantastic").status_int == 406
    assert use(bookie, invited, code, new_username="Fantastic").status_int == 200


def test_asking_again_after_a_lost_answer_replaces_the_code(
    bookie: Bookie, alice: Person, outbox: Outbox, stores: Process
) -> None:
    for _ in range(2):
        bookie("POST", "/suspend", form={"email": alice.email})
    codes = [links_in(message)[0].rpartition("/")[2] for message in outbox.take()]
    assert len(codes) == 2
    with stores.transaction() as store:
        good = [code for code in codes if recovery.find(store, "alice", code) is not None]
    assert len(good) == 1
