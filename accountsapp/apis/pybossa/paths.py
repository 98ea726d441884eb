"""The paths of this API, as other places name them."""

from collections.abc import Mapping
from urllib.parse import quote

from accountsapp.apis.pybossa.settings import Settings as Section
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.rules.usernames import RESERVED
from accountsapp.settings import Settings

MOUNT = "/account"
SIGN_IN = f"{MOUNT}/signin"
ESCAPE = "~"
"""Before a username that is also a word of a URL."""


def path_of_account(username: str) -> str:
    """Of somebody's profile; the escaped one where the name is reserved."""
    escaped = ESCAPE + username if fold(username) in RESERVED else username
    is_plain = escaped.isascii() and escaped.isalnum()
    return f"{MOUNT}/{escaped if is_plain else quote(escaped, safe='~')}"


def settings_of(username: str) -> str:
    """Of somebody's settings."""
    return f"{path_of_account(username)}/update"


def code_pages(settings: Settings) -> Mapping[str, str]:
    """Where mailed codes are used: here, or at the pages of a front end under the same paths."""
    base = settings.section(Section).frontend_url or settings.site_url
    confirmation = f"{base}{MOUNT}/register/confirmation?key={{code}}"
    return {
        Notice.CONFIRM_REGISTRATION: confirmation,
        Notice.CONFIRM_EMAIL: confirmation,
        Notice.VERIFY_EMAIL: confirmation,
        Notice.RESET_PASSWORD: f"{base}{MOUNT}/reset-password?key={{code}}",
    }
