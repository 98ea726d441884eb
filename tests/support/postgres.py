"""The PostgreSQL server of the tests."""

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL


def maintain(server: URL, statement: str) -> None:
    """Run one statement on the server, outside any transaction."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
