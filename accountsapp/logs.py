"""Keeps secrets out of every log line, by name and by form, wherever it was logged.

It works where records are made, so no handler and no logger of a library can be forgotten.
"""

import logging
import re
import traceback
from typing import Any

REDACTED = "[redacted]"

ACCESS = "accountsapp.access"
"""The logger of one line a request. Only the path in it comes from the client: it is made safe before."""

_NAMES = (
    r"api_key|apikey|(?:[a-z_]*_)?password|passwd|confirm|code|token|access_token|refresh_token|"
    r"client_secret|secret|key|hash|csrf_token|sessionid|code_verifier|x-csrftoken"
)
_BY_NAME = re.compile(
    rf"""(?ix) (?P<name> ["']? \b(?:{_NAMES})\b ["']? \s*[=:]\s* )
         (?: "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [^\s&;,"'}})\]]+ )"""
)
_HEADERS = re.compile(
    r"(?i)(?P<name>\b(?:authorization|(?:set-)?cookie)\b[\"']?\s*[=:,]\s*[\"']?)[^\"'\r\n]+"
)
_BY_DATABASE = re.compile(r"(?P<name>\bKey \([^)]*\)=|\bFailing row contains )\(.*\)")
"""What PostgreSQL tells of the values that broke a constraint."""
_BY_FORM = re.compile(r"ac(?:ct|at|rt|cs|ac)_[0-9A-Za-z_-]{8,}|\$2[aby]\$\d\d\$[./0-9A-Za-z]{20,}")


def redact(text: str) -> str:
    """The text without the values of secret-bearing names, without keys and password hashes."""
    text = _HEADERS.sub(rf"\g<name>{REDACTED}", text)
    text = _BY_DATABASE.sub(rf"\g<name>{REDACTED}", text)
    text = _BY_NAME.sub(rf"\g<name>{REDACTED}", text)
    return without_keys(text)


def without_keys(text: str) -> str:
    """The text without keys, tokens and password hashes of our own form."""
    return _BY_FORM.sub(REDACTED, text)


class RedactedRecord(logging.LogRecord):
    """A log record whose message and traceback hold no secret."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.name == ACCESS:
            return
        rows = self.name.startswith("sqlalchemy.") and str(self.msg).startswith("Row ")
        self.msg = f"Row {REDACTED}" if rows else redact(super().getMessage())
        self.args = None
        if self.exc_info and self.exc_info[0] is not None:
            self.exc_text = redact("".join(traceback.format_exception(*self.exc_info)).rstrip())


def install() -> None:
    """Make every log record of the process a redacted one."""
    logging.setLogRecordFactory(RedactedRecord)
