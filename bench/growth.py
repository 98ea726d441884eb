"""``python -m bench.growth``: what a request costs with a million accounts, against with a thousand.

Two servers of ours on one core, each with a database of its own, do the same jobs in turn.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.__main__ import reads, refused, updates
from bench.admin import admin_jobs
from bench.client import Job, cpu_per_request
from bench.community import community_jobs
from bench.machine import described
from bench.seed import ADMIN, SECRET, fill, seeded, with_credentials, working_copy
from bench.server import ROOT, cores, free_port, running, write_ini

MOST = 1.2
"""What a request may cost at most, as a multiple of the same where there are few accounts."""
WARM_UP = 500
"""Requests of each job before anything is measured."""
SIZES = ("few", "many")


def main() -> int:
    """Measure, print a line for each job; 1 when one grows by more than it may."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--few", type=int, default=1_000, help="accounts of the one")
    parser.add_argument("--many", type=int, default=1_000_000, help="accounts of the other")
    parser.add_argument("--requests", type=int, default=300, help="of each job, a round")
    parser.add_argument("--rounds", type=int, default=6, help="with each pair of servers")
    parser.add_argument("--launches", type=int, default=2, help="pairs of servers, one after the other")
    parser.add_argument("--only", default="", help="jobs whose name has this")
    parser.add_argument("--postgresql", nargs=2, metavar="URL", help="two empty databases; else SQLite")
    options = parser.parse_args()
    print(described())

    folder = ROOT / "var" / "bench"
    urls, jobs = [], []
    for place, size in enumerate(SIZES):
        accounts = getattr(options, size)
        if options.postgresql:
            url = options.postgresql[place]
            api_keys = fill(url, accounts)
        else:
            database, api_keys = seeded(folder, accounts)
            url = f"sqlite:///{working_copy(database, f'working-{size}')}"
        with_credentials(url, 1)
        urls.append(url)
        jobs.append([job for job in _jobs(api_keys) if options.only in job.name])
    ratios: dict[str, list[float]] = {job.name: [] for job in jobs[0]}
    micro: dict[str, list[tuple[float, float]]] = {job.name: [] for job in jobs[0]}
    server_core, client_core = cores()
    os.sched_setaffinity(0, {client_core})
    for _ in range(options.launches):
        for name, few, many in _measured(folder, urls, jobs, server_core, options):
            ratios[name].append(many / few)
            micro[name].append((few * 1e6, many * 1e6))
    where = "PostgreSQL" if options.postgresql else "SQLite"
    print(f"CPU of the server process per request in {where}, median of rounds\n")
    print(f"{'job':<36}{options.few:>11,}{options.many:>11,}   ratio  at most {MOST}")
    for name, values in ratios.items():
        few, many = (median(column) for column in zip(*micro[name], strict=True))
        print(f"{name:<36}{few:>8.0f} µs{many:>8.0f} µs{median(values):>8.2f}")
    return int(any(median(values) > MOST for values in ratios.values()))


def _jobs(api_keys: list[str]) -> list[Job]:
    """Those that any one of the accounts has a part in.

    Not the pages of the community that nobody asked for lately: a thousand accounts have none.
    """
    jobs = [
        Job("read own account by key", reads(api_keys)),
        Job("read API key", reads(api_keys, call="api_key")),
        Job("refused key", refused(api_keys), 403),
        Job("update own name", updates(api_keys)),
        *community_jobs(len(api_keys)),
        *admin_jobs(api_keys[ADMIN - 1], len(api_keys)),
    ]
    return [job for job in jobs if not job.name.endswith("any page")]


def _measured(
    folder: Path, urls: Sequence[str], jobs: Sequence[list[Job]], core: int, options: argparse.Namespace
) -> list[tuple[str, float, float]]:
    """Name, seconds with few and seconds with many, for each job and round."""
    with ExitStack() as stack:
        servers = []
        for size, url in zip(SIZES, urls, strict=True):
            port, ini = free_port(), folder / f"growth-{size}.ini"
            write_ini(ini, url, port, folder / f"access-{size}.log", SECRET)
            words = ["-m", "pyramid.scripts.pserve", str(ini)]
            servers.append(stack.enter_context(running(words, port, core, folder / f"server-{size}.log")))
        for server, own in zip(servers, jobs, strict=True):
            for job in own:
                cpu_per_request(server, job, WARM_UP)
        rows = []
        for _ in range(options.rounds):
            for pair in zip(*jobs, strict=True):
                few, many = (
                    cpu_per_request(server, job, options.requests)
                    for server, job in zip(servers, pair, strict=True)
                )
                rows.append((pair[0].name, few, many))
        return rows


if __name__ == "__main__":
    sys.exit(main())
