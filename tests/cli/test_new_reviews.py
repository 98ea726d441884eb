"""Authors are mailed about new reviews of what they publish: by which import, to whom, how often."""

import json
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import update

from accountsapp.domain.data.models import Account, AccountState, EmailAddress
from accountsapp.domain.mailing import unsubscribing
from accountsapp.process import Process
from accountsapp.testing.people import SITE_URL, Person
from tests.cli.conftest import Run
from tests.support.outbox import Outbox, text_of

Mails = list[EmailMessage]
Import = Callable[..., Mails]


@pytest.fixture
def load(run: Run, outbox: Outbox) -> Import:
    """Imports records in one run; the mails that it caused."""

    def load(*records: dict[str, Any]) -> Mails:
        run("activity", "import", "-", input="\n".join(map(json.dumps, records)))
        return outbox.take()

    return load


def addon(slug: str, *authors: str) -> dict[str, Any]:
    named = [{"username": author, "role": "developer"} for author in authors]
    return {"kind": "addon", "slug": slug, "type": "extension", "authors": named}


def review(username: str, slug: str, rating: int = 3) -> dict[str, Any]:
    return {"kind": "review", "username": username, "addon": slug, "rating": rating}


def recipients(mails: Mails) -> list[str]:
    return sorted(str(mail["To"]) for mail in mails)


def test_each_author_but_the_reviewer_gets_one_mail_a_run(
    load: Import, alice: Person, bob: Person, register: Callable[..., Person], stores: Process
) -> None:
    register("carol")
    assert load(addon("tabs", "alice", "bob"), addon("sky", "alice"), review("carol", "tabs")) == []
    mails = load(review("bob", "tabs"), review("bob", "sky"), review("alice", "sky"), review("carol", "sky"))
    assert recipients(mails) == [alice.email]
    text = text_of(mails[0])
    assert "sky, tabs" in text
    token, digest = unsubscribing.make(stores.keyring, alice.email)
    assert f"{SITE_URL}/users/unsubscribe/{token}/{digest}/new_review/" in text
    assert "List-Unsubscribe" not in mails[0]  # the site is not https
    assert load(review("bob", "tabs", 5), review("carol", "sky", 1)) == []
    assert load(addon("new", "alice", "bob"), review("bob", "new")) == []
    assert recipients(load(review("carol", "new"), addon("tabs", "bob"))) == [alice.email, bob.email]


def test_the_reviewer_of_ones_own_addon_is_told_of_others_alone(
    load: Import, alice: Person, bob: Person
) -> None:
    load(addon("tabs", "alice"))
    assert load(review("alice", "tabs")) == []
    assert recipients(load(review("bob", "tabs"))) == [alice.email]


def test_one_mail_a_run_whatever_the_number_of_batches(
    load: Import, alice: Person, bob: Person, register: Callable[..., Person]
) -> None:
    register("carol")
    load(addon("a", "alice"), addon("b", "alice"))
    between = [{"kind": "collection", "username": "bob", "slug": f"c{n}"} for n in range(1000)]
    assert recipients(load(review("bob", "a"), *between, review("bob", "b"), review("carol", "a"))) == [
        alice.email
    ]


def test_who_cannot_or_does_not_want_to_be_mailed_is_not(
    load: Import, stores: Process, bob: Person, register: Callable[..., Person]
) -> None:
    unverified = register("unverified", verified=False)
    deactivated, unwilling = (
        register("deactivated"),
        register("unwilling", notifications={"new_review": False}),
    )
    willing = register("willing", notifications={"reply": False, "new_review": True})
    with stores.transaction() as store:
        store.session.execute(
            update(Account).where(Account.id == deactivated.id).values(state=AccountState.DEACTIVATED)
        )
        store.session.execute(
            update(EmailAddress).where(EmailAddress.account_id == unverified.id).values(verified=False)
        )
    load(addon("tabs", "unverified", "deactivated", "unwilling", "willing"))
    assert unwilling.id
    assert recipients(load(review("bob", "tabs"))) == [willing.email]
