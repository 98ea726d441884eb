"""Accounts that came from other systems, and who was mailed a link to set a password."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "moved_account",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("credential_epoch", sa.Integer(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("moved", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_moved_account_account_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("digest", name="pk_moved_account"),
    )
    op.create_index("ix_moved_account_account_id", "moved_account", ["account_id"])
    op.create_table(
        "password_invitation",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sent", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_password_invitation_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name="pk_password_invitation"),
    )


def downgrade() -> None:
    op.drop_table("password_invitation")
    op.drop_index("ix_moved_account_account_id", table_name="moved_account")
    op.drop_table("moved_account")
