"""``accountsapp jobs``: the background worker and its queue."""

import json
import logging
import signal
import threading

import click

from accountsapp import folders
from accountsapp.cli.commands import Group
from accountsapp.cli.context import Context, unix_user
from accountsapp.cli.output import JSON, print_done
from accountsapp.cli.stopping import AGAIN, report_stop
from accountsapp.domain import audit, job_lists
from accountsapp.domain import jobs as queue
from accountsapp.domain.audit import Event
from accountsapp.log_output import BackgroundStreamHandler
from accountsapp.worker import Worker

log = logging.getLogger(__name__)

HEADING = f"{'ID':>8} {'STATE':<8}{'TRIES':>6} {'FINISHED OR DUE':<19} JOB AND LAST ERROR"
LOG_FORMAT = "%(asctime)s %(levelname)-5.5s [%(name)s] %(message)s"


@click.group("jobs", cls=Group)
def group() -> None:
    """The background worker and its queue."""


@group.command(examples=["", "--until-empty"])
@click.option("--until-empty", is_flag=True, help="Work off what is due and exit.")
@click.pass_obj
def run(context: Context, until_empty: bool) -> None:
    """Work off jobs until stopped (SIGTERM, SIGINT)."""
    folders.prepare(context.settings)
    worker = Worker(context.process)
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, handlers=[BackgroundStreamHandler()])
    if until_empty:
        log.info("working off what is due")
        with report_stop(lambda: f"{worker.done} jobs done; {AGAIN}"):
            worker.run_until_empty()
    else:
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: stopped.set())
        log.info("working off jobs; SIGTERM or Ctrl-C stops it")
        worker.start()
        stopped.wait()
        worker.stop()
    log.info("stopped: %d jobs done, %d tries failed", worker.done, worker.failures)


@group.command("list", examples=["", "--json"])
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_(context: Context, as_json: bool) -> None:
    """Every job that is kept: queued, running, failed, done."""
    if not as_json:
        click.echo(HEADING)
    with context.database.read_engine.connect() as connection:
        for row in job_lists.listing(connection):
            if as_json:
                click.echo(json.dumps(row._asdict(), default=lambda moment: moment.isoformat()))
            else:
                tries = f"{row.attempts}/{row.max_attempts}"
                moment = f"{row.finished or row.run_at:%Y-%m-%d %H:%M:%S}"
                click.echo(f"{row.id:>8} {row.state:<8}{tries:>6} {moment} {row.name} {row.last_error or ''}")


@group.command(examples=["17"])
@click.argument("job_id", metavar="ID", type=int)
@JSON
@click.pass_obj
def retry(context: Context, job_id: int, as_json: bool) -> None:
    """Try a failed job again, or a waiting one at once.

    The ID is what jobs list says.
    """
    with context.database.begin() as session:
        queue.retry(session, job_id)
        audit.record(session, Event.JOB_RETRIED, job=job_id, command=unix_user())
    print_done(as_json, "will be tried again", job=job_id)
