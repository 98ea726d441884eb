"""What an account can be notified about."""

from collections.abc import Mapping
from typing import Any, NamedTuple

MANDATORY = {
    "reply": False,
    "new_features": False,
    "upgrade_success": False,
    "sdk_upgrade_success": False,
    "new_review": False,
    "announcements": False,
    "upgrade_fail": True,
    "sdk_upgrade_fail": True,
    "reviewer_reviewed": True,
    "individual_contact": True,
}
"""Every kind, in the order in which they are shown, and whether nobody can switch it off."""


class Notification(NamedTuple):
    """One kind, as an account has it."""

    name: str
    enabled: bool
    mandatory: bool


def notification(choices: Mapping[str, Any], name: str) -> Notification:
    """
    :param choices: what the account has chosen, by name (``account.notifications``); a kind is on until then
    :param name: one of :data:`MANDATORY`
    """
    mandatory = MANDATORY[name]
    return Notification(name, mandatory or choices.get(name) is not False, mandatory)


def notifications(choices: Mapping[str, Any]) -> list[Notification]:
    """All of them, in the order in which they are shown."""
    return [notification(choices, name) for name in MANDATORY]
