"""What holds of every view of every API that is mounted, read from the printed tree.

``from accountsapp.testing.contract import *`` in a test module runs these tests on the application of the
fixture ``app``. An API that tells foreign accounts from unknown ones overrides the fixture ``told_apart``.
"""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from webtest import TestApp, TestResponse

from accountsapp.process import Process
from accountsapp.security.permissions import Permission
from accountsapp.testing.credentials import Holder, Shown, hold, present, spoiled
from accountsapp.testing.everywhere import NEARBY, WRITES, Door, Everywhere, doors, dump, is_sign_in, refuses
from accountsapp.testing.losses import can_be_narrowed
from accountsapp.testing.people import SITE_URL, Person
from accountsapp.tree import OPEN, declared_views, offers

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
    path = quote(answer.request.path)
    headers = [
        (name, value.replace(path, "{path}") if name == "Location" else value)
        for name, value in answer.headerlist
        if name not in ("Date", "X-Request-Id")
    ]
    return answer.status_int, answer.body, sorted(headers)


def package_of(door: Door) -> str:
    """Such as ``apis.bookie``."""
    return ".".join(door.row.view.split(".")[:2])


def closed(app: TestApp, person: Person, public_views: Collection[str] = ()) -> list[Door]:
    with_permission = [door for door in doors(app.app.registry, person) if door.row.permission != OPEN]
    return [door for door in with_permission if door.row.view not in public_views]


def of_an_account(app: TestApp, person: Person) -> list[Door]:
    """The closed ones whose URL names an account."""
    of_accounts = [
        door
        for door in closed(app, person)
        if {"{username}", "{id}", "{account}"} & set(door.row.path.split("/"))
    ]
    assert of_accounts
    return of_accounts


def elsewhere(door: Door, person: Person) -> str:
    """The same URL for an account that does not exist."""
    unknown = {"{username}": "nobody", "{id}": str(person.id + 1000), "{account}": "nobody"}
    segments = zip(door.row.path.split("/"), door.path.split("/"), strict=True)
    return "/".join(unknown.get(pattern, segment) for pattern, segment in segments)


def test_every_view_names_its_verb_and_its_permission(app: TestApp) -> None:
    careless = [view for view in declared_views(app.app.registry) if not view.methods or not view.permission]
    assert careless == []


@pytest.mark.parametrize("is_bad", [False, True], ids=["no credential", "a bad one"])
def test_what_is_closed_stays_closed(
    app: TestApp, stores: Process, alice: Person, public_views: Collection[str], is_bad: bool
) -> None:
    """A page for people who are signed in asks to sign in, or misses the token of a form."""
    nobody = spoiled(hold(stores, alice))
    before = dump(app)
    opened = []
    for door in closed(app, alice, () if is_bad else public_views):
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
    app: TestApp,
    stores: Process,
    alice: Person,
    bob: Person,
    told_apart: Mapping[str, tuple[int, int]],
    public_views: Collection[str],
) -> None:
    """To nobody, to a bad credential, and to a good one of somebody else."""
    stranger = hold(stores, bob)
    different = []
    for door in of_an_account(app, alice):
        good = present(door.kind, stranger)
        for shown in (Shown(), present(door.kind, spoiled(stranger)), good):
            foreign, unknown = ask(app, door, shown), ask(app, door, shown, elsewhere(door, alice))
            by_contract = told_apart.get(door.row.view, told_apart.get(package_of(door)))
            is_public = shown == Shown() and door.row.view in public_views
            if by_contract is not None and (shown is good or is_public):
                is_right = (foreign.status_int, unknown.status_int) == by_contract
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


CALLBACK = "f"


def test_s10_jsonp_has_nothing_of_a_visitor(app: TestApp, stores: Process, alice: Person) -> None:
    """A script of another page makes the browser send the session's cookie and nothing else."""
    cookie = {"Cookie": f"sessionid={hold(stores, alice).cookie}"}
    leaking = []
    for door in closed(app, alice):
        if door.method != "GET":
            continue
        answers = []
        for headers in ({}, cookie):
            app.reset()
            url = f"{door.path}?callback={CALLBACK}"
            answers.append(app.request(url, method="GET", headers=headers, expect_errors=True))
        nobody, visitor = answers
        is_script = visitor.content_type == "application/javascript"
        if is_script and seen(nobody) != seen(visitor):
            leaking.append((door.path, nobody.status, visitor.status))
    assert leaking == []


AT_ONCE = 4


def test_calls_at_once_are_answered(everywhere: Everywhere) -> None:
    """Of several callers who do the same at the same moment none is answered 500, and none waits for ever."""
    failed = []
    for door in everywhere.doors:
        if door.method in WRITES:
            statuses = [answer.status_int for answer in everywhere.at_once(door, AT_ONCE)]
            if max(statuses) >= 500:
                failed.append((*door[:3], statuses))
    assert failed == [], failed


def test_s20_who_is_let_in_no_more_changes_nothing(everywhere: Everywhere) -> None:
    """His credential is ended after it was looked at, and before his change begins."""
    done = []
    for door in everywhere.doors:
        if door.method in WRITES and door.row.permission != OPEN:
            answer, is_changed = everywhere.ended_meanwhile(door)
            if is_changed or (is_changed is not None and not refuses(door, answer)):
                done.append((*door[:3], answer.status))
    assert done == []


def test_s20_who_may_no_more_changes_nothing(everywhere: Everywhere) -> None:
    """His credential is narrowed, or he is no administrator any more, before his change begins."""
    done, begun = [], 0
    for door in everywhere.doors:
        if door.method not in WRITES or door.row.permission == OPEN:
            continue
        tries = []
        if can_be_narrowed(door.kind, door.row.permission):
            tries.append(everywhere.narrowed_meanwhile(door))
        if everywhere.is_of_others(door):
            tries.append(everywhere.demoted_meanwhile(door))
        for answer, is_changed in tries:
            begun += is_changed is not None
            is_refused = refuses(door, answer) or answer.status_int == 404
            if is_changed or (is_changed is not None and not is_refused):
                done.append((*door[:3], answer.status))
    assert done == []
    assert begun


def test_every_view_of_an_api_with_a_document_is_in_it(app: TestApp) -> None:
    registry = app.app.registry
    described = {view for document in registry.documents.documents.values() for view in document.operations}
    packages = {view.__module__.rpartition(".")[0] for view in described}
    undescribed = {
        offer.row.view
        for offer in offers(registry)
        if offer.view.__module__.rpartition(".")[0] in packages and offer.view not in described
    }
    assert undescribed == set(), "describe them in documents.py"
