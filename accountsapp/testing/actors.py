"""Who tries, and how they say who they are: what the access matrices share."""

from collections.abc import Callable, Mapping

from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.data import locking
from accountsapp.domain.data.models import AccountState
from accountsapp.domain.rules.key_scopes import FULL
from accountsapp.process import Process
from accountsapp.testing.credentials import Holder, Shown, hold, present
from accountsapp.testing.people import Person

OWNER = "owner"
ANONYMOUS = "anonymous"
FORMER = "deactivated administrator"
ACTORS = (
    ANONYMOUS,
    "self",
    "unverified",
    "other",
    "staff",
    "administrator",
    FORMER,
    "deactivated",
    "pending",
    "deleted",
    "wrong scope",
)
STRANGERS = ("other", "staff", "administrator", FORMER)
"""The others are the owner of the account that is acted on, or nobody."""
LIVING = ("self", "unverified", "wrong scope")
"""Owners whose account is active; of the second nobody has proved the address."""
DEAD = ("deactivated", "pending", "deleted")
"""Owners whose account is not active."""

Way = Callable[[Holder, Holder], Shown]
"""What a request shows: of the actor, and of the owner of the account that is acted on."""


def beside(first: Shown, second: Shown) -> Shown:
    """Two credentials at once."""
    return Shown(first.query or second.query, {**first.headers, **second.headers})


WAYS: Mapping[str, Way] = {
    "query key": lambda actor, owner: present("api_key", actor),
    "key in a header": lambda actor, owner: Shown(
        headers={"Authorization": f"Token {actor.person.api_key}", "X-API-Key": actor.person.api_key}
    ),
    "Basic": lambda actor, owner: present("basic", actor),
    "bearer": lambda actor, owner: present("bearer", actor),
    "cookie": lambda actor, owner: present("session", actor),
    "named key": lambda actor, owner: Shown(headers={"X-Api-Key": actor.named[FULL]}),
    "JWT": lambda actor, owner: present("jwt", actor),
    "signed token": lambda actor, owner: present("signed token", actor),
    "session in a header": lambda actor, owner: present("session header", actor),
    "Basic and the owner's query key": lambda actor, owner: beside(
        present("basic", actor), present("api_key", owner)
    ),
    "Basic and the owner's cookie": lambda actor, owner: beside(
        present("basic", actor), present("session", owner)
    ),
}


def cast_owner(actor: str, register: Callable[..., Person], stores: Process) -> Holder:
    """The owner of the account that is acted on, in the state that the actor's name says."""
    owner = hold(stores, register(OWNER, verified=actor != "unverified"))
    with stores.transaction() as store:
        if actor == "deactivated":
            lifecycle.deactivate(store, owner.person.id)
        elif actor == "pending":
            locking.lock(store.session, owner.person.id).state = AccountState.PENDING
        elif actor == "deleted":
            lifecycle.delete(store, owner.person.id)
    return owner


def cast_stranger(actor: str, register: Callable[..., Person], stores: Process) -> Holder:
    """Somebody else than the owner."""
    roles = {"staff": {"is_staff": True}, "administrator": {"is_admin": True}, FORMER: {"is_admin": True}}
    stranger = hold(stores, register(actor.replace(" ", "-"), **roles.get(actor, {})))
    if actor == FORMER:
        with stores.transaction() as store:
            lifecycle.deactivate(store, stranger.person.id)
    return stranger


def cast(actor: str, register: Callable[..., Person], stores: Process) -> tuple[Holder, Holder | None]:
    """The owner of the account that is acted on, and the actor."""
    owner = cast_owner(actor, register, stores)
    if actor in STRANGERS:
        return owner, cast_stranger(actor, register, stores)
    return owner, None if actor == ANONYMOUS else owner


def show(way: Way, actor: Holder | None, owner: Holder) -> Shown:
    """The actor's credential by that way, beside it what the way has of the owner's."""
    return way(actor, owner) if actor is not None else Shown()
