"""Lists of accounts in each of their orders."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("signup", "last_login"):
        op.create_index(
            f"ix_account_{column}_nulls_last",
            "account",
            [sa.text(f"({column} IS NULL)"), column, "id"],
        )
    op.create_index(
        "ix_account_name_nulls_last",
        "account",
        [sa.text("(name IS NULL)"), sa.text("substr(name, 1, 200)"), "id"],
    )
    inactive = sa.text("state <> 'active'")
    op.create_index(
        "ix_account_username_key_inactive",
        "account",
        ["username_key"],
        sqlite_where=inactive,
        postgresql_where=inactive,
    )


def downgrade() -> None:
    for name in ("signup_nulls_last", "last_login_nulls_last", "name_nulls_last", "username_key_inactive"):
        op.drop_index(f"ix_account_{name}", "account")
