"""Somebody asks for what is stored about him: a job writes archives and mails a link to each.

A link is a random code, of which only the hash is kept. It needs no sign-in and ends with the archive: after
``accountsapp.export_expire`` seconds, or with the account. Files that no row names are removed: by the job
itself when it is tried again, and when archives expire.
"""

import os
import secrets
import time
from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sqlalchemy import Connection, delete, exists, select
from sqlalchemy.orm import Session

from accountsapp import folders
from accountsapp.domain import jobs
from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.data.archive_models import Archive
from accountsapp.domain.data.models import IS_THERE, Account
from accountsapp.domain.errors import AccountNotFound, DeadLink, EmailNotVerified
from accountsapp.domain.job_handlers import handles
from accountsapp.domain.jobs import LeasedJob
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.pictures import files
from accountsapp.domain.rules.digests import digest_of
from accountsapp.domain.store import Store
from accountsapp.settings import Settings

EXPORT = "export"
REMOVE_ARCHIVES = "remove_archives"
"""The names of the jobs."""

FILE_MODE = 0o600
CLOCKS_DIFFER = timedelta(minutes=5)
"""How long after they have expired archives are removed: the clock of jobs may be another one."""
LONGEST_WRITING = 2 * jobs.LONGEST_LEASE
"""Seconds after which a file that no row names is nobody's."""


class OpenArchive(NamedTuple):
    """An archive that is being fetched; who fetches it closes the file."""

    name: str
    size: int
    file: BinaryIO


def ask(store: Store, account_id: int) -> None:
    """Have archives written and links to them mailed; while that is being done, asking again changes nothing.

    :raises EmailNotVerified: nobody has proved that the primary address is the owner's
    """
    account = store.lock(account_id)
    if not account.primary_email.verified:
        raise EmailNotVerified
    payload = {"of": account_id, "language": store.language_for(account_id)}
    jobs.enqueue(store.session, EXPORT, payload, account_id=account_id, unique_key=_key_of(account_id))
    store.record(Event.EXPORT_ASKED, account_id=account_id)


@handles(EXPORT)
def write_archives(store: Store, job: LeasedJob) -> None:
    """Write the archives of an account that is still there, and mail the links."""
    account_id, store.language = job.payload["of"], job.payload.get("language")
    folder = _folder_of(store.settings, account_id)
    _remove_files(folder, but=_stems_of(store.connection, account_id))
    written: dict[str, str] = {}
    try:
        _write(store, account_id, folder, written)
        _hand_over(store, account_id, written)
    except (AccountNotFound, EmailNotVerified):
        _remove_files(folder, only=written.values())
    except BaseException:
        _remove_files(folder, only=written.values())
        raise


def _write(store: Store, account_id: int, folder: Path, written: dict[str, str]) -> None:
    """
    :param written: gets the stem of each file, by the name of the archive, before it is begun
    :raises AccountNotFound: it is gone
    """
    from accountsapp.domain.transfer import personal_data  # and with it all that knows the form of exports

    if _is_gone(store.connection, account_id):
        raise AccountNotFound
    folders.make_public(store.settings.files, below=1)
    folders.make(folder)
    picture = _picture(store, account_id)
    for name, write in personal_data.archives_of(store.connection, account_id, picture):
        written[name] = stem = secrets.token_hex(16)
        descriptor = os.open(folder / f"{stem}.zip", os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            write(file)
            file.flush()
            os.fsync(descriptor)


def _picture(store: Store, account_id: int) -> bytes | None:
    stem = store.connection.scalar(select(Account.picture).where(Account.id == account_id))
    return files.read_picture(store.settings, account_id, stem) if stem is not None else None


def _hand_over(store: Store, account_id: int, written: dict[str, str]) -> None:
    """Make the files archives of the account, and tell its owner.

    :raises AccountNotFound: it is gone
    :raises EmailNotVerified: it has another address by now
    """
    account = store.lock(account_id)
    if not account.primary_email.verified:
        raise EmailNotVerified
    life = timedelta(seconds=store.settings.export_expire)
    expires = now() + life
    links = []
    for name, stem in written.items():
        code = secrets.token_urlsafe(32)
        archive = Archive(account_id=account_id, digest=digest_of(code), name=f"{name}.zip", stem=stem)
        archive.expires = expires
        store.session.add(archive)
        links.append({"name": archive.name, "code": code})
    jobs.enqueue(store.session, REMOVE_ARCHIVES, {"of": account_id}, delay=life + CLOCKS_DIFFER)
    store.notify(account, Notice.EXPORT_READY, archives=links, expires=expires)


def open_archive(store: Store, code: str) -> OpenArchive:
    """The archive that a link leads to.

    :raises DeadLink: there is none, or not any more
    """
    statement = (
        select(Archive.account_id, Archive.name, Archive.stem, Archive.expires)
        .join(Account, Account.id == Archive.account_id)
        .where(Archive.digest == digest_of(code), IS_THERE)
    )
    row = store.connection.execute(statement).first()
    if row is None or row.expires <= now():
        raise DeadLink
    try:
        file = (_folder_of(store.settings, row.account_id) / f"{row.stem}.zip").open("rb")
    except FileNotFoundError:
        raise DeadLink from None
    return OpenArchive(row.name, os.fstat(file.fileno()).st_size, file)


def ask_removal_of_all(session: Session, account_id: int) -> None:
    """Have the archives of an account removed that is deleted in the session's transaction, if it has any or
    is to get some."""
    has_some = session.scalar(select(exists().where(Archive.account_id == account_id)))
    if has_some or jobs.is_queued(session, _key_of(account_id)):
        jobs.enqueue(session, REMOVE_ARCHIVES, {"of": account_id})


@handles(REMOVE_ARCHIVES)
def remove_archives(store: Store, job: LeasedJob) -> None:
    """Remove the archives of an account that have expired; those of one that is gone, all of them."""
    account_id, moment = job.payload["of"], now()
    folder = _folder_of(store.settings, account_id)
    if _is_gone(store.connection, account_id):
        _remove_files(folder)
        return
    expired = (Archive.account_id == account_id, Archive.expires <= moment)
    _remove_files(folder, only=store.connection.scalars(select(Archive.stem).where(*expired)).all())
    _remove_files(folder, but=_stems_of(store.connection, account_id), older=LONGEST_WRITING)
    store.session.execute(delete(Archive).where(*expired))


def _remove_files(
    folder: Path,
    *,
    only: Collection[str] | None = None,
    but: Collection[str] = (),
    older: float | None = None,
) -> None:
    """
    :param only: the stems of those that are removed; None for all
    :param but: the stems of those that are not
    :param older: only what was written that many seconds ago
    """
    for path in folder.glob("*.zip"):
        if (only is not None and path.stem not in only) or path.stem in but:
            continue
        if older is None or path.stat().st_mtime < time.time() - older:
            path.unlink(missing_ok=True)
    with suppress(OSError):  # it was not there, or is not empty
        folder.rmdir()


def _folder_of(settings: Settings, account_id: int) -> Path:
    return settings.files / "exports" / files.container_of(account_id)


def _stems_of(connection: Connection, account_id: int) -> Collection[str]:
    return connection.scalars(select(Archive.stem).where(Archive.account_id == account_id)).all()


def _is_gone(connection: Connection, account_id: int) -> bool:
    there = select(Account.id).where(Account.id == account_id, IS_THERE)
    return connection.execute(there).first() is None


def _key_of(account_id: int) -> str:
    return f"export:{account_id}"
