"""The community, profiles and projects (contract 9, 10.1, 10.7 to 10.9), as JSON and as pages."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.engine import Engine

from accountsapp.domain import recent
from accountsapp.domain.accounts import lifecycle
from accountsapp.domain.data.models import Account
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, SITE_URL, Person
from tests.support.activity import add_project, contribute
from tests.support.front_end import Browser, FrontEnd

PUBLIC_USER = {
    *("created", "fullname", "info", "locale", "n_answers", "name", "rank", "registered_ago", "score"),
}
OWN_USER = PUBLIC_USER | {
    *("admin", "api_key", "confirmation_email_sent", "email_addr", "facebook_user_id"),
    *("google_user_id", "id", "total", "twitter_user_id", "valid_email"),
}
ENTRY = {
    *("created", "fullname", "info", "locale", "name", "rank", "registered_ago", "score", "task_runs"),
}
PROJECT = {
    *("description", "info", "n_tasks", "n_volunteers", "name", "overall_progress", "short_name"),
}
INFO = {"avatar", "avatar_url", "container"}
Register = Callable[..., Person]


@pytest.fixture
def projects(stores: Process, alice: Person, bob: Person) -> None:
    """Alice has two that are published and a draft; Bob contributed to one of each, and Alice to Bob's."""
    with stores.transaction() as store:
        session = store.session
        secret = {"task_presenter": "secret", "passwd_hash": "secret", "thumbnail": "t", "container": 7}
        zebra = add_project(session, "zebra", alice.id, name="Zebra", info=secret, n_tasks=4)
        add_project(session, "ant", alice.id, name="ant", info={"thumbnail_url": "https://t.example/x.png"})
        draft = add_project(session, "draft", alice.id, published=False)
        bobs = add_project(session, "bobs", bob.id, n_tasks=1)
        hidden = add_project(session, "hidden", bob.id, published=False)
        contribute(session, zebra, bob.id, [1, 2, 3])
        contribute(session, draft, bob.id, [1])
        contribute(session, bobs, alice.id, [1])
        contribute(session, hidden, alice.id, [1])


def names(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["name"] for entry in entries]


def test_public_profile(front_end: FrontEnd, alice: Person, bob: Person, projects: None) -> None:
    content = front_end.get("/account/ALICE/")
    assert content.keys() == {"projects_contrib", "projects_created", "template", "title", "user"}
    assert content["template"] == "/account/public_profile.html"
    assert content["title"] == "Alice Liddell &middot; User Profile"
    user = content["user"]
    assert user.keys() == PUBLIC_USER
    assert (user["name"], user["fullname"], user["locale"]) == ("alice", "Alice Liddell", None)
    assert (user["rank"], user["score"], user["n_answers"]) == (2, 2, 2)
    assert user["info"] == {"avatar": None, "avatar_url": None, "container": f"user_{alice.id}"}
    assert user["registered_ago"] == "just now"
    assert "alice@example.com" not in str(content)
    assert "secret" not in str(content)
    assert names(content["projects_created"]) == ["ant", "Zebra"]
    assert names(content["projects_contrib"]) == ["bobs"]
    ant, zebra = content["projects_created"]
    assert ant.keys() == zebra.keys() == PROJECT
    assert zebra["info"] == {"container": None, "thumbnail": "t"}
    assert ant["info"] == {"container": None, "thumbnail": None, "thumbnail_url": "https://t.example/x.png"}
    assert (zebra["n_tasks"], zebra["n_volunteers"], zebra["overall_progress"]) == (4, 1, 75)
    front_end.sign_in(bob)
    assert front_end.get("/account/alice") == content


def test_own_profile(front_end: FrontEnd, alice: Person, stores: Process, projects: None) -> None:
    assert front_end.get("/account/profile") == {"next": "/account/signin", "status": "not_signed_in"}
    stored = {
        "google_user_id": "g-1",
        "google_token": "secret",
        "avatar": "old.png",
        "avatar_url": "javascript:alert(1)",
        "more": {"deep": True},
    }
    with stores.transaction() as store:
        store.session.execute(update(Account).where(Account.id == alice.id).values(info=stored))
    front_end.sign_in(alice)
    content = front_end.get("/account/Alice")
    assert front_end.get("/account/profile/") == content
    assert content.keys() == {
        *("projects_contrib", "projects_created", "projects_draft", "projects_published"),
        *("template", "title", "user"),
    }
    assert (content["template"], content["title"]) == ("account/profile.html", "Profile")
    user = content["user"]
    assert user.keys() == OWN_USER
    assert {name: user[name] for name in ("admin", "email_addr", "id", "total", "valid_email")} == {
        "admin": False,
        "email_addr": "alice@example.com",
        "id": alice.id,
        "total": 2,
        "valid_email": True,
    }
    assert user["api_key"] == alice.api_key
    assert (user["google_user_id"], user["facebook_user_id"]) == ("g-1", None)
    assert user["info"] == {
        "google_user_id": "g-1",
        "avatar": "old.png",
        "avatar_url": None,
        "container": f"user_{alice.id}",
        "more": {"deep": True},
    }
    assert names(content["projects_contrib"]) == ["bobs", "hidden"]
    assert names(content["projects_draft"]) == ["draft"]
    published = content["projects_published"]
    assert names(published) == names(content["projects_created"]) == ["ant", "Zebra"]
    assert published[1].keys() == PROJECT | {"id", "owner_id"}
    assert published[1]["info"]["task_presenter"] == "secret"
    own = front_end.get("/account/alice/projects")
    assert own == {
        "projects_draft": content["projects_draft"],
        "projects_published": published,
        "template": "account/projects.html",
        "title": "Projects",
    }


def test_a_mail_is_out(front_end: FrontEnd, register: Register) -> None:
    daisy = register("daisy", verified=False)
    front_end.sign_in(daisy)
    assert front_end.get("/account/profile")["user"]["confirmation_email_sent"] is False
    front_end.get("/account/confirm-email")
    user = front_end.get("/account/profile")["user"]
    assert (user["confirmation_email_sent"], user["valid_email"]) == (True, False)


def test_who_is_found(
    front_end: FrontEnd, wsgi: Any, register: Register, stores: Process, admin: Person, projects: None
) -> None:
    register("locked")
    register("daisy@example.org", email="daisy@example.org")
    with stores.transaction() as store:
        lifecycle.deactivate(store, store.reader.by_username("locked").id)  # type: ignore[union-attr]
    for name in ("locked", "nobody", "daisy@example.org", "DAISY@example.org"):
        front_end.get(f"/account/{name}", status=404)
    listed = {entry["name"] for entry in front_end.get("/account")["accounts"]}
    assert listed == {"alice", "bob", "admin"}
    other = FrontEnd(wsgi)
    other.post("/account/signin", email="daisy@example.org", password=PASSWORD)
    user = other.get("/account/daisy@example.org")["user"]
    assert (user["rank"], user["name"]) == (None, "daisy@example.org")
    front_end.sign_in(admin)
    assert names(front_end.get("/account/alice")["projects_created"]) == ["ant", "draft", "Zebra"]
    front_end.get("/account/alice/projects", status=403)


def test_title_is_html(front_end: FrontEnd, register: Register, browser: Browser) -> None:
    register("mallory", name="<b>M & M</b>")
    title = front_end.get("/account/mallory")["title"]
    assert title == "&lt;b&gt;M &amp; M&lt;/b&gt; &middot; User Profile"
    page = browser.get("/account/mallory")
    assert "<b>M" not in page.text
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert page.html.find("meta", attrs={"name": "robots"})["content"] == "noindex"
    assert "mallory@example.com" not in page.text


def test_what_a_page_shows_of_an_account(
    front_end: FrontEnd, browser: Browser, register: Register, stores: Process
) -> None:
    """As JSON and as HTML, both of which are written text by text."""
    hostile = """<b>"M'\\ü\u2028</b>&{{ 1 }}"""
    mallory = register("mallory", name=hostile, locale="fr")
    stored = {
        "avatar": '"a".png',
        "avatar_url": "https://p.example/a.png?x='<\"&",
        "container": "<c>",
        "k": 1,
    }
    values = {"info": stored, "signup": datetime(2020, 2, 3, 4, 5, 6, 7, tzinfo=UTC)}
    with stores.transaction() as store:
        store.session.execute(update(Account).where(Account.id == mallory.id).values(values))
    (entry,) = front_end.get("/account")["accounts"]
    assert entry.keys() == ENTRY
    years = (datetime.now(UTC) - values["signup"]).days // 365
    assert entry == {
        "created": "2020-02-03T04:05:06.000007",
        "fullname": hostile,
        "info": {name: stored[name] for name in INFO},
        "locale": "fr",
        "name": "mallory",
        "rank": None,
        "registered_ago": f"{years} years ago",
        "score": None,
        "task_runs": 0,
    }
    page = browser.get("/account")
    (person,) = page.html.find("ul", class_="people").find_all("li")
    assert person.a.text == hostile
    assert person.find("span", class_="avatar").text == "<"
    assert "<b>" not in page.text


def test_names_that_are_not_seen_or_run_from_right_to_left(
    front_end: FrontEnd, wsgi: Any, register: Register, browser: Browser, stores: Process
) -> None:
    """What shows nothing is no name; another one turns nothing around it."""
    register("mallory", name="\u200b\u2800\u3164 ")
    hebrew = register("hebrew", name="\u202e\u05e9\u05dc\u05d5\u05dd (1)")
    with stores.transaction() as store:
        contribute(store.session, add_project(store.session, "p", hebrew.id, name="\u202eP"), hebrew.id, [1])
    assert {entry["fullname"] for entry in front_end.get("/account")["accounts"]} == {
        *("mallory", "\u202e\u05e9\u05dc\u05d5\u05dd (1)"),
    }
    assert front_end.post("/account/signin", email="mallory", password=PASSWORD)["flash"] == (
        "Welcome back mallory"
    )
    main = browser.get("/account").html.main
    assert all(link.bdi.text for link in main.find_all("a"))
    latest = main.find(attrs={"aria-labelledby": "feed-heading"})
    assert sum(name in latest.text for name in ("\u202e", "P")) == 2
    assert all(
        "\u202e" not in "".join(item.p.find_all(string=True, recursive=False)) for item in latest("li")
    )
    assert browser.get("/account/mallory").html.h1.bdi.text == "mallory"
    assert {link["href"] for link in latest("a")} == {"/account/mallory", "/account/hebrew"}
    assert all("ago" in item.p.find(class_="quiet").text for item in latest("li"))


def test_the_community(front_end: FrontEnd, wsgi: Any, register: Register, projects: None) -> None:
    for number in range(25):
        register(f"person{number}")
    content = FrontEnd(wsgi).get("/account")
    assert content.keys() == {
        *("accounts", "pagination", "template", "title", "top_users", "total", "update_feed"),
    }
    assert (content["template"], content["title"], content["total"]) == (
        "account/index.html",
        "Community",
        27,
    )
    assert content["pagination"] == {"next": True, "page": 1, "per_page": 24, "prev": False, "total": 27}
    assert all(entry.keys() == ENTRY for entry in content["accounts"] + content["top_users"])
    assert names(content["accounts"])[:2] == ["person24", "person23"]
    assert {(entry["rank"], entry["score"]) for entry in content["accounts"]} == {(None, None)}
    second = front_end.get("/account/page/2/")
    assert second["pagination"] == {"next": False, "page": 2, "per_page": 24, "prev": True, "total": 27}
    assert names(second["accounts"]) == ["person0", "bob", "alice"]
    assert [entry["task_runs"] for entry in second["accounts"]] == [0, 4, 2]
    front_end.get("/account/page/3", status=404)
    top = content["top_users"]
    assert names(top)[:3] == ["bob", "alice", "person0"]
    assert [entry["rank"] for entry in top] == list(range(1, 21))
    assert {(entry["registered_ago"], entry["task_runs"]) for entry in top} == {(None, None)}
    front_end.post("/account/signin", email="person24", password=PASSWORD)
    mine = front_end.get("/account")["top_users"]
    assert (len(mine), mine[-1]["name"], mine[-1]["rank"]) == (21, "person24", 27)
    kinds = {item["action_updated"] for item in content["update_feed"]}
    assert kinds == {"User", "Project", "UserContribution"}
    keys = {
        "User": {"created", "fullname", "info", "locale", "name"},
        "Project": PROJECT,
        "UserContribution": {
            *("fullname", "info", "locale", "name", "project_name", "project_short_name"),
        },
    }
    moments = [item["updated"] for item in content["update_feed"]]
    assert moments == sorted(moments, reverse=True)
    for item in content["update_feed"]:
        assert item.keys() == keys[item["action_updated"]] | {"action_updated", "updated"}
    text = str(content["update_feed"])
    assert not {"hidden", "draft"} & {item.get("project_short_name") for item in content["update_feed"]}
    assert "example.com" not in text
    assert "secret" not in text


def test_which_page_of_how_many(
    browser: Browser, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(number: int, language: str = "en") -> list[str]:
        page = browser.get(f"/account/page/{number}", headers={"Accept-Language": language})
        return [" ".join(text.text.split()) for text in page.html.main.nav.find_all("span")]

    monkeypatch.setattr(recent, "FRESH", 0.0)
    monkeypatch.setattr(recent, "STALE", 0.0)
    assert said(1) == []
    for number in range(25):
        register(f"person{number}")
    assert (said(2), said(1, "fr")) == (["Page 2 of 2"], ["Page 1 sur 2"])


def test_an_empty_community(front_end: FrontEnd) -> None:
    content = front_end.get("/account/page/1")
    assert (content["accounts"], content["total"], content["pagination"]["next"]) == ([], 0, False)


def test_pages(browser: Browser, alice: Person, projects: None, front_end: FrontEnd) -> None:
    page = browser.get("/account")
    links = {link["href"] for link in page.html.main.find_all("a")}
    assert {"/account/alice", "/account/bob"} <= links
    assert "secret" not in page.text
    assert browser.get("/account/profile", 303).location == "/account/signin?next=/account/profile"
    assert browser.get("/account/alice/projects", 303).location == (
        "/account/signin?next=/account/alice/projects"
    )
    browser.sign_in(alice)
    assert browser.get("/account/profile", 303).location == "/account/alice/"
    own = browser.get("/account/alice/")
    assert "alice@example.com" in own.text
    assert alice.api_key in own.text
    assert {"/account/alice/update", "/account/alice/projects"} <= {
        link["href"] for link in own.html.find_all("a")
    }
    shown = browser.get("/account/alice/projects").text
    assert "Zebra" in shown
    assert "draft" in shown


def test_a_page_that_is_kept_is_nobody_elses(
    wsgi: Any, alice: Person, register: Register, browser: Browser
) -> None:
    """What strangers share is what is around the people, in their language; who is signed in has his own."""
    for number in range(25):
        register(f"person{number}")
    browser.sign_in(alice)
    browser.get("/account")  # tells what came of it, once
    stranger, pages = Browser(wsgi), {}
    for _ in range(2):  # the first makes what is kept, the second is given it
        for number, has, lacks, other in (
            (1, "person24", "person0", "next"),
            (2, "person0", "person24", "prev"),
        ):
            path = f"/account/page/{number}"
            for language, title in (("en", "Community"), ("es", "Comunidad")):
                answer = stranger.get(path, headers={"Accept-Language": language})
                (people,) = answer.html.find_all("ul", class_="people")
                shown = {link["href"].removeprefix("/account/") for link in people.find_all("a")}
                assert (has in shown, lacks in shown) == (True, False), path
                assert [link["rel"] for link in answer.html.main.find_all("a", rel=True)] == [[other]]
                assert answer.html.title.text.startswith(title)
                assert answer.html.header.find("a", string="alice") is None
                seen = (answer.body, header_names(answer))
                assert pages.setdefault((path, language), seen) == seen
            own = browser.get(path)
            assert own.html.header.find("a", string="alice") is not None
            assert header_names(own) == header_names(stranger.get(path))


def header_names(answer: Any) -> list[str]:
    return sorted(name for name, _ in answer.headerlist)


def test_the_picture(front_end: FrontEnd, alice: Person, stores: Process) -> None:
    with stores.transaction() as store:
        stem = "0123456789abcdef" * 2
        store.session.execute(update(Account).where(Account.id == alice.id).values(picture=stem))
    info = front_end.get("/account/alice")["user"]["info"]
    assert info.keys() == INFO
    assert info == {
        "avatar": f"{stem}_avatar.png",
        "avatar_url": f"{SITE_URL}/uploads/user_{alice.id}/{stem}_avatar.png",
        "container": f"user_{alice.id}",
    }


@pytest.mark.parametrize("site_url", [SITE_URL, f"{SITE_URL}/accounts"])
def test_pages_load_the_pictures_of_this_site_alone(
    make_app: Callable[..., Any],
    alice: Person,
    stores: Process,
    monkeypatch: pytest.MonkeyPatch,
    site_url: str,
) -> None:
    """The initial stands for the others, which the policy of pages forbids; JSON names them all the same."""
    monkeypatch.setattr(recent, "FRESH", 0.0)
    monkeypatch.setattr(recent, "STALE", 0.0)
    wsgi = make_app(**{"accountsapp.site_url": site_url})
    browser, front_end = Browser(wsgi), FrontEnd(wsgi)
    base = site_url.removeprefix(SITE_URL)
    own = "/uploads/user_7/x_avatar.png"
    for url, path in (
        (f"{site_url}{own}", f"{base}{own}"),
        ("https://pictures.example.org/a.png", None),
        (f"{SITE_URL}.example.org/uploads/user_7/a.png", None),
        (f"{site_url}/account/signout", None),
    ):
        with stores.transaction() as store:
            store.session.execute(
                update(Account).where(Account.id == alice.id).values(info={"avatar_url": url})
            )
        assert front_end.get("/account/alice")["user"]["info"]["avatar_url"] == url
        for page in ("/account/alice", "/account"):
            main = browser.get(page).html.find("main")
            assert [image["src"] for image in main.find_all("img")] == ([path] if path else []), (url, page)
            assert bool(main.find("span", class_="avatar", string="A")) is (path is None)


@pytest.mark.one_server
def test_what_profiles_ask_the_database(wsgi: Any, alice: Person, projects: None) -> None:
    """What one query can tell is not asked for twice."""
    browser, front_end = Browser(wsgi), FrontEnd(wsgi)
    browser.sign_in(alice)
    front_end.sign_in(alice)
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    def asked(client: Browser | FrontEnd, path: str, status: int = 200) -> int:
        client.get(path, status)
        statements.clear()
        client.get(path, status)
        return len(statements)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert asked(front_end, "/account/alice") <= 8
        assert asked(browser, "/account/alice") <= 8
        assert asked(browser, "/account/profile", 303) <= 1
        assert asked(FrontEnd(wsgi), "/account/alice") <= 5
    finally:
        event.remove(Engine, "before_cursor_execute", note)
