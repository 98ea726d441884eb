"""R12: workers killed (-9) at each step and at random times; two at once; jobs delivered twice."""

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from accountsapp.db.database import Database
from accountsapp.domain.data.models import JobState
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.mailing import notices
from accountsapp.domain.mailing.notices import Notice
from accountsapp.settings import Settings
from tests.support.jobs import DEADLINE, all_jobs, enqueue, eventually, let_time_pass
from tests.support.processes import start_worker


@pytest.fixture
def ini_file(ini: dict[str, str], tmp_path: Path) -> Path:
    lines = [f"{name} = {value.replace('%', '%%')}" for name, value in ini.items()]
    path = tmp_path / "test.ini"
    path.write_text("\n".join(["[app:main]", "use = egg:accountsapp", *lines]))
    return path


def left(database: Database, name: str) -> list[int]:
    """Of which jobs there is a row of that name."""
    return [job.payload["of"] for job in all_jobs(database) if job.name == name]


def state_of(database: Database, job_id: int) -> str:
    return next(job.state for job in all_jobs(database) if job.id == job_id)


@pytest.mark.parametrize("where", ["stuck_outside", "stuck_writing"])
def test_r12_killed_at_a_step(database: Database, ini: dict[str, str], where: str) -> None:
    job_id = enqueue(database, where)
    first = start_worker(ini)
    eventually(lambda: left(database, "begun"))
    first.kill()
    first.join()
    assert left(database, "first") == [], "what was not finished is not there"
    assert state_of(database, job_id) == JobState.QUEUED
    let_time_pass(database)
    second = start_worker(ini)
    eventually(lambda: state_of(database, job_id) == JobState.DONE)
    second.kill()
    second.join()
    assert left(database, "begun") == [job_id, job_id]
    assert left(database, "first") == [job_id], "once"


def test_r12_killed_at_random_times(database: Database, ini: dict[str, str]) -> None:
    """Twenty kills, two workers at a time, leases of a moment: each job ends once, wholly."""
    ids = [enqueue(database, "three_steps") for _ in range(40)]
    chance = random.Random(20)

    def goes_on(starts: int) -> bool:
        """Whether a job was started since, or none is left."""
        jobs = [job for job in all_jobs(database) if job.id in ids]
        return sum(job.starts for job in jobs) > starts or all(job.state == JobState.DONE for job in jobs)

    workers = [start_worker(ini, lease=0.2) for _ in range(2)]
    for kill in range(20):
        # However fast they are, there is a job to kill them over.
        open_jobs = [job for job in all_jobs(database) if job.id in ids and job.state != JobState.DONE]
        ids += [enqueue(database, "three_steps") for _ in range(20 - len(open_jobs))]
        starts = sum(job.starts for job in all_jobs(database))
        eventually(lambda starts=starts: goes_on(starts))
        time.sleep(chance.uniform(0.0, 0.1))
        workers[kill % 2].kill()
        workers[kill % 2].join()
        workers[kill % 2] = start_worker(ini, lease=0.2)
    eventually(lambda: all(job.state == JobState.DONE for job in all_jobs(database) if job.id in ids))
    for worker in workers:
        worker.kill()
        worker.join()
    assert max(job.starts for job in all_jobs(database)) > 1, "no kill hit a job"
    assert Counter(left(database, "first")) == Counter(ids)
    assert Counter(left(database, "second")) == Counter(ids)


COMMAND = "from accountsapp.cli import main; main()"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_r12_the_command_ends_when_told(
    database: Database, settings: Settings, ini_file: Path, keyring: Keyring, number: int
) -> None:
    """``accountsapp jobs run``: works off what comes, and ends with 0 when it is told to."""
    process = subprocess.Popen([sys.executable, "-c", COMMAND, "-c", str(ini_file), "jobs", "run"])
    with database.begin() as session:
        notices.queue(session, keyring, Notice.API_KEY_RESET, to="a@example.com", account=None, username="a")
    eventually(lambda: [job.state for job in all_jobs(database)] == [JobState.DONE])
    process.send_signal(number)
    assert process.wait(DEADLINE) == 0
    assert len(list(settings.mail.directory.glob("*.eml"))) == 1


SERVER = """
import json, sys, time
from accountsapp.db.database import Database
from accountsapp.domain.throttle import Throttle
from accountsapp.handlers import HANDLERS
from accountsapp.process import Process
from accountsapp.settings import load
from accountsapp.worker import start_embedded
from tests.support.processes import mark

def slow(store, job):
    mark(store, job, "begun")
    time.sleep(0.5)
    mark(store, job, "ended")

HANDLERS["slow"] = slow
settings = load(json.loads(sys.argv[1]), environ={})
start_embedded(Process(settings, Database(settings.database_url), Throttle(enabled=False)), poll=0.01)
time.sleep(600)
"""


def test_r12_an_embedded_worker_ends_with_its_server(database: Database, ini: dict[str, str]) -> None:
    """SIGTERM lets the job in progress end, and takes no other."""
    first = enqueue(database, "slow")
    server = subprocess.Popen([sys.executable, "-c", SERVER, json.dumps(ini)])
    eventually(lambda: left(database, "begun"))
    second = enqueue(database, "slow")
    server.terminate()
    assert server.wait(DEADLINE) == 0
    assert left(database, "ended") == [first]
    assert (state_of(database, first), state_of(database, second)) == (JobState.DONE, JobState.QUEUED)
