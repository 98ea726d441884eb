"""Plain statements that take part in the transaction of a request, which pyramid_tm ends.

zope.sqlalchemy does that for sessions. A change that plain statements make needs none, and a session would
cost it a tenth of its time; where there is one, it ends the transaction that both have.
"""

import transaction
from sqlalchemy import RootTransaction
from transaction.interfaces import IDataManager
from zope.interface import implementer


@implementer(IDataManager)
class JoinedTransaction:
    """A data manager (:mod:`transaction`) for the transaction of one connection.

    It never touches another transaction of that connection: :mod:`transaction` may abort what it joined once
    more when somebody else has the connection, as where a commit failed.

    :param begun: is not committed by anybody else but a session over its connection
    """

    transaction_manager = transaction.manager

    def __init__(self, begun: RootTransaction) -> None:
        self._begun = begun

    def sortKey(self) -> str:  # noqa: N802  as the interface calls it
        """After the sessions of zope.sqlalchemy, which may end the same transaction."""
        return "~~connection"

    def tpc_begin(self, _transaction: object) -> None:
        """Nothing: statements were run when they were said."""

    def commit(self, _transaction: object) -> None:
        """Nothing: the last word is that of the vote, as for any database that has one phase."""

    def tpc_vote(self, _transaction: object) -> None:
        if self._begun.is_active:
            self._begun.commit()

    def tpc_finish(self, _transaction: object) -> None:
        """Nothing."""

    def abort(self, _transaction: object) -> None:
        if self._begun.is_active:
            self._begun.rollback()

    tpc_abort = abort


def join(begun: RootTransaction) -> None:
    """Have a connection's transaction end with that of the request."""
    transaction.get().join(JoinedTransaction(begun))


def abort() -> None:
    """End the request's transaction without what was written; what is written next begins another one."""
    transaction.abort()
