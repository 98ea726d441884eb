"""The yardstick: a server that answers every request with the same 150 bytes of JSON.

``python -m bench.bare PORT``
"""

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

import waitress

from bench.server import WAITRESS

BODY = json.dumps({"account": "x" * 135}).encode()


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The WSGI application."""
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))])
    return [BODY]


if __name__ == "__main__":
    waitress.serve(app, listen=f"127.0.0.1:{sys.argv[1]}", _quiet=True, threads=WAITRESS["threads"])
