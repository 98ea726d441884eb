"""``python -m bench.layers``: where the time of a read by key goes in the process, from layer to layer.

The functions at the borders note when they are entered and left. What lies between two of them is told as the
twentieth part of all requests had it at most: other work on the machine only adds to it.
"""

import gc
import logging
import os
import random
import sys
from collections import defaultdict
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from time import perf_counter
from typing import Any

from pyramid.paster import get_app

from accountsapp.apis.bookie.resources import BookieRoot
from accountsapp.domain.data.prepared import Prepared
from accountsapp.domain.data.reads import Reader
from accountsapp.domain.rules.api_keys import make_api_key
from accountsapp.security.policy import SecurityPolicy
from accountsapp.web import answers, front
from accountsapp.web.reports import REPORTER, Reporter
from accountsapp.web.request import Request
from accountsapp.web.resources import Traverser
from bench.seed import SECRET, seeded, username
from bench.server import ROOT, write_ini

REQUESTS = 20_000
WARM_UP = 1_000

BORDERS: tuple[tuple[Any, str], ...] = (
    (Traverser, "__call__"),
    (SecurityPolicy, "refused_by_credential"),
    (Reader, "by_api_key"),
    (Prepared, "_rows"),
    (SecurityPolicy, "refused_by_acl"),
    (SecurityPolicy, "refused_by_scope"),
    (answers, "encode"),
    (answers, "_response"),
    (front.cors, "add_headers"),
    (Request, "close"),
    (front, "_report"),
)

Marks = list[tuple[str, float]]


def main() -> int:
    """Measure, print a table for a good key and one for a key that nobody has."""
    folder = ROOT / "var" / "bench"
    database, api_keys = seeded(folder, 20_000)
    ini = folder / "layers.ini"
    write_ini(ini, f"sqlite:///{database}", 80, folder / "layers.log", SECRET)
    logging.disable()
    app = get_app(str(ini), "main")
    gc.freeze()
    marks: Marks = []
    Reporter.add = lambda self, report: None  # type: ignore[method-assign]  # another thread's work
    _note(marks, app)
    for title, pick in (("a good key", api_keys.__getitem__), ("a key that nobody has", _unknown)):
        _measure(app, marks, title, pick, len(api_keys))
    REPORTER.finish()
    return 0


def _unknown(_number: int) -> str:
    return make_api_key()


def _note(marks: Marks, app: Any) -> None:
    """Have every border noted from now on."""
    for owner, name in BORDERS:
        setattr(owner, name, _noting(marks, name.strip("_"), getattr(owner, name)))
    BookieRoot.steps = tuple(_noting(marks, step.__name__, step) for step in BookieRoot.steps)
    app.handle_request = _noting(marks, "front_door", app.handle_request)


def _noting(marks: Marks, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def noted(*arguments: Any, **options: Any) -> Any:
        marks.append((f"> {name}", perf_counter()))
        try:
            return function(*arguments, **options)
        finally:
            marks.append((f"< {name}", perf_counter()))

    return noted


def _measure(app: Any, marks: Marks, title: str, pick: Callable[[int], str], accounts: int) -> None:
    generator = random.Random(1)
    seconds: dict[tuple[int, str, str], list[float]] = defaultdict(list)
    for number in range(WARM_UP + REQUESTS):
        who = generator.randrange(accounts)
        environ = _environ(f"/api/v1/{username(who + 1)}/account", f"api_key={pick(who)}", number)
        marks.clear()
        marks.append(("call", perf_counter()))
        for _ in app(environ, lambda status, headers: None):
            continue
        marks.append(("end", perf_counter()))
        if number >= WARM_UP:
            for place, ((before, began), (after, ended)) in enumerate(pairwise(marks)):
                seconds[place, before, after].append(ended - began)
    print(f"\n{title}, µs in the process")
    whole = 0.0
    for (_, before, after), values in sorted(seconds.items()):
        if len(values) > REQUESTS / 2:
            least = sorted(values)[len(values) // 20] * 1e6
            whole += least
            print(f"{before:<26}{after:<26}{least:>7.1f}")
    print(f"{'together':<52}{whole:>7.1f}")


def _environ(path: str, query: str, number: int) -> dict[str, Any]:
    """As waitress makes it; the client is another one each time, so that no limit is met."""
    return {
        "REMOTE_ADDR": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        "REQUEST_METHOD": "GET",
        "SERVER_NAME": "bench",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_HOST": "127.0.0.1",
        "HTTP_USER_AGENT": "bench",
        "HTTP_ACCEPT": "*/*",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
