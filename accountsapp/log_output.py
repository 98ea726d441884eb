"""How log lines leave the process: never in the way of who logs, as text or as JSON.

Named in the ini: ``class = accountsapp.log_output.BackgroundStreamHandler``,
``class = accountsapp.log_output.JsonFormatter``.
"""

import json
import logging
import os
import sys
from collections import deque
from datetime import UTC, datetime
from threading import Condition, Thread
from time import monotonic
from typing import Any, TextIO

MOST_LINES = 10_000
"""Lines that are kept for a reader who does not read; further ones are dropped, and counted."""
FLUSH_PATIENCE = 2.0
"""Seconds for which the end of the process waits for a reader."""


class BackgroundStreamHandler(logging.Handler):
    """Writes to a stream in a thread of its own.

    A pipe that nobody reads, or a disk that stands still, stops that thread and nobody else.

    :param stream: standard error where none is given
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self._stream = stream if stream is not None else sys.stderr
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._is_writing = False
        self._changed = Condition()
        self._thread: Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 as the handlers of the standard library do
            self.handleError(record)
            return
        with self._changed:
            if len(self._lines) >= MOST_LINES:
                self._dropped += 1
                return
            self._lines.append(line)
            self._changed.notify_all()
            if self._thread is None:
                self._start()

    def flush(self) -> None:
        """Wait until all is written, though not for long."""
        give_up = monotonic() + FLUSH_PATIENCE
        with self._changed:
            while (self._lines or self._is_writing) and monotonic() < give_up:
                self._changed.wait(give_up - monotonic())

    def _start(self) -> None:
        thread = Thread(target=self._run, name="log", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread is to be had now: the next line tries again
            return
        self._thread = thread

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._lines:
                    self._changed.wait()
                lines, dropped = [*self._lines], self._dropped
                self._lines.clear()
                self._dropped = 0
                self._is_writing = True
            if dropped:
                lines.append(f"{dropped} lines of the log were dropped: nobody took them")
            self._write("".join(f"{line}\n" for line in lines))
            with self._changed:
                self._is_writing = False
                self._changed.notify_all()

    def _write(self, text: str) -> None:
        """Past the stream's own buffer, whose lock would be held when the process ends."""
        try:
            descriptor = self._stream.fileno()
        except (AttributeError, OSError, ValueError):
            descriptor = None
        try:
            if descriptor is None:
                self._stream.write(text)
                self._stream.flush()
                return
            rest = memoryview(text.encode("utf-8", "backslashreplace"))
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        except (OSError, ValueError):
            with self._changed:
                self._dropped += text.count("\n")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, process, and the message or the fields of the record."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
        }
        fields = getattr(record, "fields", None)
        line |= fields if fields is not None else {"message": record.getMessage()}
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            line["error"] = record.exc_text
        return json.dumps(line, ensure_ascii=True)
