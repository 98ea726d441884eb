"""Named keys beside the default one, and the memory of keys that were ended."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0032"
branch_labels = None
depends_on = None

OF_DEFAULT_KEYS = "account_id, digest, sealed, secret_id, created"


def upgrade() -> None:
    _set_aside()
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("secret_id", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("scopes", sa.Text(), nullable=True),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("prefix", sa.Text(), nullable=True),
        sa.Column("retiring", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_in", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_api_key_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("digest", name="uq_api_key_digest"),
        sa.UniqueConstraint("public_id", name="uq_api_key_public_id"),
        sqlite_autoincrement=True,
    )
    _copy_default_keys("")
    op.create_index("ix_api_key_account_id", "api_key", ["account_id"])
    op.create_index("ix_api_key_secret_id", "api_key", ["secret_id"])
    for name, columns, unique, condition in (
        ("uq_api_key_default", ["account_id"], True, "public_id IS NULL"),
        ("ix_api_key_expires", ["expires"], False, "expires IS NOT NULL"),
        ("ix_api_key_remind_at", ["remind_at"], False, "remind_at IS NOT NULL"),
    ):
        where = sa.text(condition)
        op.create_index(name, "api_key", columns, unique=unique, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "ended_api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("secret_id", sa.Text(), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_ended_api_key_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ended_api_key"),
    )
    for column in ("account_id", "digest", "secret_id", "ended"):
        op.create_index(f"ix_ended_api_key_{column}", "ended_api_key", [column])


def downgrade() -> None:
    op.drop_table("ended_api_key")
    for name in ("ix_api_key_account_id", "uq_api_key_default", "ix_api_key_expires", "ix_api_key_remind_at"):
        op.drop_index(name, "api_key")
    _set_aside("uq_api_key_public_id")
    op.create_table(
        "api_key",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("secret_id", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_api_key_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name="pk_api_key"),
        sa.UniqueConstraint("digest", name="uq_api_key_digest"),
    )
    _copy_default_keys(" WHERE public_id IS NULL")
    op.create_index("ix_api_key_secret_id", "api_key", ["secret_id"])


def _set_aside(*further: str) -> None:
    """Give the table another name, and free the names that belong to it.

    :param further: constraints that it has besides
    """
    op.drop_index("ix_api_key_secret_id", "api_key")
    op.rename_table("api_key", "former_api_key")
    if op.get_bind().dialect.name == "postgresql":
        for name in ("fk_api_key_account_id", "pk_api_key", "uq_api_key_digest", *further):
            op.drop_constraint(name, "former_api_key")


def _copy_default_keys(condition: str) -> None:
    op.execute(
        f"INSERT INTO api_key ({OF_DEFAULT_KEYS}) SELECT {OF_DEFAULT_KEYS} FROM former_api_key{condition}"  # noqa: S608
        " ORDER BY account_id"
    )
    op.drop_table("former_api_key")
