"""Registrations that wait for their confirmation, a key kept for a data portal, forms of former sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pending_registration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("username_key", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_registration")),
        sa.UniqueConstraint("address_key", name=op.f("uq_pending_registration_address_key")),
        sa.UniqueConstraint("digest", name=op.f("uq_pending_registration_digest")),
        sa.UniqueConstraint("username_key", name=op.f("uq_pending_registration_username_key")),
    )
    op.add_column("account", sa.Column("ckan_api", sa.Text(), nullable=True))
    op.add_column("session", sa.Column("former_forms", sa.JSON(), server_default="[]", nullable=False))


def downgrade() -> None:
    op.drop_column("session", "former_forms")
    op.drop_column("account", "ckan_api")
    op.drop_table("pending_registration")
