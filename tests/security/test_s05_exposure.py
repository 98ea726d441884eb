"""S05: no answer holds more than the contract's fields, whoever asks."""

from sqlalchemy import select, update

from accountsapp.db import Database
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.models import Account
from tests.support.bookie import Bookie
from tests.support.people import Person

HIDDEN = (
    "biography",
    "location",
    "company",
    "occupation",
    "homepage",
    "gravatar_email",
    "country",
    "gender",
    "goals",
    "mailing_address",
    "last_login_ip",
    "invited_by",
)


def canaries_of(database: Database, person: Person) -> dict[str, bytes]:
    """Fill what no Bookie call shows; what must never be seen, by name."""
    filled = {name: f"canary-{name}-{person.username}" for name in HIDDEN}
    with database.begin() as session:
        session.execute(update(Account).where(Account.id == person.id).values(**filled))
        hashed = session.scalar(select(Account.password_hash).where(Account.id == person.id))
        key = session.scalars(select(ApiKey).where(ApiKey.account_id == person.id)).one()
        found = {**filled, "hash": str(hashed), "sealed": key.sealed, "digest": key.digest.hex()}
    return {name: value.encode() for name, value in found.items()}


def test_s05_over_exposure(
    bookie: Bookie,
    database: Database,
    alice: Person,
    bob: Person,
    admin: Person,
) -> None:
    hidden = {**canaries_of(database, alice), "pending": b"pending-bob@example.net"}
    hidden |= {f"bob's {name}": value for name, value in canaries_of(database, bob).items()}
    hidden |= {"bob's address": b"bob@example.com", "bob's key": bob.api_key.encode()}
    bookie("POST", "/bob/account", query={"api_key": bob.api_key}, form={"email": "pending-bob@example.net"})
    looked = 0
    for key in ("", alice.api_key, bob.api_key, admin.api_key):
        for path in ("account", "api_key", "ping", "password", "reset_api_key", "nothing", ""):
            for more in ({}, {"callback": "cb"}):
                for method in ("GET", "HEAD", "OPTIONS"):
                    answer = bookie(method, f"/alice/{path}", query={"api_key": key, **more})
                    seen = answer.body + repr(answer.headerlist).encode()
                    if key != bob.api_key:
                        assert not [name for name, value in hidden.items() if value in seen], (path, key)
                    if key != alice.api_key:
                        assert alice.api_key.encode() not in seen
                        assert b"alice@example.com" not in seen
                        assert b"Alice Liddell" not in seen
                    looked += answer.status_int == 200
    assert looked > 10  # some of them did show an account


def test_s05_the_key_is_shown_by_its_own_calls_only(bookie: Bookie, alice: Person) -> None:
    key = {"api_key": alice.api_key}
    assert alice.api_key.encode() not in bookie("GET", "/alice/account", query=key).body
    assert alice.api_key.encode() not in bookie("POST", "/alice/account", query=key).body
    answer = bookie("POST", "/alice/account", query=key, form={"name": "a\nb"})
    assert answer.status_int == 406
    assert answer.json.keys() == {"username", "error"}
    assert bookie("GET", "/alice/api_key", query=key).json["api_key"] == alice.api_key
