"""A browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.servers import Server, own_site


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def server(ini: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    """A site with the settings of the test."""
    with own_site(tmp_path, ini) as site:
        yield site
