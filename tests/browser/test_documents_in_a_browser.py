"""The documents in a browser: shown under the policy of the page, and what is tried is done."""

import pytest
from playwright.sync_api import Browser, Page

from accountsapp.testing.people import Person
from tests.support.servers import Server


@pytest.fixture
def backend() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


def try_it(page: Page, name: str) -> tuple[str, str]:
    """Open an operation, send its example, and have the status and the body that are shown."""
    block = page.locator(f'[id$="-{name}"]')
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    row = block.locator(".live-responses-table .response").first
    return row.locator(".response-col_status").inner_text(), row.locator(".highlight-code").first.inner_text()


def test_what_is_tried_is_done(browser: Browser, server: Server, admin: Person) -> None:
    page = browser.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto(server.url)
    page.get_by_role("link", name="API documents").click()
    page.get_by_role("link", name="Bookie").click()
    page.get_by_role("button", name="Authorize").click()
    page.locator("#api_key_value").first.fill(admin.api_key)
    page.get_by_role("button", name="Apply credentials").first.click()
    page.get_by_role("button", name="Close").first.click()
    status, body = try_it(page, "read_account")
    assert status.startswith("200")
    assert '"username": "admin"' in body
    status, body = try_it(page, "update_account")
    assert status.startswith("200")
    assert '"name": "Ada M."' in body
    page.get_by_role("link", name="PYBOSSA").click()
    status, body = try_it(page, "show_first_page")
    assert status.startswith("200")
    assert '"template": "account/index.html"' in body
    assert hosts == {f"127.0.0.1:{server.port}"}
    assert trouble == []
