"""Real trouble with disks and files, for a server process."""

import ctypes
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path

_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2


def obey_permissions() -> None:
    """In a process that is about to become another program: permissions count for the superuser too."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "the right to overrule permissions cannot be given up")


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing in the folder may be written; for files that are open already that changes nothing."""
    modes = {path: path.stat().st_mode for path in (*folder.iterdir(), folder)}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in reversed(modes.items()):
            path.chmod(mode)


@contextmanager
def files_cannot_grow(pid: int, size: int) -> Iterator[None]:
    """The system refuses the process every write to a file behind ``size``."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[bool]:
    """Mounts a file system of that size there; gives whether that is permitted here."""
    size = f"size={megabytes}m"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], capture_output=True)
    try:
        yield mounted.returncode == 0
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """No byte more has room on the disk of the folder."""
    ballast = folder / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file:
            for size in (65536, 4096, 1):
                _fill(file, size)
        yield
    finally:
        ballast.unlink()


def _fill(file: RawIOBase, size: int) -> None:
    while True:
        try:
            file.write(b"0" * size)
        except OSError:
            return
