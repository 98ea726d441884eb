"""An account's projects, by name without regard to case."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, select

from accountsapp.domain.data.activity_models import Project, Volunteer
from accountsapp.domain.rules.folding import fold


class ProjectRow(NamedTuple):
    """One project with its figures."""

    id: int
    owner_id: int | None
    short_name: str
    name: str
    description: str
    info: dict[str, Any]
    published: bool
    created: datetime
    n_tasks: int
    n_volunteers: int
    """Distinct accounts with a contribution; deleted ones go on counting."""
    n_answered: int
    """Distinct tasks with a contribution."""

    @property
    def overall_progress(self) -> int:
        """Per cent of the tasks that have a contribution."""
        return min(100, 100 * self.n_answered // self.n_tasks) if self.n_tasks else 0


COLUMNS = tuple(getattr(Project, field) for field in ProjectRow._fields)

_PROJECTS: Select[Any] = select(*COLUMNS)


def created_by(connection: Connection, account_id: int, *, drafts: bool = False) -> list[ProjectRow]:
    """The published projects that the account owns.

    :param drafts: the others too
    """
    return _sorted(connection, Project.owner_id == account_id, *_unless(drafts))


def contributed_by(connection: Connection, account_id: int, *, drafts: bool = False) -> list[ProjectRow]:
    """The published projects to which the account contributed.

    :param drafts: the others too
    """
    mine = select(Volunteer.project_id).where(Volunteer.account_id == account_id)
    return _sorted(connection, Project.id.in_(mine), *_unless(drafts))


def _unless(drafts: bool) -> list[ColumnElement[bool]]:
    return [] if drafts else [Project.published.is_(True)]


def _sorted(connection: Connection, *conditions: ColumnElement[bool]) -> list[ProjectRow]:
    rows = [ProjectRow._make(row) for row in connection.execute(_PROJECTS.where(*conditions))]
    return sorted(rows, key=lambda row: (fold(row.name), row.short_name))
