"""Groups that an account may be made a member of: each stands for one permission."""

from typing import NamedTuple

from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.rules.app_permissions import EVERYTHING


class Group(NamedTuple):
    """A group.

    :ivar permission: what its members carry (``rules/app_permissions.py``)
    """

    number: int
    name: str
    permission: str


GROUPS = {
    group.name: group for group in (Group(1, "reviewer", "Addons:Review"), Group(2, "admin", EVERYTHING))
}


def parse(name: object) -> Group:
    """
    :raises InvalidValue: there is no such group
    """
    group = GROUPS.get(name) if isinstance(name, str) else None
    if group is None:
        raise InvalidValue("group", f"This must be one of: {', '.join(GROUPS)}.")
    return group
