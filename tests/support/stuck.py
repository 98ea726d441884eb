"""Processes that come to no end at one step, to be killed there."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NamedTuple

from accountsapp.db.database import Database
from accountsapp.domain.throttle import Throttle
from accountsapp.process import Process
from accountsapp.settings import load
from accountsapp.worker import Worker
from tests.support.forks import FORKS
from tests.support.jobs import eventually


class Step(NamedTuple):
    """Before or after a function does its work.

    :ivar function: such as ``accountsapp.domain.store:Store.lock``
    """

    function: str
    is_done: bool = False


@contextmanager
def stuck(
    work: Callable[..., None], ini: dict[str, str], step: Step, mark: Path, *arguments: Any
) -> Iterator[BaseProcess]:
    """A process that has come to the step; it is killed at the end of the block.

    :param work: is given a :class:`Process` and the arguments
    :param mark: a file that is not there yet
    """
    process = FORKS.Process(target=_run, args=(work, ini, step, str(mark), *arguments), daemon=True)
    process.start()
    try:
        eventually(mark.exists)
        yield process
    finally:
        process.kill()
        process.join()


def _run(work: Callable[..., None], ini: dict[str, str], step: Step, mark: str, *arguments: Any) -> None:
    owner_name, _, name = step.function.rpartition("." if "." in step.function.partition(":")[2] else ":")
    owner = resolve_name(owner_name)
    real = getattr(owner, name)

    def hang(*of: Any, **options: Any) -> None:
        if step.is_done:
            real(*of, **options)
        Path(mark).touch()
        time.sleep(600)

    setattr(owner, name, hang)
    settings = load(ini, environ={})
    work(Process(settings, Database(settings.database_url), Throttle(enabled=False)), *arguments)


def run_jobs(process: Process) -> None:
    Worker(process, poll=0.01).run()
