"""Every request that a page of the documentation shows is answered as it says."""

from pathlib import Path
from urllib.parse import urlencode

import pytest
from webtest import TestApp

from accountsapp.testing.oauth import AUTHORIZE, sent_back, sign_in
from tests.cli.conftest import write_ini
from tests.support.shell_pages import Known, Shell, differences, steps_of

ROOT = Path(__file__).parents[2]
SITE = "http://127.0.0.1:6543"
"""Where ``make serve`` serves."""

PAGES = {
    "README.rst": 3,
    "docs/apidocs.rst": 1,
    "docs/bookie.rst": 8,
    "docs/dockerhub.rst": 8,
    "docs/amo.rst": 4,
    "docs/pybossa.rst": 5,
    "docs/openedx.rst": 5,
    "docs/keys.rst": 6,
}
"""Pages with requests, and how many at least."""


def consent(shell: Shell) -> str:
    """Alice signs in at the page of an application, allows it, and is sent back with a code."""
    query = urlencode(
        {
            "response_type": "code",
            "client_id": shell.variables["CLIENT_ID"],
            "redirect_uri": "https://robot.example.org/callback",
            "scope": "profile_read",
        }
    )
    answer = sign_in(shell.app.get(f"{AUTHORIZE}?{query}"))
    return sent_back(answer.form.submit("decision", value="allow"))["code"]


KNOWN: dict[str, Known] = {"CODE": consent}
"""What a browser shows."""


@pytest.fixture
def ini(ini: dict[str, str]) -> dict[str, str]:
    return {**ini, "accountsapp.site_url": SITE, "accountsapp.leaks.public_keys": ""}


@pytest.mark.parametrize("page", PAGES)
def test_the_requests_of_a_page(page: str, app: TestApp, ini: dict[str, str], tmp_path: Path) -> None:
    """After ``make serve`` has made the administrator, in the order of the page."""
    shell = Shell(app, str(write_ini(tmp_path / "development.ini", ini)), SITE, KNOWN)
    shell.run("accountsapp accounts ensure-admin")
    steps = list(steps_of((ROOT / page).read_text(encoding="utf-8")))
    problems = [
        f"{step.command}\n    {problem}"
        for step in steps
        for problem in differences(step.printed, shell.run(step.command))
    ]
    assert not problems, "\n".join(problems)
    assert sum("curl " in step.command for step in steps) >= PAGES[page]
