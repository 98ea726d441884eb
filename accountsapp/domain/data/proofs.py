"""What proved somebody, and what he may: looked at once more when his change begins, under the lock.

Between its check and the lock a credential may have been ended or narrowed, or somebody may have lost a
right. So a change comes before that, or not at all.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute

from accountsapp.domain.clock import now
from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.jwt_models import JwtKey
from accountsapp.domain.data.models import Account, AccountState, SignInSession
from accountsapp.domain.data.oauth_models import AccessToken, OAuthClient, OAuthGrant
from accountsapp.domain.data.prepared import Prepared, Statement
from accountsapp.domain.errors import AuthorityChanged, StaleCredential


class Terms(NamedTuple):
    """What a credential is good for, where that can change while it lives."""

    scopes: str | None
    expires: datetime | None


class Kind:
    """Credentials of one kind: each is a row that goes, or stops being one of these, when it is ended.

    :param value: a unique column that never names another credential
    :param account_id: whose it is
    :param further: what holds as long as it is good
    :param terms: the columns of its :class:`Terms`, if it has any
    """

    def __init__(
        self,
        value: InstrumentedAttribute[Any],
        account_id: InstrumentedAttribute[Any],
        *further: Any,
        terms: Sequence[InstrumentedAttribute[Any]] = (),
    ) -> None:
        self.table = value.class_.__table__
        self.terms = terms
        self.conditions: tuple[ColumnElement[bool], ...] = (value == bindparam("credential"), *further)
        """Of the one credential that the parameter names."""
        self.account_id = account_id
        self._holding = Prepared(
            select(*(terms or (account_id,)))
            .where(account_id == bindparam("account_id"), *self.conditions)
            .with_for_update(read=True, key_share=True)
        )

    def hold(self, connection: Connection, account_id: int, value: Any) -> Sequence[Any] | None:
        """Keep a credential of a locked account from being ended until the transaction is.

        :returns: its terms; None where it is not there any more
        """
        row = self._holding.first(connection, account_id=account_id, credential=value)
        return row if row is None or self.terms else ()


API_KEY = Kind(ApiKey.id, ApiKey.account_id, terms=(ApiKey.scopes, ApiKey.expires))
SESSION = Kind(SignInSession.digest, SignInSession.account_id)
ACCESS_TOKEN = Kind(
    AccessToken.digest, AccessToken.account_id, terms=(AccessToken.scope, AccessToken.expires)
)
SIGNING_KEY = Kind(JwtKey.key, JwtKey.account_id)
GRANT = Kind(OAuthGrant.id, OAuthGrant.account_id)
"""Of the client that a signed token was given to."""
CLIENT = Kind(OAuthClient.client_id, OAuthClient.owner_id, OAuthClient.revoked.is_(None))
"""That acts by itself for its owner, with a signed token."""


class Proof(NamedTuple):
    """The row of a credential, by the unique column of its kind.

    :ivar terms: as they were read with it; None where it cannot be narrowed
    """

    kind: Kind
    value: Any
    terms: Terms | None = None


class Rights(NamedTuple):
    """What an account may do with others, and by its word."""

    is_admin: bool = False
    is_staff: bool = False
    permissions: Sequence[str] = ()

    def are_lost(self, present: "Rights") -> bool:
        """Whether the account does not have all of them any more."""
        return (
            (self.is_admin and not present.is_admin)
            or (self.is_staff and not present.is_staff)
            or not set(self.permissions) <= set(present.permissions)
        )


ADMINISTRATOR = Rights(is_admin=True)
NO_RIGHTS = Rights()
RIGHTS = Rights._fields
"""The columns of an account that say them."""


class Actor(NamedTuple):
    """An account that acts, and what proved it.

    :ivar epoch: the account's credential epoch then, if its credential ends with it
    :ivar proof: None where a password alone proved it, a mailed code, or a job acts for it
    :ivar rights: those that it had then; None where it had none, or none counts
    """

    account_id: int
    epoch: int | None = None
    proof: Proof | None = None
    rights: Rights | None = None


_LOCKED: Statement = (
    select(
        Account.state,
        Account.credential_epoch,
        *(Account.__table__.c[name] for name in RIGHTS),
    )
    .where(Account.id == bindparam("account_id"))
    .with_for_update(read=True)
)
_ACTOR = Prepared(_LOCKED)


def check_account(actor: Actor, state: str, epoch: int, rights: Rights) -> None:
    """
    :param state, epoch, rights: of the actor's account, which is locked; its rights count where he had some
    :raises StaleCredential: it is not active any more, or the credential that proved it ended with others
    :raises AuthorityChanged: it has lost a right
    """
    if state != AccountState.ACTIVE or (actor.epoch is not None and actor.epoch != epoch):
        raise StaleCredential
    if actor.rights is not None and actor.rights.are_lost(rights):
        raise AuthorityChanged


def check_terms(proof: Proof, present: Sequence[Any]) -> None:
    """
    :param present: the terms of the credential now; empty where its kind has none
    :raises AuthorityChanged: they are others than those that were read, or it has expired
    """
    terms = proof.terms
    if terms is None:
        return
    if tuple(present) != terms or (terms.expires is not None and terms.expires <= now()):
        raise AuthorityChanged


def check_proof(connection: Connection, actor: Actor) -> None:
    """
    :raises StaleCredential: the credential that proved the actor was ended
    :raises AuthorityChanged: it is not good for the same any more
    """
    proof = actor.proof
    if proof is None:
        return
    present = proof.kind.hold(connection, actor.account_id, proof.value)
    if present is None:
        raise StaleCredential
    check_terms(proof, present)


def lock_other(connection: Connection, actor: Actor) -> None:
    """The account of somebody who acts on what is not his own: it is kept as it is for that long.

    :raises StaleCredential: it is not active any more, or credentials of it were ended
    :raises AuthorityChanged: it has lost a right
    """
    row = _ACTOR.first(connection, account_id=actor.account_id)
    if row is None:
        raise StaleCredential
    state, epoch, *rights = row
    check_account(actor, state, epoch, Rights(*rights))


def check_other(connection: Connection, actor: Actor) -> None:
    """Whether somebody may still act on what is not his own account, and may do what he was let in for.

    :raises StaleCredential: his account is not active any more, or what proved it was ended
    :raises AuthorityChanged: it has lost a right, or what proved it is not good for the same any more
    """
    lock_other(connection, actor)
    check_proof(connection, actor)
