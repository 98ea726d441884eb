"""``python -m bench``: CPU of the server process per request, ours beside a bare waitress, in turn."""

import argparse
import csv
import os
import random
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import jwt

from accountsapp.domain.credentials.jwt_keys import Issued
from accountsapp.domain.rules.api_keys import make_api_key
from bench import admin, community
from bench.admin import admin_jobs
from bench.client import Job, cpu_per_request, get, post
from bench.community import community_jobs
from bench.machine import described
from bench.seed import (
    ADMIN,
    PASSWORD,
    SECRET,
    Credentials,
    fill,
    seeded,
    username,
    with_credentials,
    working_copy,
)
from bench.server import ROOT, Server, cores, free_port, running, write_ini

BARE = "bare waitress"
MOST = {
    "read own account by key": 2.0,
    "read own account by one of 20 keys": 2.75,
    "refused key": 2.5,
    "update own name": 6.0,
    "read own user by bearer": 2.7,
    "read own user by Basic": 3.5,
    "read own profile by JWT": 4.0,
    "public account": 3.0,
    "read own account by bearer at openedx": 3.0,
    "multi-get of 24": 5.0,
}
"""The ratios to the bare waitress that are required."""
UNDER_GRANIAN = {"read own account by key": 1.3}
"""The same for granian in place of waitress."""
BESIDE = {
    "whose key is this": ("read own account by key", 1.1),
    "whose key is this, of 20": ("read own account by one of 20 keys", 1.1),
}
"""The ratios to another job of the same run that are required."""
SIGNED_IN = 1000
"""How many accounts have an access token, a signing key and an add-on."""
LISTED = 24
"""Accounts in one answer of the job that reads several."""


def main() -> int:
    """Measure, print a table; 1 when a job costs more than it may."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=500, help="of each job, a round")
    parser.add_argument("--rounds", type=int, default=6, help="with each pair of servers")
    parser.add_argument("--launches", type=int, default=4, help="pairs of servers, one after the other")
    parser.add_argument("--only", default="", help="jobs whose name has this")
    parser.add_argument("--postgresql", metavar="URL", help="an empty database, which is filled; else SQLite")
    parser.add_argument(
        "--server", choices=["waitress", "granian"], default="waitress", help="that serves ours"
    )
    parser.add_argument("--raw", type=Path, metavar="FILE", help="write what each round took (CSV)")
    options = parser.parse_args()

    folder = ROOT / "var" / "bench"
    if options.postgresql:
        url, api_keys = options.postgresql, fill(options.postgresql, options.accounts)
    else:
        database, api_keys = seeded(folder, options.accounts)
        url = f"sqlite:///{working_copy(database)}"
    server_core, client_core = cores()
    jobs = [
        *_jobs(api_keys, with_credentials(url, min(SIGNED_IN, options.accounts))),
        *community_jobs(options.accounts),
        *admin_jobs(api_keys[ADMIN - 1], options.accounts),
    ]
    jobs = [job for job in jobs if options.only in job.name]
    yardstick = Job(BARE, reads(api_keys))
    costs: dict[str, list[float]] = {job.name: [] for job in (yardstick, *jobs)}
    ratios: dict[str, list[float]] = {job.name: [] for job in jobs}
    print(described())
    os.sched_setaffinity(0, {client_core})
    # How a process happens to lie in memory moves its figures by some percent.
    for _ in range(options.launches):
        with _servers(folder, url, server_core, options.server) as (ours, bare):
            for job in jobs:
                cpu_per_request(ours, job, 300)
            cpu_per_request(bare, yardstick, 300)
            for _ in range(options.rounds):
                for job in jobs:
                    base = cpu_per_request(bare, yardstick, options.requests)
                    cost = cpu_per_request(ours, job, options.requests)
                    costs[BARE].append(base)
                    costs[job.name].append(cost)
                    ratios[job.name].append(cost / base)
    where = f"{options.accounts:,} accounts in {'PostgreSQL' if options.postgresql else 'SQLite'}"
    is_granian = options.server == "granian"
    if options.raw:
        _write_raw(options.raw, costs, ratios)
    return _report(
        f"{where}, under {options.server}",
        costs,
        ratios,
        UNDER_GRANIAN if is_granian else MOST | community.MOST | admin.MOST,
    )


@contextmanager
def _servers(folder: Path, url: str, core: int, runner: str) -> Iterator[tuple[Server, Server]]:
    """Ours on that database, and the bare waitress, on one core."""
    port, bare_port = free_port(), free_port()
    ini = folder / "bench.ini"
    write_ini(ini, url, port, folder / "access.log", SECRET, runner)
    with (
        running(["-m", "pyramid.scripts.pserve", str(ini)], port, core, folder / "server.log") as ours,
        running(["-m", "bench.bare", str(bare_port)], bare_port, core, folder / "bare.log") as bare,
    ):
        yield ours, bare


def _write_raw(path: Path, costs: Mapping[str, list[float]], ratios: Mapping[str, list[float]]) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["job", "round", "µs", f"µs of {BARE}"])
        for name, of_rounds in ratios.items():
            for number, (cost, ratio) in enumerate(zip(costs[name], of_rounds, strict=True), 1):
                rows.writerow([name, number, f"{cost * 1e6:.1f}", f"{cost / ratio * 1e6:.1f}"])


def _report(
    where: str, costs: dict[str, list[float]], ratios: dict[str, list[float]], limits: Mapping[str, float]
) -> int:
    print(f"CPU of the server process per request, {where}, median of rounds\n")
    print(f"{'job':<38}{'µs':>7}{'least':>8}{'most':>8}{'ratio':>8}{'at most':>9}")
    failed = False
    for name, seconds in costs.items():
        micro = [value * 1e6 for value in seconds]
        ratio = median(ratios[name]) if name in ratios else 1.0
        most = limits.get(name)
        failed = failed or (most is not None and ratio > most)
        print(
            f"{name:<38}{median(micro):>7.0f}{min(micro):>8.0f}{max(micro):>8.0f}{ratio:>8.2f}"
            f"{most if most is not None else '':>9}"
        )
    for name, (other, most) in BESIDE.items():
        if not {name, other} <= ratios.keys():
            continue
        ratio = median(ratios[name]) / median(ratios[other])
        failed = failed or ratio > most
        print(f"{name}: {ratio:.2f} of {other}, at most {most}")
    if failed:
        print("\na job costs more than it may", file=sys.stderr)
    return int(failed)


def _jobs(api_keys: list[str], credentials: Credentials) -> list[Job]:
    tokens = credentials.tokens
    generator = random.Random(10)
    # The account of the nth key is the nth: one of each has its turn.
    one_of_20 = [generator.choice(named) for named in credentials.named]
    return [
        Job("read own account by key", reads(api_keys)),
        Job("read own account by one of 20 keys", reads(one_of_20)),
        Job("whose key is this", _checks(api_keys)),
        Job("whose key is this, of 20", _checks(one_of_20)),
        Job("the same as JSONP", reads(api_keys, "&callback=jQuery1102_13")),
        Job("refused key", refused(api_keys), 403),
        Job("read API key", reads(api_keys, call="api_key")),
        Job("update own name", updates(api_keys)),
        Job("read own user by bearer", _users(_bearer(tokens), len(tokens))),
        Job("read own user by Basic", _users(_basic, 1)),
        Job("read own profile by JWT", _profiles(credentials.signing)),
        Job("public account", _public(len(tokens))),
        Job("read own account by bearer at openedx", _accounts(tokens)),
        Job("multi-get of 24", _lists(tokens)),
    ]


def _users(credential: Callable[[int], str], accounts: int) -> Iterator[bytes]:
    generator = random.Random(4)
    while True:
        number = generator.randrange(accounts)
        yield get(f"/api/v1.1/users/{username(number + 1)}/", f"Authorization: {credential(number)}\r\n")


def _bearer(tokens: list[str]) -> Callable[[int], str]:
    return lambda number: f"Bearer {tokens[number]}"


def _basic(number: int) -> str:
    """Of an account whose password the server has checked within the last minute, all but once."""
    return "Basic " + b64encode(f"{username(number + 1)}:{PASSWORD}".encode()).decode()


def _profiles(signing: list[Issued]) -> Iterator[bytes]:
    """Each with a token of its own, without an id."""
    generator = random.Random(5)
    while True:
        issued, moment = generator.choice(signing), int(time.time())
        token = jwt.encode({"iss": issued.key, "iat": moment, "exp": moment + 60}, issued.secret, "HS256")
        yield get("/api/v5/accounts/profile/", f"Authorization: JWT {token}\r\n")


def _public(accounts: int) -> Iterator[bytes]:
    generator = random.Random(6)
    while True:
        yield get(f"/api/v5/accounts/account/{generator.randrange(accounts) + 1}/")


def _accounts(tokens: list[str]) -> Iterator[bytes]:
    generator, bearer = random.Random(7), _bearer(tokens)
    while True:
        number = generator.randrange(len(tokens))
        yield get(f"/api/user/v1/accounts/{username(number + 1)}/", f"Authorization: {bearer(number)}\r\n")


def _lists(tokens: list[str]) -> Iterator[bytes]:
    """What others share, for a page of discussions."""
    generator, bearer = random.Random(8), _bearer(tokens)
    while True:
        asking, *others = generator.sample(range(len(tokens)), LISTED + 1)
        names = ",".join(username(number + 1) for number in others)
        yield get(f"/api/user/v1/accounts?usernames={names}", f"Authorization: {bearer(asking)}\r\n")


def _account(generator: random.Random, api_keys: list[str]) -> tuple[str, str]:
    number = generator.randrange(len(api_keys))
    return username(number + 1), api_keys[number]


def some_client(generator: random.Random) -> str:
    """Some address behind the proxy."""
    return f"10.{generator.randrange(256)}.{generator.randrange(256)}.{generator.randrange(256)}"


def reads(api_keys: list[str], more: str = "", call: str = "account") -> Iterator[bytes]:
    generator = random.Random(1)
    while True:
        name, api_key = _account(generator, api_keys)
        yield get(f"/api/v1/{name}/{call}?api_key={api_key}{more}")


def _checks(api_keys: list[str]) -> Iterator[bytes]:
    """As nginx asks."""
    generator = random.Random(9)
    while True:
        _, api_key = _account(generator, api_keys)
        url = f"X-Original-URI: /app/page?api_key={api_key}\r\nX-Original-Method: GET\r\n"
        yield get("/auth/check?scope=account:read", f"{url}X-Real-IP: {some_client(generator)}\r\n")


def refused(api_keys: list[str]) -> Iterator[bytes]:
    """A well-formed key that nobody has, each from another address, so that the throttle lets it through."""
    generator = random.Random(2)
    while True:
        name, _ = _account(generator, api_keys)
        path = f"/api/v1/{name}/account?api_key={make_api_key()}"
        yield get(path, f"X-Forwarded-For: {some_client(generator)}\r\n")


def updates(api_keys: list[str]) -> Iterator[bytes]:
    generator = random.Random(3)
    while True:
        name, api_key = _account(generator, api_keys)
        body = f"api_key={api_key}&name=New+Name+{generator.randrange(10**6)}"
        yield post(f"/api/v1/{name}/account", body.encode())


if __name__ == "__main__":
    sys.exit(main())
