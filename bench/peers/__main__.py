"""``python -m bench.peers``: what a request costs ours and its peers, beside a bare waitress, in one run.

All servers are pinned to one core and have their turn; each has as many accounts, in SQLite. Those in Python
are told to keep every write (``synchronous = FULL``); PocketBase keeps its own setting, which is ``NORMAL``.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from accountsapp.domain.rules.api_keys import make_api_key
from bench.client import Job, cpu_per_request, get, send
from bench.machine import described
from bench.seed import SECRET, seeded, username, working_copy
from bench.server import ROOT, Server, cores, free_port, running, write_ini

HERE = Path(__file__).parent
BARE, OURS = "bare waitress", "accountsapp"
JOBS = ("own account", "refused", "update own name")


@dataclass(frozen=True)
class Peer:
    """A service, and how one speaks to it.

    :ivar read: the request for the account of a credential
    :ivar spoil: makes a bad credential of a good one
    :ivar refused: the status of the answer to it
    :ivar change: the request that gives the account of a credential a name
    """

    name: str
    module: str
    read: Callable[[str], bytes]
    spoil: Callable[[str], str]
    refused: int
    change: Callable[[str, str], bytes]


def _spoilt(credential: str) -> str:
    """The same with another end."""
    return credential[:-8] + credential[-8:].swapcase()[::-1]


def _json(method: str, path: str, text: str, headers: str) -> bytes:
    return send(method, path, text.encode(), "application/json", headers)


def _pocketbase(credential: str) -> tuple[str, str]:
    user, token = credential.split()
    return f"/api/collections/users/records/{user}", f"Authorization: {token}\r\n"


PEERS = (
    Peer(
        "PocketBase",
        "pocketbase",
        lambda credential: get(*_pocketbase(credential)),
        _spoilt,
        404,
        lambda credential, name: _json(
            "PATCH", _pocketbase(credential)[0], f'{{"name": "{name}"}}', _pocketbase(credential)[1]
        ),
    ),
    Peer(
        "Flask-Security",
        "flask_security_too",
        lambda token: get("/account", f"Authentication-Token: {token}\r\n"),
        _spoilt,
        401,
        lambda token, name: send(
            "POST",
            "/account",
            f"name={name}".encode(),
            "application/x-www-form-urlencoded",
            f"Authentication-Token: {token}\r\n",
        ),
    ),
    Peer(
        "Django and djoser",
        "django_djoser",
        lambda token: get("/auth/users/me/", f"Authorization: Token {token}\r\n"),
        lambda token: token[::-1],
        401,
        lambda token, name: _json(
            "PATCH", "/auth/users/me/", f'{{"first_name": "{name}"}}', f"Authorization: Token {token}\r\n"
        ),
    ),
    Peer(
        "FastAPI-Users",
        "fastapi_users_sqlalchemy",
        lambda token: get("/users/me", f"Authorization: Bearer {token}\r\n"),
        _spoilt,
        401,
        lambda token, name: _json(
            "PATCH", "/users/me", f'{{"name": "{name}"}}', f"Authorization: Bearer {token}\r\n"
        ),
    ),
)


def main() -> int:
    """Measure, print a table; 1 where PocketBase needs less than ours."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="of the environment that has the peers")
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=200, help="of each job, a round")
    parser.add_argument("--rounds", type=int, default=6, help="with each set of servers")
    parser.add_argument("--launches", type=int, default=3, help="sets of servers, one after the other")
    options = parser.parse_args()
    print(described())

    folder = ROOT / "var" / "bench" / "peers"
    server_core, client_core = cores()
    os.sched_setaffinity(0, {client_core})
    ratios: dict[tuple[str, str], list[float]] = {}
    credentials = {peer.name: _filled(options.python, folder, peer, options.accounts) for peer in PEERS}
    for _ in range(options.launches):
        with ExitStack() as stack:
            bare, servers = _start(stack, options, folder, server_core)
            jobs = {OURS: _our_jobs(options.accounts)}
            jobs |= {peer.name: _jobs(peer, credentials[peer.name]) for peer in PEERS}
            yardstick = Job(BARE, _endless(lambda _: get("/"), [""]))
            cpu_per_request(bare, yardstick, 300)
            for name, server in servers.items():
                for job in jobs[name]:
                    cpu_per_request(server, job, 100)
            for _ in range(options.rounds):
                base = cpu_per_request(bare, yardstick, options.requests)
                for name, server in servers.items():
                    for job in jobs[name]:
                        cost = cpu_per_request(server, job, options.requests)
                        ratios.setdefault((name, job.name), []).append(cost / base)
    return _report(options.accounts, ratios)


def _report(accounts: int, ratios: dict[tuple[str, str], list[float]]) -> int:
    print(f"CPU of the server process per request, × {BARE}, {accounts:,} accounts, median of rounds\n")
    print(f"{'':<20}" + "".join(f"{job:>18}" for job in JOBS))
    for name in (OURS, *(peer.name for peer in PEERS)):
        print(f"{name:<20}" + "".join(f"{median(ratios[name, job]):>18.2f}" for job in JOBS))
    behind = [job for job in JOBS if median(ratios[OURS, job]) > median(ratios["PocketBase", job])]
    if behind:
        print(f"\nPocketBase needs less: {', '.join(behind)}", file=sys.stderr)
    return int(bool(behind))


def _filled(python: str, folder: Path, peer: Peer, accounts: int) -> list[str]:
    """The credentials of a peer's accounts, which are made once."""
    place = folder / f"{peer.module}-{accounts}"
    credentials = place / "credentials"
    if not credentials.exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        script = str(HERE / f"{peer.module}.py")
        subprocess.run([python, script, "fill", str(place), str(accounts)], check=True)
    return credentials.read_text().splitlines()


def _start(
    stack: ExitStack, options: argparse.Namespace, folder: Path, core: int
) -> tuple[Server, dict[str, Server]]:
    """The bare waitress, and every service by its name."""

    def start(arguments: list[str], port: int, log: str, python: str = sys.executable) -> Server:
        return stack.enter_context(running(arguments, port, core, folder / log, python))

    port = free_port()
    bare = start(["-m", "bench.bare", str(port)], port, "bare.log")
    port = free_port()
    ini = folder / "bench.ini"
    database, _ = seeded(folder.parent, options.accounts)
    write_ini(ini, f"sqlite:///{working_copy(database)}", port, folder / "access.log", SECRET)
    servers = {OURS: start(["-m", "pyramid.scripts.pserve", str(ini)], port, "ours.log")}
    for peer in PEERS:
        port = free_port()
        arguments = [
            str(HERE / f"{peer.module}.py"),
            "serve",
            str(folder / f"{peer.module}-{options.accounts}"),
        ]
        servers[peer.name] = start([*arguments, str(port)], port, f"{peer.module}.log", options.python)
    return bare, servers


def _our_jobs(accounts: int) -> list[Job]:
    """By the key of a random account, in a header."""
    _, api_keys = seeded(ROOT / "var" / "bench", accounts)
    pairs = [f"{username(number)} {api_key}" for number, api_key in enumerate(api_keys, 1)]

    def read(pair: str) -> bytes:
        name, api_key = pair.split()
        return get(f"/api/v1/{name}/account", f"X-Api-Key: {api_key}\r\nX-Forwarded-For: {_client()}\r\n")

    def change(pair: str, name: str) -> bytes:
        username, api_key = pair.split()
        return send(
            "POST",
            f"/api/v1/{username}/account",
            f"name={name}".encode(),
            "application/x-www-form-urlencoded",
            f"X-Api-Key: {api_key}\r\n",
        )

    def spoil(pair: str) -> str:
        """A key of the right form that nobody has."""
        return f"{pair.split()[0]} {make_api_key()}"

    return _jobs(Peer(OURS, "", read, spoil, 403, change), pairs)


def _client() -> str:
    """Some address behind the proxy."""
    return ".".join(["10", *(str(random.randrange(256)) for _ in range(3))])


def _jobs(peer: Peer, credentials: list[str]) -> list[Job]:
    def bad(credential: str) -> bytes:
        return peer.read(peer.spoil(credential))

    def change(credential: str) -> bytes:
        return peer.change(credential, f"Name{random.randrange(10**6)}")

    read, refused, update = JOBS
    return [
        Job(read, _endless(peer.read, credentials)),
        Job(refused, _endless(bad, credentials), peer.refused),
        Job(update, _endless(change, credentials)),
    ]


def _endless(request: Callable[[str], bytes], credentials: list[str]) -> Iterator[bytes]:
    while True:
        yield request(random.choice(credentials))


if __name__ == "__main__":
    sys.exit(main())
