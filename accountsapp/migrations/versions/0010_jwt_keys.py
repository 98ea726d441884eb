"""Keys with which clients sign tokens, the tokens that were used, and ids of Firefox accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jwt_key",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("secret_id", sa.Text(), nullable=False),
        sa.Column("credential_epoch", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_jwt_key_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_jwt_key")),
        sa.UniqueConstraint("key", name=op.f("uq_jwt_key_key")),
    )
    op.create_index(op.f("ix_jwt_key_secret_id"), "jwt_key", ["secret_id"])
    op.create_table(
        "used_jwt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("used_by", sa.Text(), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_used_jwt")),
        sa.UniqueConstraint("digest", name=op.f("uq_used_jwt_digest")),
    )
    op.create_index(op.f("ix_used_jwt_expires"), "used_jwt", ["expires"])
    op.add_column("account", sa.Column("fxa_id", sa.Text(), nullable=True))
    op.create_index(op.f("uq_account_fxa_id"), "account", ["fxa_id"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f("uq_account_fxa_id"), "account")
    op.drop_column("account", "fxa_id")
    op.drop_table("used_jwt")
    op.drop_table("jwt_key")
