"""A browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.support.servers import Server, own_site


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """One for all tests, whose contexts share nothing."""
    launched = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    yield launched
    launched.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """One without any context."""
    yield chromium
    for context in chromium.contexts:
        context.close()


@pytest.fixture
def server(ini: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    """A site with the settings of the test."""
    with own_site(tmp_path, ini) as site:
        yield site
