"""The whole life of an account in a browser: registered, confirmed, signed in, changed, exported, deleted.

Mails are the files that a server without a mail server writes.
"""

import json
import re
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.support.jobs import eventually
from tests.support.outbox import text_of
from tests.support.servers import Server, own_site

LINK = re.compile(r"https?://\S+")
PASSWORD = "a good and long one"


@pytest.fixture
def backend() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


@pytest.fixture
def server(ini: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    life = {"accountsapp.registration": "confirm", "accountsapp.jobs": "embedded"}
    with own_site(tmp_path, {**ini, **life, "accountsapp.site_name": "Museum"}) as site:
        yield site


@pytest.fixture
def mailed(tmp_path: Path) -> Callable[[str], list[str]]:
    """The links of the mail whose subject has that word, once it has come."""

    def links(word: str) -> list[str]:
        def found() -> list[list[str]]:
            mails = [
                message_from_bytes(path.read_bytes(), policy=policy.default)
                for path in (tmp_path / "mail").glob("*.eml")
            ]
            return [LINK.findall(text_of(mail)) for mail in mails if word in mail["Subject"]]

        return eventually(found)[0]

    return links


def picture(path: Path) -> Path:
    image = Image.new("RGB", (400, 300), "#336699")
    image.paste("#ffcc00", (0, 0, 100, 100))
    image.save(path)
    return path


def check(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def test_register_confirm_sign_in_settings_picture_export_delete(
    server: Server, browser: Browser, mailed: Callable[[str], list[str]], tmp_path: Path
) -> None:
    page = browser.new_context(bypass_csp=True).new_page()

    page.goto(server.url)
    page.get_by_role("main").get_by_role("link", name="Register").click()
    page.get_by_label("Full name").fill("Ada Lovelace")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_label("Password again").fill("short")
    press(page, "Register")
    page.get_by_text("A password needs at least 8 characters").wait_for()
    assert page.get_by_label("Full name").input_value() == "Ada Lovelace"
    assert page.evaluate("document.activeElement.name") == "password"
    check(page)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    press(page, "Register")
    page.get_by_role("heading", name="Check your mail").wait_for()
    check(page)

    (link,) = mailed("Museum: confirm your registration")
    page.goto(link)
    check(page)
    page.get_by_role("main").get_by_role("button").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    assert "ready" in page.get_by_role("status").inner_text()

    page.get_by_label("User name or e-mail address").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Sign in")
    page.get_by_text("Welcome back Ada Lovelace").wait_for()
    check(page)

    page.get_by_role("navigation").get_by_role("link", name="Settings").click()
    page.get_by_label("Full name").fill("Ada King")
    page.get_by_role("button", name="Save").first.click()
    page.get_by_text("Your profile has been updated!").wait_for()
    assert page.get_by_label("Full name").input_value() == "Ada King"
    check(page)

    page.get_by_label("Image file").set_input_files(picture(tmp_path / "picture.png"))
    canvas = page.locator("canvas.crop")
    canvas.wait_for()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 3, steps=4)
    page.mouse.up()
    size = tuple(int(page.get_by_label(name).input_value()) for name in ("Width", "Height"))
    assert all(90 < side <= 100 for side in size), size
    press(page, "Upload")
    page.get_by_role("status").wait_for()
    page.goto(f"{server.url}/account/ada/")
    shown = page.get_by_role("main").locator("img").first
    served = page.request.get(str(shown.evaluate("image => image.src")))
    cut = Image.open(BytesIO(served.body()))
    assert cut.size == size
    assert cut.convert("RGB").getpixel((50, 50)) == (255, 204, 0)
    check(page)

    page.goto(f"{server.url}/account/ada/export")
    check(page)
    press(page, "Start the export")
    page.get_by_role("status").wait_for()
    archives = [page.request.get(link) for link in mailed("what is stored")]
    names = {}
    for archive in archives:
        with ZipFile(BytesIO(archive.body())) as opened:
            names |= {name: opened.read(name) for name in opened.namelist()}
    assert json.loads(names["personal_data.json"])["username"] == "ada"
    assert "avatar.png" in names

    page.goto(f"{server.url}/account/ada/delete")
    check(page)
    press(page, "Delete this account")
    page.get_by_role("main").get_by_role("link", name="Sign in").wait_for()
    check(page)
    mailed("deleted")
    page.goto(f"{server.url}/account/signin")
    page.get_by_label("User name or e-mail address").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Sign in")
    page.get_by_text("We do not know that account").wait_for()
    assert page.request.get(str(archives[0].url)).status in (403, 404, 410)
