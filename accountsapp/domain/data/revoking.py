"""What is revoked must be so at the next request, whichever server answers it."""

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session


def confirm_everywhere(transaction: Connection | Session) -> None:
    """Have this transaction acknowledged only when every synchronous standby of PostgreSQL shows it.

    Called by whatever ends a credential, deactivates or deletes an account, in the transaction that does it.
    Where there is no such standby, and on SQLite, that changes nothing.
    """
    connection = transaction.connection() if isinstance(transaction, Session) else transaction
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL synchronous_commit = remote_apply"))
