"""What an account prefers, and where else it is to be found: few short texts by name."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, literal, select, union_all
from sqlalchemy.orm import Session

from accountsapp.domain.data.preference_models import Preference, SocialLink

_PREFERENCE, _LINK = 0, 1

_OF_ACCOUNTS = union_all(
    select(Preference.account_id, literal(_PREFERENCE), Preference.name, Preference.value).where(
        Preference.account_id.in_(bindparam("account_ids", expanding=True))
    ),
    select(SocialLink.account_id, literal(_LINK), SocialLink.platform, SocialLink.url).where(
        SocialLink.account_id.in_(bindparam("account_ids", expanding=True))
    ),
)


class Preferences(NamedTuple):
    """Of one account.

    :ivar values: the preferences that it has set, by name
    :ivar links: URL by network
    """

    values: dict[str, str]
    links: dict[str, str]


def of_accounts(connection: Connection, account_ids: Collection[int]) -> dict[int, Preferences]:
    """Those of each account, by id, in one statement."""
    preferences = {account_id: Preferences({}, {}) for account_id in account_ids}
    for account_id, kind, name, text in connection.execute(_OF_ACCOUNTS, {"account_ids": list(account_ids)}):
        preferences[account_id][kind][name] = text
    return preferences


def of_account(connection: Connection, account_id: int) -> Preferences:
    """Those of one account."""
    return of_accounts(connection, [account_id])[account_id]


def set_values(session: Session, account_id: int, values: Mapping[str, str | None]) -> None:
    """Set preferences of a locked account; None removes one, the others stay."""
    _put(session, Preference, account_id, "name", "value", values)


def set_links(session: Session, account_id: int, links: Mapping[str, str | None] | None) -> None:
    """Set social links of a locked account, by network; None removes one, the others stay.

    :param links: None removes all
    """
    if links is None:
        session.execute(delete(SocialLink).where(SocialLink.account_id == account_id))
    else:
        _put(session, SocialLink, account_id, "platform", "url", links)


def _put(
    session: Session,
    kind: type[Preference] | type[SocialLink],
    account_id: int,
    key: str,
    column: str,
    texts: Mapping[str, str | None],
) -> None:
    if not texts:
        return
    session.execute(
        delete(kind)
        .where(kind.account_id == account_id, kind.__table__.c[key].in_(list(texts)))
        .execution_options(synchronize_session=False)
    )
    rows = [
        {"account_id": account_id, key: name, column: text}
        for name, text in texts.items()
        if text is not None
    ]
    if rows:
        session.execute(insert(kind), rows)
