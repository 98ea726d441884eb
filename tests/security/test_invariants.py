"""What holds of every view of every API (design rule 21): :mod:`accountsapp.testing.contract` on our own."""

from collections.abc import Mapping

import pytest

from accountsapp.testing.contract import *  # noqa: F403

TOLD_APART: Mapping[str, tuple[int, int]] = {
    # Another's account is forbidden, an unknown one is not there.
    "apis.dockerhub": (403, 404),
    "apis.pybossa": (403, 404),
    # Who is signed in may read every account.
    "apis.openedx.views.read_account": (200, 404),
}
"""By the view or its package: how somebody who is proved is refused a foreign and an unknown account, where
the contract tells them apart; everywhere else they are alike."""


@pytest.fixture
def told_apart() -> Mapping[str, tuple[int, int]]:
    return TOLD_APART
