"""What holds of every view of every API, read from the printed tree (design rule 21).

An API that is added is in these tests at once; it adds to :data:`TOLD_APART` only what its contract tells.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest
from webtest import TestApp, TestResponse

from accountsapp.process import Process
from accountsapp.security.permissions import Permission
from accountsapp.tree import OPEN, declared_views
from tests.support.credentials import Holder, Shown, hold, present, spoiled
from tests.support.everywhere import NEARBY, WRITES, Door, Everywhere, doors, dump, is_sign_in, refuses
from tests.support.people import SITE_URL, Person

TOLD_APART: Mapping[str, tuple[int, int]] = {
    # Another's account is forbidden, an unknown one is not there.
    "apis.dockerhub": (403, 404),
    "apis.pybossa": (403, 404),
    # Who is signed in may read every account.
    "apis.openedx.views.read_account": (200, 404),
}
"""By the view or its package: how somebody who is proved is refused a foreign and an unknown account, where
the contract tells them apart; everywhere else they are alike."""


FOR_EVERYBODY = {Permission.PROFILE_READ: 404, Permission.SESSIONS_BEGIN: 302}
"""What everybody has whom the thing is shown to: what somebody without a credential is told of a thing that
is not. A bad credential is refused there as anywhere."""


def ask(app: TestApp, door: Door, shown: Shown, path: str | None = None) -> TestResponse:
    """A call with nothing but that credential."""
    app.reset()
    app.extra_environ.update(NEARBY)
    query = f"?{shown.query}" if shown.query else ""
    return app.request(
        (path or door.path) + query,
        method=door.method,
        headers=dict(shown.headers),
        expect_errors=True,
    )


def seen(answer: TestResponse) -> tuple[Any, ...]:
    """All that a client can tell answers apart by; the path that it asked for itself stands for nothing."""
    asked = quote(answer.request.path)
    headers = [
        (name, value.replace(asked, "{path}") if name == "Location" else value)
        for name, value in answer.headerlist
        if name not in ("Date", "X-Request-Id")
    ]
    return answer.status_int, answer.body, sorted(headers)


def package_of(door: Door) -> str:
    """Such as ``apis.bookie``."""
    return ".".join(door.row.view.split(".")[:2])


def closed(app: TestApp, person: Person) -> list[Door]:
    return [door for door in doors(app.app.registry, person) if door.row.permission != OPEN]


def of_an_account(app: TestApp, person: Person) -> list[Door]:
    """The closed ones whose URL names an account."""
    found = [
        door
        for door in closed(app, person)
        if {"{username}", "{id}", "{account}"} & set(door.row.path.split("/"))
    ]
    assert found
    return found


def elsewhere(door: Door, person: Person) -> str:
    """The same URL for an account that does not exist."""
    unknown = {"{username}": "nobody", "{id}": str(person.id + 1000), "{account}": "nobody"}
    segments = zip(door.row.path.split("/"), door.path.split("/"), strict=True)
    return "/".join(unknown.get(pattern, segment) for pattern, segment in segments)


def test_every_view_names_its_verb_and_its_permission(app: TestApp) -> None:
    careless = [view for view in declared_views(app.app.registry) if not view.methods or not view.permission]
    assert careless == []


@pytest.mark.parametrize("is_bad", [False, True], ids=["no credential", "a bad one"])
def test_what_is_closed_stays_closed(app: TestApp, stores: Process, alice: Person, is_bad: bool) -> None:
    """A page for people who are signed in asks to sign in, or misses the token of a form."""
    nobody = spoiled(hold(stores, alice))
    before = dump(app)
    opened = []
    for door in closed(app, alice):
        answer = ask(app, door, present(door.kind, nobody) if is_bad else Shown())
        if not is_bad and door.row.permission in FOR_EVERYBODY:
            is_closed = answer.status_int == FOR_EVERYBODY[Permission(door.row.permission)]
        elif door.row.credentials == ("session",):
            is_closed = answer.status_int in (400, 401) or is_sign_in(answer)
        else:
            is_closed = answer.status_int in (401, 403)
        if not is_closed:
            opened.append((*door[:3], answer.status))
    assert opened == []
    assert dump(app) == before


def test_unknown_and_foreign_accounts_answer_alike(
    app: TestApp, stores: Process, alice: Person, bob: Person
) -> None:
    """To nobody, to a bad credential, and to a good one of somebody else."""
    stranger = hold(stores, bob)
    different = []
    for door in of_an_account(app, alice):
        good = present(door.kind, stranger)
        for shown in (Shown(), present(door.kind, spoiled(stranger)), good):
            foreign, unknown = ask(app, door, shown), ask(app, door, shown, elsewhere(door, alice))
            told = TOLD_APART.get(door.row.view, TOLD_APART.get(package_of(door)))
            if shown is good and told is not None:
                is_right = (foreign.status_int, unknown.status_int) == told
            else:
                is_closed = foreign.status_int >= 400 or is_sign_in(foreign)
                is_right = seen(foreign) == seen(unknown) and is_closed
            if not is_right:
                different.append((*door[:3], shown, foreign.status, unknown.status))
    assert different == []


WITHOUT_TOKEN = ("/login_refresh",)
"""What a cookie alone may do: it is told again who it is, and changes nothing."""


def forgeries(mine: Holder, theirs: Holder) -> dict[str, dict[str, str]]:
    """Headers of requests that a page of somebody else could make a browser send."""
    cookie, token = {"Cookie": f"sessionid={mine.cookie}"}, {"X-CSRFToken": mine.csrf_token}
    return {
        "no token": cookie,
        "no token, from our origin": {**cookie, "Origin": SITE_URL},
        "an empty token": {**cookie, "X-CSRFToken": ""},
        "the token of another session": {**cookie, "X-CSRFToken": theirs.csrf_token},
        "a foreign origin": {**cookie, **token, "Origin": "https://evil.example"},
        "a hidden origin": {**cookie, **token, "Origin": "null"},
        "JSON as text": {**cookie, "Content-Type": "text/plain"},
    }


def test_s26_a_cookie_alone_changes_nothing(
    app: TestApp, stores: Process, alice: Person, admin: Person
) -> None:
    mine, theirs = hold(stores, alice), hold(stores, admin)
    before = dump(app)
    unsafe = [door for door in closed(app, alice) if door.kind == "session" and door.method in WRITES]
    assert unsafe
    taken = []
    for door in unsafe:
        for name, headers in forgeries(mine, theirs).items():
            body = b'{"csrf_token": ""}' if name == "JSON as text" else b""
            app.reset()
            answer = app.request(
                door.path, method=door.method, headers=headers, body=body, expect_errors=True
            )
            is_refused = refuses(door, answer) or answer.status_int == 415 or door.path in WITHOUT_TOKEN
            if not is_refused:
                taken.append((*door[:3], name, answer.status))
    assert taken == []
    assert dump(app) == before


def test_s26_reading_changes_nothing(everywhere: Everywhere) -> None:
    reading = [door for door in everywhere.doors if door.method not in WRITES]
    before = dump(everywhere.app, audited=True)
    for _ in range(2):
        for door in reading:
            assert everywhere(door).status_int < 500
        assert dump(everywhere.app, audited=True) == before
