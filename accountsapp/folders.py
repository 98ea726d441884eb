"""The folders that the product makes and writes into, and whether it can."""

import logging
import os
from pathlib import Path

from accountsapp.settings import Settings, SettingsError

log = logging.getLogger(__name__)

UPLOADS = "uploads"
"""Below ``accountsapp.files``: pictures."""
PRIVATE = 0o700
PUBLIC = 0o755


def make(folder: Path) -> None:
    """Make a folder, with those above it that are missing, for our user alone whatever the umask.

    :raises OSError: it cannot be made
    """
    if folder.is_dir():
        return
    make(folder.parent)
    folder.mkdir(mode=PRIVATE, exist_ok=True)


def make_public(folder: Path, *, below: int) -> None:
    """Make a folder for everybody to read whatever the umask, with the ``below`` - 1 above it; one further up
    that is missing is made for our user alone.

    :raises OSError: it cannot be made
    """
    if folder.is_dir():
        return
    if below > 1:
        make_public(folder.parent, below=below - 1)
    else:
        make(folder.parent)
    folder.mkdir(exist_ok=True)
    folder.chmod(PUBLIC)


def check_writable(path: Path) -> None:
    """Look whether our user may write a file or into a folder, or may make it where it is missing.

    :raises OSError: no; a full disk is none of the reasons
    """
    folder = path if path.is_dir() else path.parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        raise NotADirectoryError(None, f"{folder} is no folder")
    may_write = os.access(folder, os.W_OK | os.X_OK, effective_ids=True)
    if not may_write or (path.exists() and not os.access(path, os.W_OK, effective_ids=True)):
        raise PermissionError(None, "may not be written")


def check(settings: Settings) -> None:
    """
    :raises SettingsError: pictures and archives, or mails, cannot be written where the settings say
    """
    places = {"accountsapp.files": settings.files}
    if not settings.mail.enabled:
        places["accountsapp.mail.directory"] = settings.mail.directory
    for setting, folder in places.items():
        try:
            if folder.is_file():
                raise NotADirectoryError(None, "is no folder")
            check_writable(folder)
        except OSError as error:
            raise SettingsError(unusable(setting, folder, error)) from None


def prepare(settings: Settings) -> None:
    """Have the folder of pictures there before the first one is, so that it can be copied and served.

    :raises SettingsError: :func:`check`
    """
    check(settings)
    try:
        make_public(settings.files / UPLOADS, below=2)
    except OSError as error:  # such as of a full disk, which keeps nobody from starting
        log.warning("accountsapp.files: no folder for pictures yet: %s", error.strerror)


def unusable(setting: str, path: Path, error: OSError) -> str:
    """What to say of a folder or file that is needed and cannot be made or written."""
    return f"{setting}: {path}: {error.strerror}; let this user write there, or name another place"
