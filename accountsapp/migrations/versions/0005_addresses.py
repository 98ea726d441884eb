"""Addresses are compared by their domains as A-labels, and a mailed link knows the spelling it went to.

The keys are those of ``rules.emails.key_of``; only of addresses that are not ASCII they differ from before.
A link that proves a further address may have been mailed to another spelling than the account has now, so it
ends.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from accountsapp.domain.rules.emails import key_of

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

log = logging.getLogger(__name__)

AT_ONCE = 1000
"""Rows read at once."""
ENDED = datetime(1970, 1, 1, tzinfo=UTC)

account = sa.table(
    "account",
    sa.column("id", sa.Integer),
    sa.column("pending_email", sa.Text),
    sa.column("pending_email_key", sa.Text),
)
email_address = sa.table(
    "email_address",
    sa.column("id", sa.Integer),
    sa.column("account_id", sa.Integer),
    sa.column("address", sa.Text),
    sa.column("address_key", sa.Text),
    sa.column("verified", sa.Boolean),
    sa.column("is_primary", sa.Boolean),
)
link = sa.table(
    "link",
    sa.column("id", sa.Integer),
    sa.column("purpose", sa.Text),
    sa.column("account_id", sa.Integer),
    sa.column("address", sa.Text),
    sa.column("address_key", sa.Text),
    sa.column("expires", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.add_column(sa.Column("address", sa.Text(), nullable=True))
    connection = op.get_bind()
    _address_links(connection)
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.alter_column("address", existing_type=sa.Text(), nullable=False)
    _rekey_addresses(connection)
    _rekey_pending(connection)


def downgrade() -> None:
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.drop_column("address")


def _address_links(connection: sa.Connection) -> None:
    """What the links were mailed to: an account has one primary and one pending address, whose links end when
    it changes; of further addresses nobody can tell.
    """
    primary = sa.select(email_address.c.address).where(
        email_address.c.account_id == link.c.account_id,
        email_address.c.is_primary,
        email_address.c.address_key == link.c.address_key,
    )
    pending = sa.select(account.c.pending_email).where(
        account.c.id == link.c.account_id, account.c.pending_email_key == link.c.address_key
    )
    for purpose, address in (("reset", primary), ("change e-mail", pending)):
        statement = sa.update(link).where(link.c.purpose == purpose)
        connection.execute(statement.values(address=address.scalar_subquery()))
    unknown = sa.update(link).where(link.c.address.is_(None))
    connection.execute(unknown.values(address=link.c.address_key, expires=ENDED))
    for row in _rows(connection, link):
        if row.address is not None and key_of(row.address) != row.address_key:
            _set(connection, link, row.id, address_key=key_of(row.address))


def _rekey_addresses(connection: sa.Connection) -> None:
    for row in _rows(connection, email_address):
        key = key_of(row.address)
        if row.address.isascii() or key == row.address_key:
            continue
        rivals = connection.execute(sa.select(email_address).where(email_address.c.address_key == key)).all()
        others = [rival for rival in rivals if rival.account_id != row.account_id]
        mine = [rival for rival in rivals if rival.account_id == row.account_id]
        if any(_is_taken(other) for other in others):
            if _is_taken(row):
                log.warning(
                    "account %s: one of its addresses is that of account %s in another spelling; "
                    "both keep theirs, and that of the first is not found in the other spelling",
                    row.account_id,
                    next(other.account_id for other in others if _is_taken(other)),
                )
            else:
                _remove(connection, row)
        elif any(_rank(rival) > _rank(row) for rival in mine):
            _remove(connection, row)
        else:
            for rival in [*mine, *others] if _is_taken(row) else mine:
                _remove(connection, rival)
            _set(connection, email_address, row.id, address_key=key)


def _rekey_pending(connection: sa.Connection) -> None:
    for row in _rows(connection, account):
        if row.pending_email is not None and key_of(row.pending_email) != row.pending_email_key:
            _set(connection, account, row.id, pending_email_key=key_of(row.pending_email))


def _is_taken(row: Any) -> bool:
    """Whether the account has the address for itself."""
    return bool(row.is_primary or row.verified)


def _rank(row: Any) -> tuple[bool, bool, int]:
    """Of two spellings of one address on one account the higher one stays."""
    return row.is_primary, row.verified, -row.id


def _remove(connection: sa.Connection, row: Any) -> None:
    connection.execute(sa.delete(email_address).where(email_address.c.id == row.id))
    log.warning(
        "account %s: a further address is removed, which is another one differently spelled", row.account_id
    )


def _set(connection: sa.Connection, table: sa.TableClause, row_id: int, **values: Any) -> None:
    connection.execute(sa.update(table).where(table.c.id == row_id).values(values))


def _rows(connection: sa.Connection, table: sa.TableClause) -> Iterator[Any]:
    """All rows, some at a time."""
    last = 0
    while rows := connection.execute(
        sa.select(table).where(table.c.id > last).order_by(table.c.id).limit(AT_ONCE)
    ).all():
        yield from rows
        last = rows[-1].id
