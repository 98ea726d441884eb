"""What holds of every API, of this one too."""

from collections.abc import Collection, Mapping

import pytest

from accountsapp.testing.contract import *  # noqa: F403


@pytest.fixture
def public_views() -> Collection[str]:
    return ("accountsapp_gitlab.views.read_user",)


@pytest.fixture
def administered_views() -> Collection[str]:
    return ("accountsapp_gitlab.views.change_user",)


@pytest.fixture
def told_apart() -> Mapping[str, tuple[int, int]]:
    """Everybody sees whom there is."""
    return {"accountsapp_gitlab.views.read_user": (200, 404)}
