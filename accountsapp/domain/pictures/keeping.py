"""An account gets a picture, another one, or none: files and row become one change.

Files know no transaction. So a job that removes the files is queued before they are written, in a
transaction of its own, and the transaction that makes them the account's takes that job back: whatever is
killed in between, no file stays that no account has, and no account has a picture whose files are removed.
The files of a former picture are removed by such a job too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from accountsapp.domain import jobs
from accountsapp.domain.data.models import Account
from accountsapp.domain.errors import Busy
from accountsapp.domain.job_handlers import handles
from accountsapp.domain.jobs import LeasedJob
from accountsapp.domain.pictures import files
from accountsapp.domain.store import Store

if TYPE_CHECKING:
    from accountsapp.domain.pictures.decoding import Picture

REMOVE_PICTURE = "remove_picture"
REMOVE_PICTURES = "remove_pictures"
"""The names of the jobs."""

LONGEST_CHANGE = timedelta(minutes=2)
"""From the writing of files to the commit of the change that they belong to."""


class Written:
    """Files of a picture that an account is to get.

    :ivar stem: of their names
    """

    def __init__(self, stem: str, job_id: int) -> None:
        self.stem = stem
        self._job_id = job_id

    def take(self, session: Session) -> None:
        """Have them stay when the session's transaction is committed.

        :raises Busy: that took so long that they are being removed
        """
        if not jobs.take_back(session, self._job_id):
            raise Busy


@contextmanager
def written(store: Store, account_id: int, picture: "Picture") -> Iterator[Written]:
    """Surrounds a change that gives an account a picture: its files are there, and are removed again when the
    change or its transaction fails.

    Entered before anything is locked or written in the store's transaction.

    :raises Busy: files cannot be written now
    """
    if store.is_writing:
        raise RuntimeError("a picture is written before the transaction begins")
    from accountsapp.domain.pictures.renditions import square_jpeg  # and with it Pillow

    stem = files.new_stem()
    contents = {files.picture_name(stem): picture.png}
    for size in store.rendition_sizes:
        contents[files.square_name(stem, size)] = square_jpeg(picture.square, size)
    with store.begin() as session:
        job_id = _ask_removal(session, account_id, stem, after=LONGEST_CHANGE)
    folder = files.folder_of(store.settings, account_id)
    store.undoing.callback(files.remove, folder, stem)
    try:
        _write(folder, contents)
        yield Written(stem, job_id)
    except BaseException:
        files.remove(folder, stem)
        raise


def _write(folder: Path, contents: dict[str, bytes]) -> None:
    try:
        for name, data in contents.items():
            files.write(folder, name, data)
    except OSError as error:
        files.TROUBLE.met(type(error).__name__)
        raise Busy(retry_after=60) from error
    files.TROUBLE.over()


def put(session: Session, account_id: int, former: str | None, new: Written | None) -> str | None:
    """Have a locked account keep the files that were written as its picture, if any, and those of its former
    one removed.

    :param former: the stem of these, if it has a picture
    :returns: the stem of the new ones, which the account is to be given
    :raises Busy: see :meth:`Written.take`
    """
    if new is not None:
        new.take(session)
    if former is not None:
        _ask_removal(session, account_id, former)
    return new.stem if new is not None else None


def ask_removal_of_all(session: Session, account_id: int) -> None:
    """Have the files of an account removed that is deleted in the session's transaction."""
    jobs.enqueue(session, REMOVE_PICTURES, {"of": account_id})


def _ask_removal(session: Session, account_id: int, stem: str, after: timedelta = timedelta()) -> int:
    return jobs.enqueue(session, REMOVE_PICTURE, {"of": account_id, "stem": stem}, delay=after).id


@handles(REMOVE_PICTURE)
def remove_picture(store: Store, job: LeasedJob) -> None:
    """Remove the files of a picture, if the account does not have it."""
    account_id, stem = job.payload["of"], job.payload["stem"]
    present = store.connection.scalar(select(Account.picture).where(Account.id == account_id))
    if present != stem:
        files.remove(files.folder_of(store.settings, account_id), stem)


@handles(REMOVE_PICTURES)
def remove_pictures(store: Store, job: LeasedJob) -> None:
    """Remove the files of a deleted account."""
    files.remove_folder(files.folder_of(store.settings, job.payload["of"]))
