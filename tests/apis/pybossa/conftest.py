"""Clients of the account pages."""

from typing import Any

import pytest

from tests.support.front_end import Browser, FrontEnd


@pytest.fixture
def front_end(wsgi: Any) -> FrontEnd:
    return FrontEnd(wsgi)


@pytest.fixture
def browser(wsgi: Any) -> Browser:
    return Browser(wsgi)
