"""The command as an operator runs it, in this process."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from accountsapp.cli import main
from accountsapp.db.database import Database
from tests.support.old_systems import OldDatabase, opened


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The last line of standard output."""
        return json.loads(self.out.splitlines()[-1])

    @property
    def jsons(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]
Load = Callable[..., Ran]


def write_ini(path: Path, settings: dict[str, str], section: str = "main") -> Path:
    lines = [f"[app:{section}]", "use = call:accountsapp:main"]
    lines += [f"{name} = {value.replace('%', '%%')}" for name, value in settings.items()]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture
def ini_file(ini: dict[str, str], tmp_path: Path) -> Path:
    return write_ini(tmp_path / "test.ini", ini)


@pytest.fixture
def run(ini_file: Path) -> Run:
    """Runs ``accountsapp -c INI …``; expects exit 0 unless told otherwise."""

    def run(*arguments: str, input: str | bytes = b"", exit_code: int = 0, ini: Any = ini_file) -> Ran:  # noqa: A002
        result = CliRunner().invoke(
            main,
            ["-c", str(ini), *arguments],
            prog_name="accountsapp",
            input=input,
            catch_exceptions=False,
        )
        ran = Ran(result.exit_code, result.stdout, result.stderr)
        assert ran.exit_code == exit_code, ran
        return ran

    return run


@pytest.fixture
def raw(database_url: str) -> Iterator[Database]:
    """The database, without the application."""
    database = Database(database_url)
    yield database
    database.dispose()


@pytest.fixture
def load(run: Run) -> Load:
    """Imports records: ``load({"username": …}, …, update=True)``; bytes are lines as they are."""

    def load(*records: dict[str, Any] | bytes, update: bool = False, exit_code: int = 0) -> Ran:
        lines = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
        options = ["--update"] if update else []
        return run("accounts", "import", "-", *options, input=b"\n".join(lines), exit_code=exit_code)

    return load


@pytest.fixture
def old(empty_database_url: str) -> Iterator[OldDatabase]:
    """The database of another system, on the same kind of server."""
    with opened(empty_database_url) as database:
        yield database
