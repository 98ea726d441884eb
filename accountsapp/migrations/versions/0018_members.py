"""Members: the listed accounts in their two orders, kept by triggers, and the parts that find a place."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0012"
branch_labels = None
depends_on = None

LISTED = "{row}.state = 'active' AND {row}.username NOT LIKE '%@%'"
"""An account that is active and whose name is no address."""
VALUES = "{row}.id, coalesce({row}.signup, {row}.created), -{row}.n_contributions"
COLUMNS = "account_id, joined, standing"
MATTERS = ("state", "username", "signup", "created", "n_contributions")
PART = 500

COMES = f"""
    INSERT INTO member ({COLUMNS}) SELECT {VALUES} WHERE {LISTED};
    INSERT INTO member_change ({COLUMNS}, delta) SELECT {VALUES}, 1 WHERE {LISTED};
""".format(row="NEW")
GOES = f"""
    INSERT INTO member_change ({COLUMNS}, delta) SELECT {COLUMNS}, -1 FROM member WHERE account_id = OLD.id;
    DELETE FROM member WHERE account_id = OLD.id;
"""  # noqa: S608 all names are ours
TRIGGERS = {
    "member_comes": ("AFTER INSERT", "true", COMES),
    "member_changes": (
        f"AFTER UPDATE OF {', '.join(MATTERS)}",
        " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in MATTERS),
        GOES + COMES,
    ),
    "member_goes": ("BEFORE DELETE", "true", GOES),
}
"""Name to event, condition and what is done."""


def upgrade() -> None:
    op.create_table(
        "member",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("joined", sa.DateTime(timezone=True), nullable=False),
        sa.Column("standing", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_member_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_member")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "member_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("joined", sa.DateTime(timezone=True), nullable=False),
        sa.Column("standing", sa.Integer(), nullable=False),
        sa.Column("delta", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_change")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "member_part",
        sa.Column("in_order", sa.Text(), nullable=False),
        sa.Column("standing", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("joined", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("in_order", "standing", "joined", "account_id", name=op.f("pk_member_part")),
    )
    op.execute(
        f"INSERT INTO member ({COLUMNS}) SELECT {VALUES} FROM account WHERE {LISTED}".format(row="account")  # noqa: S608
    )
    op.create_index("ix_member_joined", "member", ["joined", "account_id"])
    op.create_index("ix_member_standing", "member", ["standing", "joined", "account_id"])
    cut("newest", "0", "joined, account_id")
    cut("standing", "standing", "standing, joined, account_id")
    for name, (event, condition, body) in TRIGGERS.items():
        create_trigger(name, event, condition, body)


def cut(order: str, standing: str, columns: str) -> None:
    """Make the parts of one order."""
    op.execute(
        f"INSERT INTO member_part (in_order, standing, joined, account_id, members) "  # noqa: S608
        f"SELECT '{order}', standing, joined, account_id, "
        f"CASE WHEN number - place < {PART} THEN number - place ELSE {PART} END "
        f"FROM (SELECT {standing} AS standing, joined, account_id, "
        f"row_number() OVER (ORDER BY {columns}) - 1 AS place, "
        f"(SELECT count(*) FROM member) AS number FROM member) AS numbered "
        f"WHERE place % {PART} = 0"
    )


def create_trigger(name: str, event: str, condition: str, body: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        condition = condition.replace("IS DISTINCT FROM", "IS NOT")
        op.execute(f"CREATE TRIGGER {name} {event} ON account WHEN {condition} BEGIN {body} END")
        return
    result = "OLD" if "DELETE" in event else "NEW"
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql "
        f"AS $$ BEGIN {body} RETURN {result}; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name} {event} ON account FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {name}()"
    )


def downgrade() -> None:
    for name in TRIGGERS:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {name}")
        else:
            op.execute(f"DROP FUNCTION {name} CASCADE")
    for table in ("member_part", "member_change", "member"):
        op.drop_table(table)
