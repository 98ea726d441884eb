"""Authors are told of new reviews: one mail a run of the import, whatever was reviewed how often."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, select
from sqlalchemy.orm import Session, joinedload

from accountsapp.domain.activity.batch import NewReview, chunks
from accountsapp.domain.data.activity_models import Addon, AddonAuthor
from accountsapp.domain.data.models import Account, AccountState, EmailAddress
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.mailing import notices
from accountsapp.domain.mailing.notices import KIND_OF, Notice
from accountsapp.domain.rules.notifications import notification

MOST_NAMED = 10
"""Add-ons that a mail names; the rest is dots."""

_AUTHORS: Select[Any] = (
    select(AddonAuthor.addon_id, AddonAuthor.account_id, Addon.slug, Account.notifications)
    .join(Addon, Addon.id == AddonAuthor.addon_id)
    .join(Account, Account.id == AddonAuthor.account_id)
    .join(EmailAddress, (EmailAddress.account_id == Account.id) & EmailAddress.primary)
    .where(Account.state == AccountState.ACTIVE, EmailAddress.verified)
    .order_by(AddonAuthor.account_id, Addon.slug)
)


class Announcer:
    """Of one run.

    :param last_addon: the highest id of an add-on that was there before the run: others are not talked about
    """

    def __init__(self, keyring: Keyring, last_addon: int) -> None:
        self._keyring = keyring
        self._last_addon = last_addon
        self._mailed: set[int] = set()

    def announce(self, connection: Connection, reviews: Collection[NewReview]) -> set[int]:
        """Queue the mails about new reviews in the connection's transaction.

        :returns: the authors, to be remembered once it is committed
        """
        reviewers: defaultdict[int, set[int]] = defaultdict(set)
        for review in reviews:
            if review.addon_id <= self._last_addon:
                reviewers[review.addon_id].add(review.reviewer_id)
        addons: defaultdict[int, list[str]] = defaultdict(list)
        for chunk in chunks(reviewers):
            for row in connection.execute(_AUTHORS.where(AddonAuthor.addon_id.in_(chunk))):
                wants = notification(row.notifications, KIND_OF[Notice.NEW_REVIEW]).enabled
                if (
                    wants
                    and reviewers[row.addon_id] - {row.account_id}
                    and row.account_id not in self._mailed
                ):
                    addons[row.account_id].append(row.slug)
        if addons:
            self._queue(connection, addons)
        return set(addons)

    def remember(self, authors: set[int]) -> None:
        """They get no further mail."""
        self._mailed |= authors

    def _queue(self, connection: Connection, addons: dict[int, list[str]]) -> None:
        with Session(connection) as session:
            for chunk in chunks(addons):
                accounts = select(Account).where(Account.id.in_(chunk)).options(joinedload(Account.emails))
                for account in session.scalars(accounts).unique():
                    named = addons[account.id]
                    notices.queue(
                        session,
                        self._keyring,
                        Notice.NEW_REVIEW,
                        to=account.primary_email.address,
                        account=account,
                        username=account.username,
                        addons=", ".join(named[:MOST_NAMED] + ["…"] * (len(named) > MOST_NAMED)),
                    )
            session.flush()
