"""No key, of any kind and scope, makes, lists, renames, widens or prolongs keys, whatever it is sent to."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from webtest import TestApp

from accountsapp.domain.credentials import api_keys
from accountsapp.domain.data.api_key_models import IS_DEFAULT, ApiKey
from accountsapp.domain.rules.key_scopes import SCOPES
from accountsapp.process import Process
from accountsapp.testing.everywhere import NEARBY, urls
from accountsapp.testing.named_keys import add_key, keys_of
from accountsapp.testing.people import Person

WISHES = {
    "name": "mine",
    "preset": "full",
    "scope": "administer",
    "scopes": "administer",
    "expires": "",
    "expires_in": "never",
    "overlap": "168",
    "lifetime": "3650",
    "state": "active",
    "id": "mine",
}
"""What a key would like to be."""
PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "query": lambda key: {"query": {"api_key": key}},
    "form": lambda key: {"form": {"api_key": key}},
    "header": lambda key: {"headers": {"X-Api-Key": key}},
    "bearer": lambda key: {"headers": {"Authorization": f"Bearer {key}"}},
}


class Kept(NamedTuple):
    """What a call must not change of a key."""

    name: str
    scopes: tuple[str, ...] | None
    expires: datetime | None
    state: str


def kept(stores: Process, person: Person) -> dict[str, Kept]:
    return {key.id: Kept(key.name, key.scopes, key.expires, key.state) for key in keys_of(stores, person)}


def default_of(stores: Process, person: Person) -> str:
    with stores.transaction() as store:
        row = store.reader.by_username(person.username)
        assert row is not None
        return api_keys.reveal(store, row) or ""


@pytest.mark.parametrize("is_admin", [False, True])
def test_whatever_it_is_sent_to(
    app: TestApp, stores: Process, register: Callable[..., Person], is_admin: bool
) -> None:
    app.extra_environ.update(NEARBY)
    owner = register("owner", is_admin=is_admin)
    sibling = add_key(stores, owner, "sibling", scopes=["account:read"])
    targets = [
        (method, path.replace("target", whose))
        for method, path in urls(app, register("target"))
        for whose in ("target", "owner")
        if whose == "target" or "target" in path
    ]

    @settings(max_examples=4, phases=[Phase.generate])
    @given(
        scopes=st.one_of(st.none(), st.sets(st.sampled_from(SCOPES), min_size=1)),
        is_default=st.booleans(),
        place=st.sampled_from(sorted(PLACES)),
    )
    def check(scopes: set[str] | None, is_default: bool, place: str) -> None:
        api_key = default_of(stores, owner) if is_default else make(scopes)
        for method, path in targets:
            before = kept(stores, owner)
            presented = {key for key in before if before[key].name == "presented"}
            answer = send(app, method, path, PLACES[place](api_key))
            after = kept(stores, owner)
            assert len(after) <= len(before), (method, path)
            assert {key: after[key] for key in after if key in before}.items() <= before.items()
            assert [after[key] for key in after.keys() - before] == [
                before[key] for key in presented - after.keys() if len(after) == len(before)
            ], "a replacement is what the replaced key was"
            if path.endswith("applog/list"):  # what happened, with the ids of keys, for administrators
                continue
            others = {**before, **after}.keys() - presented - (after.keys() - before)
            assert not [key for key in others if key.encode() in answer.body]
            assert sibling.api_key.encode() not in answer.body
            if presented and not presented & after.keys():
                api_key = answer.json.get("api_key") or make(scopes)
            if is_default:
                api_key = default_of(stores, owner)

    def make(scopes: set[str] | None) -> str:
        with stores.transaction() as store:
            gone = (ApiKey.account_id == owner.id) & ~IS_DEFAULT & (ApiKey.name == "presented")
            store.session.execute(delete(ApiKey).where(gone))
        return add_key(stores, owner, "presented", scopes=scopes).api_key

    check()


def send(app: TestApp, method: str, path: str, sent: dict[str, Any]) -> Any:
    """A call with a key in its place, and with all wishes in query and form."""
    form = {**WISHES, **sent.get("form", {})} if method not in ("GET", "HEAD") else {}
    return app.request(
        path + ("&" if "?" in path else "?") + urlencode({**WISHES, **sent.get("query", {})}),
        method=method,
        body=urlencode(form).encode() if form else b"",
        headers={"Content-Type": "application/x-www-form-urlencoded", **sent.get("headers", {})},
        expect_errors=True,
    )
