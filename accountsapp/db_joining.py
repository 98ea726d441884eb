"""Connections that take part in the transaction of a request, which pyramid_tm ends.

zope.sqlalchemy does that for sessions. A change that plain statements make needs none, and a session would
cost it a tenth of its time; where there is one, it ends the transaction that both have.
"""

import transaction
from sqlalchemy import Connection
from transaction.interfaces import IDataManager
from zope.interface import implementer


@implementer(IDataManager)
class JoinedConnection:
    """A data manager (:mod:`transaction`) for one connection in a transaction.

    :param connection: has begun its transaction, and is not committed by anybody else but a session over it
    """

    transaction_manager = transaction.manager

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sortKey(self) -> str:  # noqa: N802  as the interface calls it
        """After the sessions of zope.sqlalchemy, which may end the same transaction."""
        return "~~connection"

    def tpc_begin(self, _transaction: object) -> None:
        """Nothing: statements were run when they were said."""

    def commit(self, _transaction: object) -> None:
        """Nothing: the last word is that of the vote, as for any database that has one phase."""

    def tpc_vote(self, _transaction: object) -> None:
        if self._connection.in_transaction():
            self._connection.commit()

    def tpc_finish(self, _transaction: object) -> None:
        """Nothing."""

    def abort(self, _transaction: object) -> None:
        if self._connection.in_transaction():
            self._connection.rollback()

    tpc_abort = abort


def join(connection: Connection) -> None:
    """Have a connection's transaction end with that of the request."""
    transaction.get().join(JoinedConnection(connection))
