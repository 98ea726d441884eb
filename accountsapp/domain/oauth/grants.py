"""Grants: which of them live, and how they end."""

from datetime import timedelta

from sqlalchemy import ColumnElement, bindparam, delete, exists, or_
from sqlalchemy.orm import Session

from accountsapp.domain.clock import now
from accountsapp.domain.data.oauth_models import AccessToken, OAuthCode, OAuthGrant, RefreshToken
from accountsapp.domain.data.removing import remove_some
from accountsapp.domain.data.revoking import confirm_everywhere
from accountsapp.domain.job_handlers import clears


def end(session: Session, grant_id: int) -> None:
    """End a grant, with its code and tokens."""
    confirm_everywhere(session)
    session.execute(
        delete(OAuthGrant).where(OAuthGrant.id == grant_id).execution_options(synchronize_session=False)
    )
    session.expire_all()


def is_living() -> ColumnElement[bool]:
    """Of a grant: whether there is a token that works at ``moment``."""
    access = exists().where(AccessToken.grant_id == OAuthGrant.id, AccessToken.expires > bindparam("moment"))
    refresh = exists().where(
        RefreshToken.grant_id == OAuthGrant.id,
        RefreshToken.used.is_(None),
        RefreshToken.expires > bindparam("moment"),
    )
    return or_(access, refresh)


def _is_dead() -> ColumnElement[bool]:
    """Of a grant: whether nothing can be had by it any more."""
    waiting = exists().where(OAuthCode.grant_id == OAuthGrant.id, OAuthCode.expires > bindparam("moment"))
    return ~or_(is_living(), waiting)


def clear_dead(session: Session, account_id: int, client_id: int) -> None:
    """Forget the grants of an account to a client by which nothing can be had any more."""
    session.execute(
        delete(OAuthGrant)
        .where(OAuthGrant.account_id == account_id, OAuthGrant.client_id == client_id, _is_dead())
        .execution_options(synchronize_session=False),
        {"moment": now()},
    )


@clears
def clear_old(session: Session) -> int:
    """Forget some of what expired over an hour ago: tokens, and grants by which nothing can be had any more
    (:func:`remove_some`).
    """
    moment = now() - timedelta(hours=1)
    tokens = sum(
        remove_some(session, kind, kind.expires <= bindparam("moment"), moment=moment)
        for kind in (AccessToken, RefreshToken)
    )
    return tokens + remove_some(session, OAuthGrant, _is_dead(), moment=moment)
