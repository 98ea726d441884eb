"""Preferences and social links."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, key, value in (("preference", "name", "value"), ("social_link", "platform", "url")):
        op.create_table(
            table,
            sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
            sa.Column(key, sa.Text(), nullable=False),
            sa.Column(value, sa.Text(), nullable=False),
            sa.ForeignKeyConstraint(
                ["account_id"], ["account.id"], name=op.f(f"fk_{table}_account_id"), ondelete="CASCADE"
            ),
            sa.PrimaryKeyConstraint("account_id", key, name=op.f(f"pk_{table}")),
        )


def downgrade() -> None:
    op.drop_table("social_link")
    op.drop_table("preference")
