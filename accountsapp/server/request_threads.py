"""The threads that answer requests: the one that rested last is woken first.

Its stack, and what it works with, are still in the caches of the processor; waitress lets all threads take
turns.
"""

from threading import Lock
from typing import Any

from waitress.task import ThreadedTaskDispatcher


class _Rest:
    """Of one thread that has nothing to do.

    :ivar over: held until there is something
    """

    def __init__(self) -> None:
        self.over = Lock()
        self.over.acquire()


class RequestThreads(ThreadedTaskDispatcher):
    """The threads of one server; none until it says how many (``set_thread_count``)."""

    def __init__(self) -> None:
        super().__init__()
        self._resting: list[_Rest] = []

    def handler_thread(self, thread_no: int) -> None:
        """What each thread does, until it is told to stop."""
        rest = _Rest()
        while True:
            with self.lock:
                if self.stop_count > 0:
                    self.active_count -= 1
                    self.stop_count -= 1
                    self.threads.discard(thread_no)
                    self.thread_exit_cv.notify()
                    return
                task = self.queue.popleft() if self.queue else None
                if task is None:
                    self.active_count -= 1
                    self._resting.append(rest)
            if task is None:
                rest.over.acquire()
                continue
            try:
                task.service()
            except BaseException:
                self.logger.exception("Exception when servicing %r", task)
            task = None  # its memory is free while the thread rests

    def add_task(self, task: Any) -> None:
        """Have it done; where all threads are busy, by the first one that is not."""
        with self.lock:
            self.queue.append(task)
            rest = self._wake_one()
        if rest is None:
            self.queue_logger.warning("Task queue depth is %d", len(self.queue))

    def set_thread_count(self, count: int) -> None:
        super().set_thread_count(count)
        with self.lock:
            if self.stop_count:
                while self._wake_one():
                    continue

    def _wake_one(self) -> _Rest | None:
        """The thread that was woken, if there was one; with the lock."""
        if not self._resting:
            return None
        rest = self._resting.pop()
        self.active_count += 1
        rest.over.release()
        return rest
