"""S05: no answer holds more than the contract's fields, whoever asks."""

from collections.abc import Callable

from sqlalchemy import Text, select, update
from webtest import TestApp

from accountsapp.db.database import Database
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.jwt_models import JwtKey
from accountsapp.domain.data.models import Account
from accountsapp.domain.mailing import unsubscribing
from accountsapp.process import Process
from accountsapp.testing.credentials import Holder, Shown, hold, present
from accountsapp.testing.everywhere import VISITOR, doors
from accountsapp.testing.people import Person
from tests.support.activity import add_addon
from tests.support.amo import Amo
from tests.support.bookie import Bookie

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


AMO_PUBLIC = {"biography", "display_name", "homepage", "location", "occupation"}
"""Columns that the calls of addons-server show of who publishes add-ons."""
AMO_SELF = {"last_login_ip"}
"""Those that they show to the owner and to editors besides."""
AMO_NEEDED = {"username", "username_key", "state", "picture", "password_hash"}
"""Columns that work, or point to something."""


def amo_canaries(
    database: Database, stores: Process, holder: Holder
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Fill every text of an account.

    :returns: what nobody may see, and what its owner and editors may, by name
    """
    person = holder.person
    names = {column.name for column in Account.__table__.columns if isinstance(column.type, Text)}
    filled = {name: f"canary-{name}-{person.username}" for name in names - AMO_NEEDED}
    more = {
        "permissions": [f"canary:{person.username}"],
        "info": {"canary": f"canary-info-{person.username}"},
    }
    with database.begin() as session:
        session.execute(update(Account).where(Account.id == person.id).values(**filled, **more))
        hashed = session.scalar(select(Account.password_hash).where(Account.id == person.id))
        sealed = session.scalar(select(JwtKey.sealed).where(JwtKey.account_id == person.id))
        keys = session.execute(
            select(ApiKey.sealed, ApiKey.digest).where(ApiKey.account_id == person.id)
        ).all()
    secrets = {
        "hash": str(hashed),
        "sealed secret": str(sealed),
        **{f"sealed key {number}": text for number, (text, _digest) in enumerate(keys)},
        **{f"digest {number}": digest.hex() for number, (_text, digest) in enumerate(keys)},
        **{f"named key {name}": key for name, key in holder.named.items()},
        "key": person.api_key,
        "signing secret": holder.signing.secret,
        "signing key": holder.signing.key,
        "token": holder.token,
        "session": holder.cookie,
        "unsubscribing": unsubscribing.make(stores.keyring, person.email)[1],
        "info": "canary-info",
    }
    own = AMO_PUBLIC | AMO_SELF
    hidden = {**secrets, **{name: text for name, text in filled.items() if name not in own}}
    shown = {name: text for name, text in filled.items() if name in own}
    shown |= {"address": person.email, "permission": f"canary:{person.username}"}
    return (
        {name: value.encode() for name, value in hidden.items()},
        {name: value.encode() for name, value in shown.items()},
    )


def test_s05_addons_server(
    app: TestApp, database: Database, stores: Process, register: Callable[..., Person]
) -> None:
    """Everybody sees the public columns of who publishes add-ons; owner and editors see all that is shown."""
    amo = Amo(app)
    publisher, reader = hold(stores, register("publisher")), hold(stores, register("reader"))
    with stores.transaction() as store:
        add_addon(store.session, "mine", [publisher.person.id])
    everything = [(holder.person, *amo_canaries(database, stores, holder)) for holder in (publisher, reader)]
    callers: dict[str, Holder | None] = {
        "anonymous": None,
        "publisher": publisher,
        "reader": reader,
        "other": hold(stores, register("other")),
        "staff": hold(stores, register("staff", is_staff=True)),
        "editor": hold(stores, register("editor", permissions=["Users:Edit"])),
        "administrator": hold(stores, register("admin", is_admin=True)),
    }
    calls = [("GET", "/profile/", None), ("GET", "/login/start/", None), ("GET", "/nothing", None)]
    calls += [("POST", "/unsubscribe/", {}), ("POST", "/super-create/", {"email": publisher.person.email})]
    for person, _hidden, _shown in everything:
        for name in (person.username, str(person.id)):
            calls += [(method, f"/account/{name}/", None) for method in ("GET", "HEAD", "OPTIONS")]
            calls += [("PATCH", f"/account/{name}/", {}), ("PATCH", f"/account/{name}/", {"homepage": "x"})]
            calls += [("DELETE", f"/account/{name}/picture", None)]
            calls += [(method, f"/account/{name}/notifications/", {}) for method in ("GET", "POST")]
            calls += [("POST", f"/account/{name}/notifications/", {"nothing": 1})]
    seen_by: dict[str, set[str]] = {name: set() for name in callers}
    for name, caller in callers.items():
        for method, path, body in calls:
            for by_token in (False, True):
                answer = amo(method, path, caller, body, by_token=by_token)
                seen = answer.body + repr(answer.headerlist).encode()
                for person, hidden, shown in everything:
                    assert not [key for key, value in hidden.items() if value in seen], (name, method, path)
                    found = {key for key, value in shown.items() if value in seen}
                    seen_by[name] |= {f"{person.username}: {key}" for key in found}
    publics = {f"publisher: {key}" for key in AMO_PUBLIC}
    all_of = {
        person.username: {f"{person.username}: {key}" for key in shown}
        for person, _hidden, shown in everything
    }
    everybodys = dict.fromkeys(("anonymous", "other", "staff"), publics)
    assert seen_by == {
        **everybodys,
        "publisher": all_of["publisher"],
        "reader": publics | all_of["reader"],
        "editor": all_of["publisher"] | all_of["reader"],
        "administrator": all_of["publisher"] | all_of["reader"],
    }


SHOWS_KEY = ("/api/v1/owner/api_key", "/account/owner", "/account/profile")
"""Where the owner is shown the default key."""


def test_s05_every_read_of_every_api(
    app: TestApp, database: Database, stores: Process, register: Callable[..., Person]
) -> None:
    """By everybody, with every kind of credential: no secret of the owner, and to nobody else the address."""
    owner = hold(stores, register("owner", "owners-own@example.net"))
    app.post(f"/api/v1/owner/account?api_key={owner.person.api_key}", {"email": "pending@example.net"})
    canaries = amo_canaries(database, stores, owner)[0]
    secrets = {name: text for name, text in canaries.items() if not text.startswith(b"canary-")}
    secrets["pending"] = b"pending@example.net"
    callers: dict[str, Holder | None] = {
        "anonymous": None,
        "owner": owner,
        "other": hold(stores, register("other")),
        "staff": hold(stores, register("staff", is_staff=True)),
        "administrator": hold(stores, register("admin", is_admin=True)),
    }
    asked = 0
    for door in doors(app.app.registry, owner.person):
        if door.method != "GET":
            continue
        for name, caller in callers.items():
            shown = Shown() if caller is None or door.kind == VISITOR else present(door.kind, caller)
            app.reset()
            query = f"?{shown.query}" if shown.query else ""
            answer = app.get(door.path + query, headers=dict(shown.headers), expect_errors=True)
            body = answer.body + repr(answer.headerlist).encode()
            seen = {key for key, value in secrets.items() if value in body}
            if name == "owner":
                seen -= {"pending", *({"key"} if door.path in SHOWS_KEY else set())}
            assert not seen, (name, door.method, door.path, door.kind)
            if name in ("anonymous", "other"):
                assert b"owners-own@example.net" not in body, (name, door.path, door.kind)
            asked += 1
    assert asked > 300
