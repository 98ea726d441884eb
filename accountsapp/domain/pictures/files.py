"""The files of pictures: below ``accountsapp.files``, for everybody to read, in a folder for each account.

``uploads/user_7/<stem>_avatar.png``, and beside it its squares ``<stem>_<size>.jpg``. A stem is 128 random
bits.
"""

import errno
import logging
import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from accountsapp import folders
from accountsapp.settings import Settings
from accountsapp.trouble import Trouble

TROUBLE = Trouble(logging.getLogger(__name__), "pictures cannot be written", "pictures are written again")

FILE_MODE = 0o644

_CONTAINER = re.compile(r"user_[1-9]\d{0,9}", re.ASCII)
_FILE = re.compile(r"([0-9a-f]{32})_(?:avatar\.png|([1-9]\d{0,3})\.jpg)", re.ASCII)

_TRIES = 5
"""Of writing a file whose folder somebody else removes, because it was empty."""


def new_stem() -> str:
    return secrets.token_hex(16)


def container_of(account_id: int) -> str:
    """The name of an account's folder."""
    return f"user_{account_id}"


def picture_name(stem: str) -> str:
    return f"{stem}_avatar.png"


def square_name(stem: str, size: int) -> str:
    return f"{stem}_{size}.jpg"


def folder_of(settings: Settings, account_id: int) -> Path:
    return settings.files / folders.UPLOADS / container_of(account_id)


def read(
    settings: Settings, container: str, name: str, make_square: Callable[[bytes, int], bytes | None]
) -> bytes | None:
    """A file by the names in a URL; None for whatever is no file of a picture.

    :param make_square: makes a square that is not there yet from picture and size; None for an unwanted size
    """
    named = _FILE.fullmatch(name)
    if named is None or _CONTAINER.fullmatch(container) is None:
        return None
    folder = settings.files / folders.UPLOADS / container
    data = _read(folder / name)
    stem, size = named.groups()
    if data is not None or size is None:
        return data
    picture = _read(folder / picture_name(stem))
    square = make_square(picture, int(size)) if picture is not None else None
    if square is not None:
        _add_square(folder, stem, name, square)
    return square


def read_picture(settings: Settings, account_id: int, stem: str) -> bytes | None:
    """The picture of an account; None if it was removed."""
    return _read(folder_of(settings, account_id) / picture_name(stem))


def write(folder: Path, name: str, data: bytes) -> None:
    """Write a file, whole or not at all, so that it outlasts a power failure.

    :raises OSError: it cannot be written; what was begun is gone
    """
    unfinished = folder / f"{name}.{secrets.token_hex(4)}"
    try:
        with os.fdopen(_create(unfinished), "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), FILE_MODE)
            os.fsync(file.fileno())
        unfinished.rename(folder / name)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    _sync(folder)


def remove(folder: Path, stem: str) -> None:
    """Remove a picture with all that was made of it. The picture first, see :func:`_add_square`."""
    (folder / picture_name(stem)).unlink(missing_ok=True)
    _remove_all(folder, f"{stem}_*")


def remove_folder(folder: Path) -> None:
    """Remove all pictures of an account."""
    _remove_all(folder, "*_avatar.png")
    _remove_all(folder, "*")


def _remove_all(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        path.unlink(missing_ok=True)
    with suppress(OSError):  # it is gone already, or has the files of another picture
        folder.rmdir()


def _read(path: Path) -> bytes | None:
    """A regular file's content; links lead nowhere."""
    try:
        with open(path, "rb", opener=_open_itself) as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return None


def _open_itself(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _add_square(folder: Path, stem: str, name: str, square: bytes) -> None:
    """Keep a square, unless its picture is removed meanwhile or there is no room.

    Who removes a picture looks for its squares after it is gone, and so finds those that were there before.
    """
    try:
        write(folder, name, square)
    except OSError as error:
        TROUBLE.met(type(error).__name__)
        return
    if not (folder / picture_name(stem)).exists():
        remove(folder, stem)


def _create(path: Path) -> int:
    for _ in range(_TRIES):
        folders.make_public(path.parent, below=3)
        try:
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        except FileNotFoundError:
            continue
    raise FileNotFoundError(None, "its folder is removed again and again", str(path))


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
