"""``DELETE`` of an account."""

from collections.abc import Callable
from urllib.parse import urlsplit

from sqlalchemy import select
from webtest import TestApp

from accountsapp.domain.data.activity_models import Addon, AddonAuthor
from accountsapp.process import Process
from accountsapp.testing.credentials import Holder, by_jwt, hold
from accountsapp.testing.oauth import bearer
from accountsapp.testing.people import Person
from tests.support.activity import add_addon
from tests.support.amo import Amo
from tests.support.outbox import Outbox, outline
from tests.support.pictures import encoded, quarters


def test_nothing_is_left(
    amo: Amo,
    user: Holder,
    developer: Holder,
    stores: Process,
    outbox: Outbox,
    register: Callable[..., Person],
) -> None:
    with stores.transaction() as store:
        add_addon(store.session, "alone", [user.person.id])
        shared = add_addon(store.session, "shared", [user.person.id, developer.person.id])
    files = [("picture_upload", "a.png", encoded(quarters()))]
    picture = urlsplit(amo.account(user, "PATCH", files=files).json["picture_url"]).path
    outbox.take()
    answer = amo("DELETE", "/account/user/", user, headers={"Cookie": f"sessionid={user.cookie}"})
    assert (answer.status_int, answer.body) == (204, b"")
    assert any(cookie.startswith("sessionid=;") for cookie in answer.headers.getall("Set-Cookie"))
    assert amo("GET", f"/account/{user.person.id}/", developer).status_int == 404
    for headers in ({"Authorization": f"Session {user.cookie}"}, by_jwt(user.signing)):
        assert amo("GET", "/profile/", headers=headers).status_int == 401
    hub = "/api/v1.1/users/user/"
    assert amo.app.get(hub, headers=bearer(user.token), expect_errors=True).status_int == 401
    with stores.transaction() as store:
        assert store.session.scalars(select(Addon.slug).order_by(Addon.slug)).all() == ["mine", "shared"]
        authors = select(AddonAuthor.account_id, AddonAuthor.role).where(AddonAuthor.addon_id == shared)
        assert [tuple(row) for row in store.session.execute(authors)] == [(developer.person.id, "owner")]
    assert [to for to, _ in outline(outbox.take())] == ["user@example.com"]
    assert amo.app.get(picture, expect_errors=True).status_int == 404
    again = hold(stores, register("user"))
    assert again.person.id > user.person.id
    assert amo("GET", "/profile/", again).json["picture_url"] is None


def test_an_editor_deletes_and_keeps_the_cookie(
    amo: Amo, user: Holder, editor: Holder, developer: Holder, app: TestApp
) -> None:
    cookie = {"Cookie": f"sessionid={editor.cookie}"}
    answer = amo("DELETE", f"/account/{user.person.id}", editor, headers=cookie)
    assert answer.status_int == 204
    assert "Set-Cookie" not in answer.headers
    assert amo("DELETE", f"/account/{user.person.id}", editor).status_int == 404
    assert amo("DELETE", f"/account/{editor.person.id}", developer).status_int == 404
    assert amo("GET", "/profile/", editor).status_int == 200
