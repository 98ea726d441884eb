"""A forgotten password, from the request to the use of the new one: a real server, mail and browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from webtest import TestApp

from accountsapp.domain.credentials import signin
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, Person
from tests.support.bookie import Bookie
from tests.support.jobs import eventually
from tests.support.mailserver import MailServer
from tests.support.outbox import links_in
from tests.support.servers import Server, own_site

NEW = "a new and better one"


@pytest.fixture
def page(browser: Browser) -> Page:
    return browser.new_page(viewport={"width": 900, "height": 640})


@pytest.fixture
def postbox() -> Iterator[MailServer]:
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture
def server(ini: dict[str, str], tmp_path: Path, postbox: MailServer) -> Iterator[Server]:
    """With its worker inside, and mail that goes out by SMTP; its links lead to itself."""
    mail = {"accountsapp.mail.enabled": "true", "accountsapp.mail.host": "127.0.0.1"}
    port = {"accountsapp.mail.port": str(postbox.port), "accountsapp.jobs": "embedded"}
    with own_site(tmp_path, {**ini, **mail, **port}) as site:
        yield site


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_from_the_request_to_the_new_password(
    stores: Process, alice: Person, server: Server, postbox: MailServer, page: Page, tmp_path: Path
) -> None:
    asked = page.request.post(f"{server.url}/api/v1/suspend", form={"email": alice.email})
    assert asked.status == 200
    (message,) = eventually(lambda: postbox.messages)
    (link,) = links_in(message)
    assert link.startswith(server.url)

    page.goto(link)
    assert page.get_by_role("heading", level=1).inner_text() == "Set a password"
    page.screenshot(path=tmp_path / "reset-form.png")
    field = page.get_by_label("New password")
    assert field.evaluate("field => field === document.activeElement")
    field.fill("password1")
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    assert "too common" in page.get_by_role("alert").inner_text()
    page.screenshot(path=tmp_path / "reset-refused.png")
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Set password").click()
    page.get_by_role("heading", name="Password set").wait_for()
    page.screenshot(path=tmp_path / "reset-done.png")

    with stores.transaction() as store:
        assert signin.authenticate(store, "alice", NEW).username == "alice"
    changed = page.request.post(
        f"{server.url}/api/v1/alice/password",
        form={"api_key": alice.api_key, "current_password": NEW, "new_password": PASSWORD},
    )
    assert changed.status == 200
    gone = page.goto(link)
    assert gone is not None
    assert gone.status == 404
    page.screenshot(path=tmp_path / "reset-dead.png")
    told = eventually(lambda: len(postbox.messages) == 3 and postbox.messages)
    assert [str(mail["To"]) for mail in told] == [alice.email] * 3


CONTRAST = """() => {
  const light = rgb => rgb.map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
      .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const of = text => text.match(/[\\d.]+/g).map(Number);
  const ground = element => {
    for (; element; element = element.parentElement) {
      const colour = of(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return light(colour.slice(0, 3));
    }
    return 1;
  };
  return [...document.querySelectorAll('h1, p, label, a, button, strong, .hint, input')].map(element => {
    const ink = light(of(getComputedStyle(element).color).slice(0, 3)), paper = ground(element);
    return (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05);
  });
}"""


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_the_pages_can_be_read_in_light_and_dark_and_on_a_small_screen(
    app: TestApp,
    stores: Process,
    register: Callable[..., Person],
    server: Server,
    postbox: MailServer,
    page: Page,
    tmp_path: Path,
) -> None:
    inviter = register("inviter", invite_ct=1)
    given = {"api_key": inviter.api_key, "email": "a.rather.long.address.of.a.friend@mail.example.com"}
    assert Bookie(app)("POST", "/inviter/invite", form=given).status_int == 200
    (message,) = eventually(lambda: postbox.messages)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": 320, "height": 600})
        page.goto(links_in(message)[0])
        ratios: Any = page.evaluate(CONTRAST)
        assert min(ratios) >= 4.5  # WCAG 2.2, 1.4.3
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.screenshot(path=tmp_path / f"invited-{scheme}.png")
    assert {url.startswith(server.url) for url in requests} == {True}
