"""How a plain read goes through the modules: who follows it need not come back again and again."""

import sys
from collections import Counter
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Any

from webob import Request

import accountsapp
from accountsapp.testing.people import Person

PACKAGE = Path(accountsapp.__file__).parent
MOST_ENTRIES = 3


class Walk:
    """Notes in which module of ours the interpreter is, call by call."""

    def __init__(self) -> None:
        self.modules: list[str] = []
        self._stack: list[str] = []

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event == "return" and self._stack:
            self._stack.pop()
        elif event == "call":
            here = self._stack[-1] if self._stack else ""
            path = Path(frame.f_code.co_filename)
            module = path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else here
            self._stack.append(module)
            if module != here:
                self.modules.append(module)


def test_a_plain_read_enters_no_module_more_than_three_times(wsgi: Any, alice: Person) -> None:
    url = f"/api/v1/alice/account?api_key={alice.api_key}"
    statuses: list[str] = []
    for _ in range(2):  # what is made once a process is made now
        wsgi(Request.blank(url).environ, lambda status, _headers: statuses.append(status))
    walk, environ = Walk(), Request.blank(url).environ
    sys.setprofile(walk)
    try:
        wsgi(environ, lambda status, _headers: statuses.append(status))
    finally:
        sys.setprofile(None)
    assert statuses == ["200 OK"] * 3
    stays = Counter(module for module, _ in groupby(walk.modules))
    assert len(stays) > 20
    assert {module: count for module, count in stays.items() if count > MOST_ENTRIES} == {}
