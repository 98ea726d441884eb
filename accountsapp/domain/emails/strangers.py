"""Mails that a request causes to other addresses than the account's own: limited by who causes them.

The limits by recipient stand where each mail is queued.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from accountsapp.domain.store import Store


def check(store: Store, account_id: int) -> None:
    """
    :raises TooManyAttempts: the account, or the client, has caused as many as it may
    """
    store.throttle.check("mails", account_id)
    store.throttle.check("mails-address", store.client_network)


@contextmanager
def counted(store: Store, account_id: int) -> Iterator[None]:
    """Surrounds a request that causes one such mail, if it is not refused and does not fail.

    :raises TooManyAttempts: as :func:`check`
    """
    with store.throttle.counted("mails", account_id), counted_by_client(store):
        yield


def counted_by_client(store: Store) -> AbstractContextManager[None]:
    """As :func:`counted`, of somebody without an account.

    :raises TooManyAttempts: the client has caused as many as it may
    """
    return store.throttle.counted("mails-address", store.client_network)
