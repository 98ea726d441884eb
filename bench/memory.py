"""``python -m bench.memory``: the resident memory of a server process after how many requests.

It is started with the variables of its unit. It is the process of another Python environment, if that is
named: one without what tests and measuring need.
"""

import argparse
import itertools
import resource
import sys
import time
from pathlib import Path

from bench.__main__ import reads, refused, updates
from bench.client import Job, get
from bench.load import latencies
from bench.seed import SECRET, fill, seeded, working_copy
from bench.server import ROOT, Server, free_port, running, write_ini

MARKS = (1_000, 10_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)
TURN = 400
"""Requests of one kind before the next kind has its turn, on new connections."""
PAUSE = 1.0
"""Seconds before a look, in which connections are closed, and what answers took is given back."""
UNIT = ROOT / "deploy" / "systemd" / "accountsapp-server@.service"
PAGES = (
    "/account/signin",
    "/account/",
    "/account/page/2",
    "/docs/bookie.json",
    "/static/swagger-ui-bundle.js",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--python", default=sys.executable, help="of the environment that the server runs in")
    parser.add_argument("--postgresql", metavar="URL", help="an empty database, which is filled; else SQLite")
    parser.add_argument("--server", choices=("waitress", "granian"), default="waitress")
    parser.add_argument("--connections", type=int, default=8, help="at a time, each with a request under way")
    options = parser.parse_args()

    folder = ROOT / "var" / "bench"
    if options.postgresql:
        url, api_keys = options.postgresql, fill(options.postgresql, options.accounts)
    else:
        database, api_keys = seeded(folder, options.accounts)
        url = f"sqlite:///{working_copy(database)}"
    port = free_port()
    ini = folder / "memory.ini"
    write_ini(ini, url, port, folder / "access.log", SECRET, options.server)
    jobs = [
        Job("own account", reads(api_keys)),
        Job("refused", refused(api_keys), 403),
        Job("update", updates(api_keys)),
        *(Job(path, itertools.repeat(get(path))) for path in PAGES),
    ]
    words = ["-c", "from accountsapp.cli import main; main()", "--config", str(ini), "serve"]
    with running(words, port, 0, folder / "server.log", options.python, unit_variables()) as server:
        latencies([port], Job("/healthz", itertools.repeat(get("/healthz"))), 4, 4)
        _show(0, server)
        done = 0
        while done < options.requests:
            for job in jobs:
                latencies([port], job, TURN, options.connections)
                done += TURN
            if any(done - TURN * len(jobs) < mark <= done for mark in MARKS):
                _show(done, server)
        _show(done, server)


def unit_variables() -> dict[str, str]:
    """The environment variables that the unit of a server sets."""
    lines = UNIT.read_text().splitlines()
    given = [line.removeprefix("Environment=") for line in lines if line.startswith("Environment=")]
    pairs = [word.partition("=") for words in given for word in words.split()]
    return {name: value for name, _, value in pairs}


def _show(requests: int, server: Server) -> None:
    time.sleep(PAUSE)
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    print(f"{requests:>10,} requests {pages * resource.getpagesize() / 2**20:>8.1f} MiB", flush=True)


if __name__ == "__main__":
    main()
