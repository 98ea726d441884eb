"""Users of a PostgreSQL server who own nothing."""

from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from tests.support.postgres import maintain

PASSWORD = "of-the-role"


class Role:
    """A user of the server who owns nothing and needs its password.

    :ivar url: of the database, as that user
    """

    def __init__(self, owners: URL) -> None:
        self.name = f"role_{owners.database}"
        self._owners = owners
        self.url = owners.set(username=self.name, password=PASSWORD)
        self._hba_file = Path(self._ask("SHOW hba_file"))
        self._hba = self._hba_file.read_text()
        for kind, place in (("local", ""), ("host", "samehost")):
            self._hba_file.write_text(
                f"{kind} all {self.name} {place} scram-sha-256\n{self._hba_file.read_text()}"
            )
        self.change(
            f"CREATE ROLE {self.name} LOGIN PASSWORD '{PASSWORD}'",
            f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {self.name}",
            f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {self.name}",
            "SELECT pg_reload_conf()",
        )

    def change(self, *statements: str) -> None:
        for statement in statements:
            maintain(self._owners, statement.format(role=self.name))

    def send_away(self) -> None:
        """End its connections."""
        self.change("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'")

    def remove(self) -> None:
        self.send_away()
        self.change("DROP OWNED BY {role}", "DROP ROLE {role}")
        self._hba_file.write_text(self._hba)
        self.change("SELECT pg_reload_conf()")

    def _ask(self, statement: str) -> str:
        engine = create_engine(self._owners)
        with engine.connect() as connection:
            found = connection.execute(text(statement)).scalar_one()
        engine.dispose()
        return str(found)
