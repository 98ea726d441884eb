"""Commands as processes of their own, to be killed at any moment."""

import json
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from alembic import command

from accountsapp import strict_json
from accountsapp.db.database import Database
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.passwords import Passwords
from accountsapp.domain.rotation import rotate
from accountsapp.domain.throttle import Throttle
from accountsapp.domain.transfer.importing import Importer
from accountsapp.migrations.revision import alembic_config
from accountsapp.process import Process
from accountsapp.settings import load
from tests.support.forks import FORKS


def start(function: Callable[..., None], *arguments: Any) -> BaseProcess:
    process = FORKS.Process(target=function, args=arguments, daemon=True)
    process.start()
    return process


def finish(function: Callable[..., None], *arguments: Any) -> float:
    """Run it to its end; returns the seconds it took."""
    began = time.monotonic()
    process = start(function, *arguments)
    process.join(120)
    assert process.exitcode == 0
    return time.monotonic() - began


def kill_after(seconds: float, function: Callable[..., None], *arguments: Any) -> bool:
    """Run it, ``SIGKILL`` it then; whether it was still running."""
    process = start(function, *arguments)
    process.join(seconds)
    running = process.exitcode is None
    process.kill()
    process.join(30)
    return running


def upgrade(url: str) -> None:
    command.upgrade(alembic_config(Database(url)), "head")


def import_accounts(url: str, secret: str, path: str, update: bool) -> None:
    importer = Importer(
        Database(url).write, Keyring((secret,)), Passwords(4), print, most_keys=20, update_existing=update
    )
    with Path(path).open("rb") as stream:
        for _counts in importer.run(strict_json.read_lines(stream)):
            pass


def rotate_secrets(ini: dict[str, str]) -> None:
    settings = load(ini, environ={})
    database = Database(settings.database_url)
    with Process(settings, database, Throttle(enabled=False)).transaction() as store:
        rotate(store, database.write)


def write_records(path: Path, count: int) -> list[str]:
    """Records u0, u1, … with API keys of an older system; returns the keys."""
    keys = [f"{number * 7919 + 1:012x}" for number in range(count)]
    with path.open("w", encoding="utf-8") as lines:
        for number, key in enumerate(keys):
            record = {"username": f"u{number}", "email": f"u{number}@example.com", "api_key": key}
            lines.write(json.dumps(record) + "\n")
    return keys
