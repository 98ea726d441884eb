"""Activity of accounts, written straight into the tables."""

import json
import secrets
from collections.abc import Iterable
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from accountsapp.domain.clock import now
from accountsapp.domain.data.activity_models import (
    Addon,
    AddonAuthor,
    AnsweredTask,
    Contribution,
    Project,
    Volunteer,
)
from accountsapp.domain.data.models import Account


def add_addon(session: Session, slug: str, authors: Iterable[int], **columns: Any) -> int:
    """A public extension, unless the columns say otherwise; the first author owns it."""
    values = {"slug": slug, "type": "extension", "listed": True, "approved": True, **columns}
    addon_id = session.scalar(insert(Addon).values(values).returning(Addon.id))
    assert addon_id is not None
    for position, account_id in enumerate(authors):
        role = "developer" if position else "owner"
        session.execute(
            insert(AddonAuthor).values(addon_id=addon_id, account_id=account_id, role=role, position=position)
        )
    return addon_id


def add_project(session: Session, short_name: str, owner_id: int | None = None, **columns: Any) -> int:
    """A published project, unless the columns say otherwise."""
    values = {"name": short_name, "description": "", "info": {}, "published": True, "n_tasks": 0, **columns}
    project_id = session.scalar(
        insert(Project).values(short_name=short_name, owner_id=owner_id, **values).returning(Project.id)
    )
    assert project_id is not None
    return project_id


def contribute(session: Session, project_id: int, account_id: int, tasks: Iterable[Any]) -> None:
    """The account's first contributions to that project, one to each task."""
    moment, mark = now(), secrets.randbits(63)
    texts = [json.dumps(task) for task in tasks]
    session.execute(insert(Volunteer).values(id=mark, project_id=project_id, account_id=account_id))
    session.execute(
        insert(Contribution), [{"volunteer_id": mark, "task": task, "created": moment} for task in texts]
    )
    answered = select(AnsweredTask.task).where(AnsweredTask.project_id == project_id)
    known = set(session.scalars(answered))
    new = [{"project_id": project_id, "task": task} for task in texts if task not in known]
    if new:
        session.execute(insert(AnsweredTask), new)
    session.execute(
        update(Project)
        .where(Project.id == project_id)
        .values(n_volunteers=Project.n_volunteers + 1, n_answered=Project.n_answered + len(new))
    )
    session.execute(
        update(Account)
        .where(Account.id == account_id)
        .values(n_contributions=Account.n_contributions + len(texts))
        .execution_options(synchronize_session=False)
    )
