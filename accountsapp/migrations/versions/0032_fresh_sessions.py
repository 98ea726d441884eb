"""When the password was entered in a session."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("session", sa.Column("password_entered", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("session", "password_entered")
