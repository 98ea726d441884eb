"""``python -m bench.throughput``: what the CPU time of one request does not show.

How long changes take when several are under way, how many accounts are imported in a second, what a command
needs to begin, what a second server process on the same database adds, and what signing in takes beside the
check of the password.
"""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import process_time

import bcrypt

from bench.__main__ import reads, updates
from bench.client import Job, cpu_per_request
from bench.load import latencies, percentile
from bench.machine import described
from bench.seed import PASSWORD, SECRET, seeded, working_copy
from bench.server import ROOT, Server, cores, free_port, running, write_ini
from bench.sign_in import give_passwords, sign_in_job

CONNECTIONS = 8
"""Of the changes that are under way at a time."""
LONGEST_UPDATE = 0.06
"""Seconds of a change, 99 of 100."""
RECORDS = 20_000
LEAST_IMPORTED = 5000
"""Records a second of CPU time, what the command needs to begin among it."""
LONGEST_START = 0.8
"""Seconds of CPU time of a whole command that does next to nothing."""
LEAST_OF_TWO = 1.7
"""What two processes do, as a multiple of what one does."""
MOST_OF_A_CHECK = 1.03
"""What signing in costs, as a multiple of a check of the password by bcrypt alone."""
SIGN_INS = 12
"""Of a round."""
COMMANDS = {
    "accountsapp --help": (["--help"], LONGEST_START),
    "accountsapp db current": (["db", "current"], LONGEST_START),
    "accountsapp accounts show": (["accounts", "show", "person0000001"], LONGEST_START),
}

Row = tuple[str, float, str, bool]
"""What was measured, the figure, as it is shown, whether it is good enough."""


def main() -> int:
    """Measure, print a line for each; 1 when one is not good enough."""
    parser = argparse.ArgumentParser(prog="python -m bench.throughput", description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=4000, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", choices=["", *PARTS])
    options = parser.parse_args()
    print(described())

    folder = ROOT / "var" / "bench"
    database, api_keys = seeded(folder, options.accounts)
    copy = working_copy(database)
    ok = True
    for name, part in PARTS.items():
        if options.only in ("", name):
            for text, value, unit, is_enough in part(folder, copy, api_keys, options):
                print(f"{text:<58}{value:>9.2f} {unit}{'' if is_enough else '   NOT ENOUGH'}", flush=True)
                ok = ok and is_enough
    return int(not ok)


def _updates(folder: Path, database: Path, api_keys: list[str], options: argparse.Namespace) -> Iterator[Row]:
    with ExitStack() as stack:
        server = _server(stack, folder, database, cores()[0])
        job = Job("update own name", updates(api_keys))
        latencies([server.port], job, 500, CONNECTIONS)
        rounds = [latencies([server.port], job, options.requests, CONNECTIONS) for _ in range(options.rounds)]
    for part, most in ((0.5, None), (0.99, LONGEST_UPDATE)):
        value = median(percentile(taken, part) for taken in rounds)
        text = f"update own name, {CONNECTIONS} connections, {part:.0%} within"
        yield text, value * 1000, "ms", most is None or value <= most


def _import(folder: Path, database: Path, api_keys: list[str], options: argparse.Namespace) -> Iterator[Row]:
    records = folder / "import.jsonl"
    for with_keys in (False, True):
        speeds = []
        for number in range(options.rounds):
            with records.open("w") as file:
                file.writelines(_record(number, line, with_keys=with_keys) for line in range(RECORDS))
            seconds = _cpu_of(_command(folder, database, ["accounts", "import", str(records)]))
            speeds.append(RECORDS / seconds)
        text = f"import, records a second of CPU{', with two named keys' if with_keys else ''}"
        yield text, median(speeds), "", with_keys or median(speeds) >= LEAST_IMPORTED
    records.unlink()


def _record(number: int, line: int, *, with_keys: bool) -> str:
    name = f"{'keys' if with_keys else 'plain'}{number}.{line:06d}"
    record: dict[str, object] = {"username": name, "email": f"{name}@example.net", "name": f"Person {line}"}
    if with_keys:
        digits = f"{number:02x}{line:08x}"
        record["api_keys"] = [
            {"name": f"key {key}", "api_key": f"older-{key}-{digits}"} for key in ("one", "two")
        ]
    return json.dumps(record) + "\n"


def _commands(
    folder: Path, database: Path, api_keys: list[str], options: argparse.Namespace
) -> Iterator[Row]:
    for text, (arguments, most) in COMMANDS.items():
        seconds = [_cpu_of(_command(folder, database, arguments)) for _ in range(options.rounds)]
        yield f"{text}, CPU", median(seconds), "s", median(seconds) <= most


def _two(folder: Path, database: Path, api_keys: list[str], options: argparse.Namespace) -> Iterator[Row]:
    """The client needs a part of the two cores, so it is reckoned by the CPU time of the servers: a core does
    as many requests as go into a second of it.
    """
    job = Job("read own account by key", reads(api_keys))
    alone, together = [], []
    with ExitStack() as stack:
        servers = [_server(stack, folder, database, core) for core in cores()]
        for server in servers:
            latencies([server.port], job, 500, 4)
        for number in range(options.rounds):
            server = servers[number % 2]
            alone.append(sum(_capacities([server], job, options.requests)))
            together.append(sum(_capacities(servers, job, 2 * options.requests)))
    ratio = median(both / one for one, both in zip(alone, together, strict=True))
    yield "reads a second of CPU, one process", median(alone), "", True
    yield "reads a second of CPU on each core, two processes", median(together), "", True
    yield "two processes, as a multiple of one", ratio, "x", ratio >= LEAST_OF_TWO


def _capacities(servers: list[Server], job: Job, count: int) -> list[float]:
    """How many requests go into a second of CPU of each server, all under load at the same time."""
    before = [server.cpu_seconds() for server in servers]
    latencies([server.port for server in servers], job, count, CONNECTIONS)
    seconds = [server.cpu_seconds() - earlier for server, earlier in zip(servers, before, strict=True)]
    return [count / len(servers) / taken for taken in seconds]


def _sign_ins(
    folder: Path, database: Path, api_keys: list[str], options: argparse.Namespace
) -> Iterator[Row]:
    hashed = give_passwords(f"sqlite:///{database}")
    ratios = []
    with ExitStack() as stack:
        server = _server(stack, folder, database, cores()[0])
        job = sign_in_job(server.port, len(api_keys))
        for _ in range(options.rounds):
            before = process_time()
            for _ in range(SIGN_INS):
                assert bcrypt.checkpw(PASSWORD.encode(), hashed)
            check = (process_time() - before) / SIGN_INS
            ratios.append(cpu_per_request(server, job, SIGN_INS) / check)
    ratio = median(ratios)
    yield "sign in, as a multiple of a check by bcrypt", ratio, "x", ratio <= MOST_OF_A_CHECK


def _server(stack: ExitStack, folder: Path, database: Path, core: int) -> Server:
    port = free_port()
    ini = folder / f"throughput-{port}.ini"
    stack.callback(ini.unlink)
    log = folder / f"throughput-{core}.log"
    write_ini(ini, f"sqlite:///{database}", port, folder / f"access-{core}.log", SECRET)
    return stack.enter_context(running(["-m", "pyramid.scripts.pserve", str(ini)], port, core, log))


def _command(folder: Path, database: Path, arguments: list[str]) -> list[str]:
    ini = folder / "command.ini"
    write_ini(ini, f"sqlite:///{database}", 6543, folder / "access.log", SECRET)
    return [str(Path(sys.executable).with_name("accountsapp")), "-c", str(ini), *arguments]


def _cpu_of(command: list[str]) -> float:
    """User and system time of a command that must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


Part = Callable[[Path, Path, list[str], argparse.Namespace], Iterator[Row]]
PARTS: dict[str, Part] = {
    "updates": _updates,
    "import": _import,
    "commands": _commands,
    "two": _two,
    "sign-in": _sign_ins,
}


if __name__ == "__main__":
    sys.exit(main())
