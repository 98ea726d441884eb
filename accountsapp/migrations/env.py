"""Run by Alembic: the same migrations for SQLite and PostgreSQL."""

from alembic import context
from sqlalchemy import text

import accountsapp.domain.data.activity_models
import accountsapp.domain.data.api_key_models
import accountsapp.domain.data.archive_models
import accountsapp.domain.data.jwt_models
import accountsapp.domain.data.member_models
import accountsapp.domain.data.moved_models
import accountsapp.domain.data.oauth_models
import accountsapp.domain.data.preference_models
import accountsapp.domain.data.registration_models  # noqa: F401 their tables belong to the metadata
from accountsapp.domain.data.models import Base

database = context.config.attributes["database"]

with database.write_engine.connect() as connection:
    if connection.dialect.name == "sqlite":
        # A batch migration recreates its table; with foreign keys on, that would delete the children.
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        # Two upgrades at once take turns, however long one takes.
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(872634)"))
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        connection.rollback()
