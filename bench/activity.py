"""Activity for the accounts of a benchmark, made by the database itself."""

from functools import partial

from sqlalchemy import Connection, insert, text

from accountsapp.db.database import Database
from accountsapp.domain.clock import now
from accountsapp.domain.data import places
from accountsapp.domain.data.activity_models import Project

PROJECTS = 100
TASKS = 1000
"""Of each project."""

_FILL = (
    (
        "INSERT INTO volunteer (id, project_id, account_id) "
        "SELECT 7919 * CAST(account.id AS BIGINT), project.id, account.id FROM account "
        "JOIN project ON project.id = 1 + account.id % :projects"
    ),
    (
        "INSERT INTO contribution (volunteer_id, task, created) "
        "SELECT 7919 * CAST(id AS BIGINT), CAST(id % :tasks AS TEXT), coalesce(signup, created) FROM account"
    ),
    (
        "INSERT INTO answered_task (project_id, task) "
        "SELECT DISTINCT 1 + id % :projects, CAST(id % :tasks AS TEXT) FROM account"
    ),
    (
        "UPDATE project SET n_volunteers = (SELECT count(*) FROM volunteer WHERE project_id = project.id), "
        "n_answered = (SELECT count(*) FROM answered_task WHERE project_id = project.id)"
    ),
    "UPDATE account SET n_contributions = 1",
)


def add_activity(database: Database) -> None:
    """Give every account one contribution to one of a hundred projects; the database has none yet."""
    database.write(_add_projects)
    for statement in _FILL:
        database.write(partial(_run, statement))
    database.write(places.fold)


def _add_projects(connection: Connection) -> None:
    connection.execute(
        insert(Project),
        [
            {
                "id": number,
                "short_name": f"project{number}",
                "name": f"Project number {number}",
                "description": "",
                "info": {},
                "published": True,
                "n_tasks": TASKS,
                "created": now(),
            }
            for number in range(1, PROJECTS + 1)
        ],
    )


def _run(statement: str, connection: Connection) -> None:
    connection.execute(text(statement), {"projects": PROJECTS, "tasks": TASKS})
