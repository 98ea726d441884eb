"""Databases of other systems, with the tables that those systems make."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Unicode,
    create_engine,
    delete,
    insert,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData()

BOOKIE_USERS = Table(
    "users",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("username", Unicode(255), unique=True),
    Column("name", Unicode(255)),
    Column("password", Unicode(60)),
    Column("email", Unicode(255), unique=True),
    Column("activated", Boolean, default=False),
    Column("is_admin", Boolean, default=False),
    Column("last_login", DateTime),
    Column("signup", DateTime),
    Column("api_key", Unicode(12)),
    Column("invite_ct", Integer, default=0),
    Column("invited_by", Unicode(255)),
)

PYBOSSA_USER = Table(
    "user",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("created", Text),
    Column("email_addr", Unicode(254), unique=True, nullable=False),
    Column("valid_email", Boolean, default=False),
    Column("confirmation_email_sent", Boolean, default=False),
    Column("name", Unicode(254), unique=True, nullable=False),
    Column("fullname", Unicode(500), nullable=False),
    Column("locale", Unicode(254), nullable=False),
    Column("api_key", String(36), unique=True),
    Column("passwd_hash", Unicode(254)),
    Column("ldap", Unicode(254)),
    Column("admin", Boolean),
    Column("pro", Boolean),
    Column("privacy_mode", Boolean, nullable=False),
    Column("restrict", Boolean, nullable=False),
    Column("category", Integer),
    Column("flags", Integer),
    Column("twitter_user_id", BigInteger, unique=True),
    Column("facebook_user_id", BigInteger, unique=True),
    Column("google_user_id", String, unique=True),
    Column("ckan_api", String, unique=True),
    Column("newsletter_prompted", Boolean),
    Column("subscribed", Boolean, nullable=False),
    Column("consent", Boolean),
    Column("info", JSON().with_variant(JSONB(), "postgresql")),
)

AUTH_USER = Table(
    "auth_user",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("password", String(128), nullable=False),
    Column("last_login", DateTime(timezone=True)),
    Column("is_superuser", Boolean, nullable=False),
    Column("username", String(150), unique=True, nullable=False),
    Column("first_name", String(150), nullable=False),
    Column("last_name", String(150), nullable=False),
    Column("email", String(254), nullable=False),
    Column("is_staff", Boolean, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("date_joined", DateTime(timezone=True), nullable=False),
)
AUTHTOKEN_TOKEN = Table(
    "authtoken_token",
    METADATA,
    Column("key", String(40), primary_key=True),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("user_id", Integer, unique=True, nullable=False),
)
ACCOUNT_EMAILADDRESS = Table(
    "account_emailaddress",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("email", String(254), nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("primary", Boolean, nullable=False),
    Column("user_id", Integer, nullable=False),
)

AUTH_USERPROFILE = Table(
    "auth_userprofile",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("user_id", Integer, unique=True, nullable=False),
    Column("name", String(255), nullable=False),
    Column("meta", Text, nullable=False),
    Column("courseware", String(255), nullable=False),
    Column("language", String(255), nullable=False),
    Column("location", String(255), nullable=False),
    Column("year_of_birth", Integer),
    Column("gender", String(6)),
    Column("level_of_education", String(6)),
    Column("mailing_address", Text),
    Column("city", Text),
    Column("country", String(2)),
    Column("state", String(2)),
    Column("goals", Text),
    Column("bio", String(3000)),
    Column("profile_image_uploaded_at", DateTime(timezone=True)),
    Column("phone_number", String(50)),
)
USER_API_USERPREFERENCE = Table(
    "user_api_userpreference",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("user_id", Integer, nullable=False),
    Column("key", String(255), nullable=False),
    Column("value", Text, nullable=False),
)
STUDENT_LANGUAGEPROFICIENCY = Table(
    "student_languageproficiency",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("user_profile_id", Integer, nullable=False),
    Column("code", String(16), nullable=False),
)
STUDENT_SOCIALLINK = Table(
    "student_sociallink",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("user_profile_id", Integer, nullable=False),
    Column("platform", String(30), nullable=False),
    Column("social_link", String(100), nullable=False),
)


class OldDatabase:
    """The database of another system.

    :ivar url: as it is given to the command
    """

    def __init__(self, url: str, engine: Engine) -> None:
        self.url = url
        self._engine = engine

    def add(self, table: Table, *rows: dict[str, Any]) -> None:
        """Put rows in a table; each has all its keys."""
        with self._engine.begin() as connection:
            table.create(connection, checkfirst=True)
            for row in rows:
                connection.execute(insert(table), row)

    def change(self, table: Table, identity: int, **values: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(table).where(table.c.id == identity).values(values))

    def remove(self, table: Table, identity: int) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(table).where(table.c.id == identity))

    def execute(self, statement: str) -> None:
        with self._engine.begin() as connection:
            connection.exec_driver_sql(statement)


@contextmanager
def opened(url: str) -> Iterator[OldDatabase]:
    """An empty one.

    :param url: of an empty database
    """
    engine = create_engine(url)
    try:
        yield OldDatabase(url, engine)
    finally:
        engine.dispose()
