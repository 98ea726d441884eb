"""Copies of a SQLite database that is in use."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

PRIVATE = 0o600


def copy(database: Path, file: Path) -> int:
    """Write a copy of one moment, whole or not at all, for our user alone; others write on meanwhile.

    :param file: that there is not yet
    :returns: its size in bytes
    :raises FileExistsError: there is one
    :raises OSError: it cannot be written
    :raises sqlite3.Error: the database cannot be read, or is damaged
    """
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))
    part = file.with_name(f"{file.name}.part")
    try:
        part.touch(PRIVATE, exist_ok=False)
        try:
            _copy_pages(database, part)
            _sync(part)
            part.replace(file)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except BaseException:
        file.unlink()
        raise
    _sync(file.parent)
    return file.stat().st_size


def _copy_pages(database: Path, part: Path) -> None:
    source_uri = f"{database.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(source_uri, uri=True)) as source, closing(sqlite3.connect(part)) as target:
        # In one step: of one in several, each change by others would begin it anew.
        source.backup(target)
        # One file, not one with a WAL beside it; a server that opens it changes that back.
        target.execute("PRAGMA journal_mode = DELETE")
        (checked,) = target.execute("PRAGMA quick_check(1)").fetchone()
    if checked != "ok":
        raise sqlite3.DatabaseError(f"the copy is damaged: {checked}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
