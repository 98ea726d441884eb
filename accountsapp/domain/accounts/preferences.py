"""What an account prefers, and where else it is to be found: few short texts by name."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Connection,
    Integer,
    delete,
    insert,
    literal_column,
    select,
    union_all,
)

from accountsapp.domain.data.preference_models import Preference, SocialLink
from accountsapp.domain.data.prepared import PreparedForMany

_PREFERENCE, _LINK = literal_column("0", Integer), literal_column("1", Integer)
"""Which member of :class:`Preferences` a row belongs to."""


def _select(account_ids: list[BindParameter[Any]]) -> CompoundSelect[int, int, str, str]:
    return union_all(
        select(Preference.account_id, _PREFERENCE, Preference.name, Preference.value).where(
            Preference.account_id.in_(account_ids)
        ),
        select(SocialLink.account_id, _LINK, SocialLink.platform, SocialLink.url).where(
            SocialLink.account_id.in_(account_ids)
        ),
    )


_OF_ACCOUNTS = PreparedForMany(_select)


class Preferences(NamedTuple):
    """Of one account.

    :ivar values: the preferences that it has set, by name
    :ivar links: URL by network
    """

    values: dict[str, str]
    links: dict[str, str]


def of_accounts(connection: Connection, account_ids: Sequence[int]) -> defaultdict[int, Preferences]:
    """Those of each account, by id, in one statement."""
    preferences: defaultdict[int, Preferences] = defaultdict(lambda: Preferences({}, {}))
    for account_id, kind, name, text in _OF_ACCOUNTS.all(connection, account_ids):
        preferences[account_id][kind][name] = text
    return preferences


def of_account(connection: Connection, account_id: int) -> Preferences:
    """Those of one account."""
    return of_accounts(connection, [account_id])[account_id]


def set_values(connection: Connection, account_id: int, values: Mapping[str, str | None]) -> None:
    """Set preferences of a locked account; None removes one, the others stay."""
    _put(connection, Preference, account_id, "name", "value", values)


def set_links(connection: Connection, account_id: int, links: Mapping[str, str | None] | None) -> None:
    """Set social links of a locked account, by network; None removes one, the others stay.

    :param links: None removes all
    """
    if links is None:
        connection.execute(delete(SocialLink).where(SocialLink.account_id == account_id))
    else:
        _put(connection, SocialLink, account_id, "platform", "url", links)


def _put(
    connection: Connection,
    kind: type[Preference] | type[SocialLink],
    account_id: int,
    key: str,
    column: str,
    texts: Mapping[str, str | None],
) -> None:
    if not texts:
        return
    connection.execute(
        delete(kind).where(kind.account_id == account_id, kind.__table__.c[key].in_(list(texts)))
    )
    rows = [
        {"account_id": account_id, key: name, column: text}
        for name, text in texts.items()
        if text is not None
    ]
    if rows:
        connection.execute(insert(kind), rows)
