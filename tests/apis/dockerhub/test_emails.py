"""Addresses: listed, added, verified, made primary, removed (dockerhub 6)."""

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
from accountsapp.domain.data.locking import lock
from accountsapp.domain.data.models import EmailAddress
from accountsapp.domain.emails import addresses
from accountsapp.domain.errors import EmailTaken
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.domain.store import Store
from accountsapp.process import Process
from accountsapp.testing.oauth import Client, basic, bearer, issue, mailed_path, mails
from accountsapp.testing.people import Person
from tests.support.outbox import Outbox

EMAILS = "/api/v1.1/users/alice/emails/"
X = "x@example.org"


class Caller:
    """Somebody who calls the addresses of one account."""

    def __init__(self, app: TestApp, username: str, headers: dict[str, str]) -> None:
        self.app, self.path, self.headers = app, f"/api/v1.1/users/{username}/emails/", headers

    def list(self) -> list[tuple[str, bool, bool]]:
        found = self.app.get(self.path, headers=self.headers).json
        assert all(set(email) == {"email", "verified", "primary"} for email in found)
        return [(email["email"], email["verified"], email["primary"]) for email in found]

    def add(self, email: Any, status: int = 201, **more: Any) -> Any:
        return self.app.post_json(
            self.path, {"email": email, **more}, headers=self.headers, status=status
        ).json

    def change(self, email: Any, status: int = 200, **flags: Any) -> Any:
        body = {"email": email, **flags}
        return self.app.patch_json(self.path, body, headers=self.headers, status=status).json

    def remove(self, email: Any, status: int = 204) -> Any:
        return self.app.delete_json(self.path, {"email": email}, headers=self.headers, status=status)


@pytest.fixture
def me(app: TestApp, alice: Person) -> Caller:
    """Alice by her password: an ordinary account."""
    return Caller(app, "alice", basic("alice"))


@pytest.fixture
def trusted(app: TestApp, stores: Process, alice: Person) -> Caller:
    """A token for alice that the operator issued."""
    return Caller(app, "alice", bearer(issue(stores, alice)))


@pytest.fixture
def other(app: TestApp, stores: Process, bob: Person) -> Caller:
    """The same for bob."""
    return Caller(app, "bob", bearer(issue(stores, bob)))


def test_the_list_is_primary_first_then_oldest_first(trusted: Caller) -> None:
    for address in ("c@example.org", "a@example.org", "b@example.org"):
        trusted.add(address)
    trusted.change("b@example.org", verified=True, primary=True)
    assert trusted.list() == [
        ("b@example.org", True, True),
        ("alice@example.com", True, False),
        ("c@example.org", False, False),
        ("a@example.org", False, False),
    ]


def test_post_adds_unverified_and_sends_nothing(me: Caller, stores: Process) -> None:
    answer = me.add(" New@Example.org ", verified=True, primary=True, id=7)
    assert answer == {"email": "New@Example.org", "verified": False, "primary": False}
    assert me.list()[1] == ("New@Example.org", False, False)
    assert mails(stores) == []


@pytest.mark.parametrize(
    "email",
    [None, 1, True, [], {}, "", "x", "a@b", "a@b@c.org", "@b.org", "a@.org", "a@b..org", "a b@c.org"]  # noqa: RUF005
    + ["a\n@b.org", "a\x00@b.org", "a\ud800@b.org", "a" * 246 + "@long.org", "a@b.org,c@d.org\r\n"],
)
def test_what_is_no_address_is_400_for_every_method(me: Caller, email: Any) -> None:
    for answer in (me.add(email, 400), me.change(email, 400, verified=True), me.remove(email, 400).json):
        assert list(answer) == ["email"]
        assert isinstance(answer["email"], list)


def test_254_characters(me: Caller) -> None:
    longest = "a" * 64 + "@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 57 + ".org"
    assert len(longest) == 254
    me.add(longest)
    me.add(longest.replace(".org", "e.org"), 400)


@pytest.mark.parametrize("method", ["post_json", "patch_json", "delete_json"])
def test_a_missing_address_is_400(app: TestApp, me: Caller, method: str) -> None:
    answer = getattr(app, method)(EMAILS, {}, headers=me.headers, status=400)
    assert list(answer.json) == ["email"]


def test_an_address_that_this_account_has_is_400_in_any_case(me: Caller) -> None:
    me.add(X)
    assert list(me.add("X@EXAMPLE.ORG", 400)) == ["email"]
    assert list(me.add("Alice@Example.com", 400)) == ["email"]


def test_an_address_that_another_account_has_is_400(me: Caller, other: Caller) -> None:
    other.add(X)
    other.change(X, verified=True)
    assert list(me.add("x@Example.ORG", 400)) == ["email"]  # verified
    assert list(me.add("BOB@example.com", 400)) == ["email"]  # primary


def test_an_unproved_claim_reserves_nothing(me: Caller, other: Caller) -> None:
    other.add(X)
    me.add(X)
    assert len(other.list()) == 2


def test_twenty_addresses(me: Caller) -> None:
    for number in range(19):
        me.add(f"a{number}@example.org")
    assert list(me.add("one@more.org", 400)) == ["email"]


def test_an_address_that_is_not_on_this_account_is_404(me: Caller, other: Caller) -> None:
    other.add(X)
    for address in (X, "bob@example.com", "nobody@example.org"):
        assert list(me.change(address, 404, verified=True)) == ["detail"]
        assert list(me.remove(address, 404).json) == ["detail"]


@pytest.mark.parametrize("value", [False, None, "true", "True", 1, 0, [], {}, "yes"])
@pytest.mark.parametrize("flag", ["verified", "primary"])
def test_flags_other_than_true_are_400(trusted: Caller, flag: str, value: Any) -> None:
    assert list(trusted.change("alice@example.com", 400, **{flag: value})) == [flag]


@pytest.mark.parametrize("value", ["true", "TRUE", "1"])
def test_flags_of_a_form(app: TestApp, trusted: Caller, value: str) -> None:
    trusted.add(X)
    answer = app.patch(EMAILS, {"email": X, "verified": value}, headers=trusted.headers)
    assert answer.json["verified"] is True
    for wrong in ("false", "0", "yes", ""):
        answer = app.patch(EMAILS, {"email": X, "primary": wrong}, headers=trusted.headers, status=400)
        assert list(answer.json) == ["primary"]
    app.delete(EMAILS, {"email": X}, headers=trusted.headers, status=204)


def test_both_flags_bad_are_both_told(trusted: Caller) -> None:
    assert set(trusted.change("no", 400, verified=1, primary=0)) == {"email", "verified", "primary"}


def test_no_flag_changes_nothing(me: Caller, stores: Process) -> None:
    me.add(X)
    assert me.change("X@example.org") == {"email": X, "verified": False, "primary": False}
    assert mails(stores) == []


def test_verified_when_another_account_has_it_is_400_for_every_caller_without_mail(
    me: Caller, trusted: Caller, other: Caller, stores: Process
) -> None:
    me.add(X)
    with stores.transaction() as store:  # as an import may leave it: bob has it, alice claims it
        bob_id = store.reader.by_username("bob").id
        store.session.add(EmailAddress(account_id=bob_id, address=X, address_key=X, verified=True))
    for caller in (me, trusted):
        assert list(caller.change(X, 400, verified=True)) == ["email"]
    assert mails(stores) == []


def test_verified_makes_unproved_copies_disappear(trusted: Caller, other: Caller) -> None:
    trusted.add(X)
    other.add("X@Example.org")
    other.add("keep@example.org")
    assert trusted.change(X, verified=True) == {"email": X, "verified": True, "primary": False}
    assert [email for email, *_ in other.list()] == ["bob@example.com", "keep@example.org"]


def test_verified_again_is_200_for_every_caller(me: Caller, trusted: Caller, stores: Process) -> None:
    trusted.add(X)
    trusted.change(X, verified=True)
    assert me.change(X, verified=True)["verified"] is True
    assert mails(stores) == []


def test_primary_must_be_verified(me: Caller, trusted: Caller) -> None:
    trusted.add(X)
    assert list(me.change(X, 400, primary=True)) == ["primary"]
    assert list(trusted.change(X, 400, primary=True)) == ["primary"]
    assert trusted.change(X, verified=True, primary=True) == {"email": X, "verified": True, "primary": True}


def test_the_former_primary_stays_and_is_told(trusted: Caller, me: Caller, stores: Process) -> None:
    trusted.add(X)
    trusted.change(X, verified=True)
    assert mails(stores) == []
    assert me.change(X, primary=True)["primary"] is True
    assert me.list() == [(X, True, True), ("alice@example.com", True, False)]
    ((notice, to, context),) = mails(stores)
    assert (notice, to, context["new_address"]) == ("email_changed", "alice@example.com", X)
    user = me.app.get("/api/v1.1/users/alice/", headers=me.headers).json
    assert user["email"] == X


def test_primary_again_is_200_without_mail(me: Caller, stores: Process) -> None:
    assert me.change("ALICE@example.com", primary=True)["primary"] is True
    assert mails(stores) == []


def test_delete(me: Caller) -> None:
    me.add(X)
    answer = me.remove("X@EXAMPLE.org")
    assert answer.body == b""
    assert [email for email, *_ in me.list()] == ["alice@example.com"]
    me.remove(X, 404)


def test_the_primary_one_cannot_be_deleted(me: Caller) -> None:
    assert list(me.remove("alice@example.com", 400).json) == ["email"]


# Who may assert


def test_a_confidential_client_may_assert(app: TestApp, stores: Process, alice: Person) -> None:
    client = Client(stores, confidential=True)
    token = client.tokens(app, scope="email_write", code_verifier=None)["access_token"]
    caller = Caller(app, "alice", bearer(token))
    caller.add(X)
    assert caller.change(X, verified=True)["verified"] is True


def test_the_operators_token_may_assert(trusted: Caller) -> None:
    trusted.add(X)
    assert trusted.change(X, verified=True)["verified"] is True


@pytest.mark.parametrize("role", ["is_staff", "is_admin"])
def test_staff_may_assert_by_password(app: TestApp, register: Callable[..., Person], role: str) -> None:
    register("chief", **{role: True})
    caller = Caller(app, "chief", basic("chief"))
    caller.add(X)
    assert caller.change(X, verified=True)["verified"] is True


def test_a_public_client_may_not_assert_not_even_for_staff(
    app: TestApp, stores: Process, register: Callable[..., Person]
) -> None:
    register("alice", is_staff=True)
    token = Client(stores).tokens(app, scope="email_write")["access_token"]
    caller = Caller(app, "alice", bearer(token))
    caller.add(X)
    assert caller.change(X, 403, verified=True)["code"] == "verification_required"


def test_an_ordinary_account_is_sent_a_link_and_then_the_same_patch_is_200(
    app: TestApp, me: Caller, other: Caller, stores: Process
) -> None:
    me.add(X)
    other.add(X)
    before = me.list()
    answer = me.change(X, 403, verified=True, primary=True)
    assert set(answer) == {"detail", "code"}
    assert answer["code"] == "verification_required"
    assert me.list() == before
    ((notice, to, context),) = mails(stores)
    assert (notice, to, context["username"]) == ("verify_email", X, "alice")
    path = mailed_path(stores)
    for _ in range(2):  # opening changes nothing
        page = app.get(path)
        assert me.list() == before
    assert len(page.forms) == 1
    assert page.form.method.lower() == "post"
    page.form.submit(status=200)
    assert me.list()[1] == (X, True, False)
    assert len(other.list()) == 1
    assert me.change(X, verified=True, primary=True)["primary"] is True
    app.post(path, status=404)
    app.get(path, status=404)


def test_at_most_one_mail_in_ten_minutes_to_an_address(
    me: Caller, app: TestApp, stores: Process, bob: Person
) -> None:
    he = Caller(app, "bob", basic("bob"))
    he.add(X)
    me.add(X)
    for _ in range(3):
        assert me.change(X, 403, verified=True)["code"] == "verification_required"
        he.change(X, 403, verified=True)
        he.remove(X)
        he.add(X)
    assert len(mails(stores)) == 1
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        me.change(X, 403, verified=True)
        assert len(mails(stores)) == 2


@pytest.mark.parametrize("event", ["used", "removed"])
@pytest.mark.parametrize("limited", [True, False])
def test_a_link_that_died_with_its_address_is_replaced_at_once(
    make_app: Callable[..., Any], stores: Process, outbox: Outbox, alice: Person, event: str, limited: bool
) -> None:
    app = TestApp(make_app(**{"accountsapp.rate_limit": str(limited).lower()}))
    me = Caller(app, "alice", basic("alice"))
    me.add(X)
    for round_ in range(7):
        me.change(X, 403, verified=True)
        if limited and round_ >= 5:  # mails to one address in an hour
            assert outbox.take() == []
        else:
            link = outbox.link_to(X)
        if event == "used" and round_ == 0:
            app.post(link, status=200)
        me.remove(X)
        me.add(X)
        app.post(link, status=404)


def test_a_change_of_the_primary_address_makes_the_pause_no_shorter(
    app: TestApp, me: Caller, outbox: Outbox, alice: Person
) -> None:
    me.add(X)
    me.change(X, 403, verified=True)
    app.post("/api/v1/alice/account", {"api_key": alice.api_key, "email": "new@example.com"})
    app.post(outbox.link_to("new@example.com"), status=200)
    outbox.take()
    assert me.change(X, 403, verified=True)["code"] == "verification_required"
    assert outbox.take() == []
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        me.change(X, 403, verified=True)
        app.post(outbox.link_to(X), status=200)


@pytest.mark.parametrize("limited", [True, False])
def test_a_link_that_died_with_the_password_is_replaced_at_once(
    make_app: Callable[..., Any], stores: Process, outbox: Outbox, alice: Person, limited: bool
) -> None:
    app = TestApp(make_app(**{"accountsapp.rate_limit": str(limited).lower()}))
    me = Caller(app, "alice", basic("alice"))
    me.add(X)
    me.change(X, 403, verified=True)
    dead = outbox.link_to(X)
    with stores.transaction() as store:
        password_change.set_by_operator(store, alice.id, "another good one")
    me.headers = basic("alice", "another good one")
    outbox.take()
    me.change(X, 403, verified=True)
    living = outbox.link_to(X)
    me.change(X, 403, verified=True)
    assert outbox.take() == []
    app.post(dead, status=404)
    app.post(living, status=200)


def test_another_address_that_is_confirmed_leaves_a_link_alone(
    app: TestApp, me: Caller, outbox: Outbox, alice: Person
) -> None:
    me.add(X)
    me.add("y@example.org")
    me.change(X, 403, verified=True)
    link = outbox.link_to(X)
    me.change("y@example.org", 403, verified=True)
    app.post(outbox.link_to("y@example.org"), status=200)
    app.post("/api/v1/alice/account", {"api_key": alice.api_key, "email": "new@example.com"})
    app.post(outbox.link_to("new@example.com"), status=200)
    me.change("y@example.org", primary=True)
    app.post(link, status=200)
    assert (X, True, False) in me.list()


def test_what_is_answered_is_true_for_everybody(me: Caller, app: TestApp, bob: Person) -> None:
    """Who asks while another one's link lives is sent none, and is not told of one."""
    he = Caller(app, "bob", basic("bob"))
    me.add(X)
    he.add(X)
    answers = [caller.change(X, 403, verified=True) for caller in (me, he, me)]
    assert answers[0] == answers[1] == answers[2]
    assert "was sent" not in answers[0]["detail"]


def test_s19_the_pause_outlives_the_account(
    throttled: TestApp, register: Callable[..., Person], stores: Process
) -> None:
    for name in ("one", "two", "three"):
        person = register(name)
        caller = Caller(throttled, name, basic(name))
        caller.add(X)
        assert caller.change(X.upper(), 403, verified=True)["code"] == "verification_required"
        with stores.transaction() as store:
            lifecycle.delete(store, person.id)
    assert [to for notice, to, _context in mails(stores) if notice == "verify_email"] == [X]


def test_the_link_dies_after_24_hours(app: TestApp, me: Caller, stores: Process) -> None:
    me.add(X)
    me.change(X, 403, verified=True)
    path = mailed_path(stores)
    with time_machine.travel(clock.now() + timedelta(hours=24, seconds=1)):
        app.get(path, status=404)
        app.post(path, status=404)
    with time_machine.travel(clock.now() + timedelta(hours=23, minutes=59)):
        app.get(path, status=200)


def test_the_link_dies_when_the_address_was_taken(
    app: TestApp, me: Caller, other: Caller, stores: Process
) -> None:
    me.add(X)
    me.change(X, 403, verified=True)
    other.add(X)
    other.change(X, verified=True)
    app.get(mailed_path(stores), status=404)
    app.post(mailed_path(stores), status=404)
    assert other.list()[1] == (X, True, False)


def test_s21_the_link_dies_with_the_claim_and_with_the_password(
    app: TestApp, me: Caller, stores: Process, alice: Person
) -> None:
    me.add(X)
    me.change(X, 403, verified=True)
    path = mailed_path(stores)
    app.patch_json("/api/v1.1/users/alice/", {"company": "x"}, headers=me.headers)
    app.get(path, status=200)  # what has nothing to do with it leaves it alone
    for wrong in (path[:-1], path + "x", path[:-1] + ("a" if path[-1] != "a" else "b")):
        app.get(wrong, status=404)
    app.get(path.replace("/address/", "/email/"), status=404)  # another purpose
    me.remove(X)
    app.post(path, status=404)
    me.add(X)
    app.get(path, status=404)
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        me.change(X, 403, verified=True)
        path = mailed_path(stores)
        app.get(path, status=200)
    with stores.transaction() as store:
        password_change.set_by_operator(store, alice.id, "another good one")
    app.post(path, status=404)


def test_s24_a_reset_link_dies_when_its_address_is_not_primary_any_more(
    app: TestApp, trusted: Caller, stores: Process, alice: Person
) -> None:
    with stores.transaction() as store:
        account = lock(store.session, alice.id)
        code = links.make(store.session, account, Purpose.RESET, "alice@example.com", 1000)
    app.get(f"/recovery/alice/reset/{code}", status=200)
    trusted.add(X)
    trusted.change(X, verified=True, primary=True)
    app.get(f"/recovery/alice/reset/{code}", status=404)


# Races (S41)


@pytest.mark.parametrize("rounds", range(2))
def test_s41_of_simultaneous_claims_one_wins(
    make_app: Callable[..., Any], stores: Process, register: Callable[..., Person], rounds: int
) -> None:
    wsgi = make_app()
    callers = []
    for number in range(8):
        person = register(f"racer{number}")
        headers = bearer(issue(stores, person))
        callers.append(Caller(TestApp(wsgi), person.username, headers))
        callers[-1].add(X)

    def claim(caller: Caller) -> int:
        body = {"email": X, "verified": True}
        answer = caller.app.patch_json(caller.path, body, headers=caller.headers, expect_errors=True)
        return answer.status_int

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(claim, callers))
    assert sorted(set(answers) - {200}) in ([400], [404], [400, 404])
    assert answers.count(200) == 1
    with stores.transaction() as store:
        rows = store.session.query(EmailAddress).filter(EmailAddress.address_key == X).all()
        assert [row.verified for row in rows] == [True]


@pytest.mark.parametrize("first", ["claim", "proof"])
def test_s41_a_claim_and_a_proof_at_once_leave_no_copy(
    stores: Process, me: Caller, alice: Person, bob: Person, first: str
) -> None:
    me.add(X)

    def claim(store: Store) -> None:
        addresses.add(store, bob.id, X)

    def prove(store: Store) -> None:
        addresses.change(store, alice.id, X, verify=True, make_primary=False, trusted=True)

    def in_a_transaction(work: Callable[[Store], None]) -> bool:
        try:
            with stores.transaction() as store:
                work(store)
        except EmailTaken:
            return False
        return True

    one, other = (claim, prove) if first == "claim" else (prove, claim)
    with ThreadPoolExecutor(1) as pool:
        with stores.transaction() as store:
            one(store)
            late = pool.submit(in_a_transaction, other)
            with pytest.raises(TimeoutError):
                late.result(0.5)
        assert late.result(10) is (first == "claim")
    with stores.transaction() as store:
        rows = store.session.query(EmailAddress).filter(EmailAddress.address_key == X).all()
        assert [(row.account_id, row.verified) for row in rows] == [(alice.id, True)]


def test_s41_one_link_used_at_once_is_used_once(
    make_app: Callable[..., Any], me: Caller, stores: Process
) -> None:
    me.add(X)
    me.change(X, 403, verified=True)
    path, wsgi = mailed_path(stores), make_app()
    with ThreadPoolExecutor(10) as pool:
        used = [
            pool.submit(lambda: TestApp(wsgi).post(path, expect_errors=True).status_int) for _ in range(10)
        ]
    assert sorted(answer.result() for answer in used) == [200] + [404] * 9
