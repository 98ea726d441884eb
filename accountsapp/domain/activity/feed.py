"""What happened of late in the community: accounts made, projects published, contributions."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter

from sqlalchemy import Connection, Integer, bindparam, select

from accountsapp.domain.activity.community import MemberRow, Selection, selection_of
from accountsapp.domain.activity.projects import COLUMNS as PROJECT_COLUMNS
from accountsapp.domain.activity.projects import ProjectRow
from accountsapp.domain.data.activity_models import Contribution, Project, Volunteer
from accountsapp.domain.data.member_models import Member
from accountsapp.domain.data.models import Account
from accountsapp.domain.data.prepared import Prepared
from accountsapp.domain.data.reads import Columns
from accountsapp.domain.store import Store

ITEMS = 100
CONTRIBUTIONS_LOOKED_AT = (2 * ITEMS, 10_000)
"""The latest contributions of which the feed takes those that it may show: so many, and where these are not
enough so many."""


@dataclass(frozen=True)
class AccountMade:
    """Somebody signed up."""

    moment: datetime
    member: MemberRow


@dataclass(frozen=True)
class ProjectMade:
    """A project that is published was made."""

    moment: datetime
    project: ProjectRow


@dataclass(frozen=True)
class Contributed:
    """Somebody contributed to a published project."""

    moment: datetime
    member: MemberRow
    project_name: str
    project_short_name: str


FeedItem = AccountMade | ProjectMade | Contributed


def feed(store: Store, columns: Columns) -> tuple[FeedItem, ...]:
    """The latest :data:`ITEMS` of listed accounts, newest first.

    :param columns: what the ``profile`` of each account has
    :returns: the same object for everybody, while it is the same
    """
    return store.recent.get(("feed", columns), lambda: _latest(store.connection, selection_of(columns)))


def _latest(connection: Connection, selection: Selection) -> tuple[FeedItem, ...]:
    items: list[FeedItem] = [
        *_accounts(connection, selection),
        *_projects(connection),
        *_contributions(connection, selection),
    ]
    return tuple(sorted(items, key=attrgetter("moment"), reverse=True)[:ITEMS])


def _accounts(connection: Connection, selection: Selection) -> list[AccountMade]:
    members = [selection.row(row) for row in selection.newest.all(connection, most=ITEMS, offset=0)]
    return [AccountMade(member.created, member) for member in members]


def _projects(connection: Connection) -> list[ProjectMade]:
    projects = [ProjectRow._make(row) for row in _LATEST_PROJECTS.all(connection)]
    return [ProjectMade(project.created, project) for project in projects]


def _contributions(connection: Connection, selection: Selection) -> list[Contributed]:
    items: list[Contributed] = []
    statement = _latest_contributions(selection)
    for most in CONTRIBUTIONS_LOOKED_AT:
        rows = statement.all(connection, most=most)
        items = [Contributed(row[-3], selection.row(row), *row[-2:]) for row in rows]
        if len(items) == ITEMS:
            break
    return items


_LATEST_PROJECTS = Prepared(
    select(*PROJECT_COLUMNS)
    .join(Member, Member.account_id == Project.owner_id)
    .where(Project.published.is_(True))
    .order_by(Project.created.desc(), Project.id.desc())
    .limit(ITEMS)
)


@cache
def _latest_contributions(selection: Selection) -> Prepared:
    latest = (
        select(Contribution.volunteer_id, Contribution.created)
        .order_by(Contribution.created.desc())
        .limit(bindparam("most", type_=Integer))
        .subquery()
    )
    return Prepared(
        select(*selection.columns, latest.c.created, Project.name, Project.short_name)
        .select_from(latest)
        .join(Volunteer, Volunteer.id == latest.c.volunteer_id)
        .join(Project, Project.id == Volunteer.project_id)
        .join(Member, Member.account_id == Volunteer.account_id)
        .join(Account, Account.id == Member.account_id)
        .where(Project.published.is_(True))
        .order_by(latest.c.created.desc())
        .limit(ITEMS)
    )
