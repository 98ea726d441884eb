"""Preferences and social links as a part of the account record."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete

from accountsapp.domain.data.models import Base
from accountsapp.domain.data.preference_models import Preference, SocialLink
from accountsapp.domain.data.prepared import PreparedInsert
from accountsapp.domain.transfer.record import AccountRecord

_preferences = Base.metadata.tables[Preference.__tablename__]
_links = Base.metadata.tables[SocialLink.__tablename__]

_INSERT_PREFERENCES = PreparedInsert(_preferences, ("account_id", "name", "value"))
_INSERT_LINKS = PreparedInsert(_links, ("account_id", "platform", "url"))


def write(connection: Connection, records: Iterable[tuple[int, AccountRecord]], *, are_new: bool) -> None:
    """Write what records say of them; what one does not name stays.

    :param records: each with the id of its account
    :param are_new: whether these accounts had none before
    """
    preferences: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    for account_id, record in records:
        if not are_new:
            _clear(connection, account_id, record.model_fields_set)
        preferences += [
            {"account_id": account_id, "name": name, "value": value}
            for name, value in record.preferences.items()
        ]
        links += [
            {"account_id": account_id, "platform": network, "url": url}
            for network, url in record.social_links.items()
        ]
    _INSERT_PREFERENCES.run(connection, preferences)
    _INSERT_LINKS.run(connection, links)


def _clear(connection: Connection, account_id: int, keys: set[str]) -> None:
    for key, table in (("preferences", _preferences), ("social_links", _links)):
        if key in keys:
            connection.execute(delete(table).where(table.c.account_id == account_id))
