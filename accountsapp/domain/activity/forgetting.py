"""What becomes of an account's activity when it is deleted.

Reviews and collections go with the account by their foreign keys. Contributions stay, under the random mark
of a volunteer that has no account any more; so do projects, without owner.
"""

from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from accountsapp.domain.data.activity_models import Addon, AddonAuthor, Project, Volunteer

_other = aliased(AddonAuthor)
_APART = {"synchronize_session": False}


def forget(session: Session, account_id: int) -> None:
    """Remove what would not go with the account: in its transaction, with its row locked.

    Add-ons of which it is the only author are removed with their reviews. Of others it is an author no more;
    if no owner is left, the first author becomes one. Its unpublished projects to which nobody else
    contributed are removed, too.
    """
    _forget_addons(session, account_id)
    _forget_drafts(session, account_id)


def _forget_addons(session: Session, account_id: int) -> None:
    mine = select(AddonAuthor.addon_id).where(AddonAuthor.account_id == account_id)
    locked = select(Addon.id).where(Addon.id.in_(mine)).order_by(Addon.id).with_for_update()
    if session.scalars(locked).first() is None:
        return
    others = and_(_other.addon_id == Addon.id, _other.account_id != account_id)
    session.execute(
        delete(Addon).where(Addon.id.in_(mine), ~exists().where(others)), execution_options=_APART
    )
    remaining = and_(_other.addon_id == AddonAuthor.addon_id, _other.account_id != account_id)
    first = select(func.min(_other.position)).where(remaining).scalar_subquery()
    heir = update(AddonAuthor).where(
        AddonAuthor.addon_id.in_(mine),
        AddonAuthor.account_id != account_id,
        AddonAuthor.position == first,
        ~exists().where(remaining, _other.role == "owner"),
    )
    session.execute(heir.values(role="owner"), execution_options=_APART)
    session.execute(delete(AddonAuthor).where(AddonAuthor.account_id == account_id), execution_options=_APART)


def _forget_drafts(session: Session, account_id: int) -> None:
    drafts = and_(Project.owner_id == account_id, ~Project.published)
    session.execute(select(Project.id).where(drafts).order_by(Project.id).with_for_update())
    others = and_(
        Volunteer.project_id == Project.id,
        or_(Volunteer.account_id.is_(None), Volunteer.account_id != account_id),
    )
    session.execute(delete(Project).where(drafts, ~exists().where(others)), execution_options=_APART)
