"""Who tries, and how they say who they are: what the access matrices of several APIs share."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlencode

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.credentials import sessions
from accountsapp.domain.data import locking
from accountsapp.domain.data.models import AccountState
from accountsapp.process import Process
from tests.support.oauth import ALL, basic, bearer, issue
from tests.support.people import Person

OWNER = "owner"
ACTORS = (
    "anonymous",
    "self",
    "other",
    "staff",
    "administrator",
    "deactivated",
    "pending",
    "deleted",
    "wrong scope",
)
STRANGERS = ("other", "staff", "administrator")
"""The others are the owner of the account that is acted on, or nobody."""
DEAD = ("deactivated", "pending", "deleted")
WAYS = (
    "query key",
    "key in a header",
    "Basic",
    "bearer",
    "cookie",
    "Basic and the owner's query key",
    "Basic and the owner's cookie",
)


class Holder(NamedTuple):
    """An account with everything that could prove it."""

    person: Person
    token: str
    cookie: str


class Shown(NamedTuple):
    """What a request shows of who is asking."""

    query: str
    headers: dict[str, str]


def hold(stores: Process, person: Person) -> Holder:
    token = issue(stores, person, *ALL)
    with stores.transaction() as store:
        account = locking.lock(store.session, person.id)
        return Holder(person, token, sessions.begin(store.session, account, "127.0.0.1"))


def cast(actor: str, register: Callable[..., Person], stores: Process) -> tuple[Holder, Holder | None]:
    """The owner of the account that is acted on, in the state that the actor's name says, and the actor."""
    owner = hold(stores, register(OWNER))
    roles = {"staff": {"is_staff": True}, "administrator": {"is_admin": True}}
    with stores.transaction() as store:
        if actor == "deactivated":
            lifecycle.deactivate(store, owner.person.id)
        elif actor == "pending":
            locking.lock(store.session, owner.person.id).state = AccountState.PENDING
        elif actor == "deleted":
            lifecycle.delete(store, owner.person.id)
    if actor in STRANGERS:
        return owner, hold(stores, register(actor, **roles.get(actor, {})))
    return owner, None if actor == "anonymous" else owner


def show(way: str, actor: Holder | None, owner: Holder) -> Shown:
    """The actor's credential by that way, beside it what the way has of the owner's."""
    if actor is None:
        return Shown("", {})
    person = actor.person
    key_in_headers = {"Authorization": f"Token {person.api_key}", "X-API-Key": person.api_key}
    return {
        "query key": Shown(urlencode({"api_key": person.api_key}), {}),
        "key in a header": Shown("", key_in_headers),
        "Basic": Shown("", basic(person.username)),
        "bearer": Shown("", bearer(actor.token)),
        "cookie": Shown("", {"Cookie": f"sessionid={actor.cookie}"}),
        "Basic and the owner's query key": Shown(
            urlencode({"api_key": owner.person.api_key}), basic(person.username)
        ),
        "Basic and the owner's cookie": Shown(
            "", {**basic(person.username), "Cookie": f"sessionid={owner.cookie}"}
        ),
    }[way]
