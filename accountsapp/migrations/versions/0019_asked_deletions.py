"""Accounts whose deletion was asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("deletion_asked", sa.DateTime(timezone=True)))
    is_asked = sa.text("deletion_asked IS NOT NULL")
    op.create_index(
        "ix_account_deletion_asked",
        "account",
        ["deletion_asked"],
        sqlite_where=is_asked,
        postgresql_where=is_asked,
    )


def downgrade() -> None:
    op.drop_index("ix_account_deletion_asked", "account")
    op.drop_column("account", "deletion_asked")
