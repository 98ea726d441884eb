"""What proved somebody: it is looked at once more when his change begins, under the lock.

Between its check and the lock a credential may have been ended. So a change comes before that, or not at all.
"""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute

from accountsapp.domain.data.api_key_models import ApiKey
from accountsapp.domain.data.jwt_models import JwtKey
from accountsapp.domain.data.models import Account, AccountState, SignInSession
from accountsapp.domain.data.oauth_models import AccessToken, OAuthClient, OAuthGrant
from accountsapp.domain.data.prepared import Prepared, Statement
from accountsapp.domain.errors import StaleCredential


class Kind:
    """Credentials of one kind: each is a row that goes, or stops being one of these, when it is ended.

    :param value: a unique column that never names another credential
    :param account_id: whose it is
    :param further: what holds as long as it is good
    """

    def __init__(
        self, value: InstrumentedAttribute[Any], account_id: InstrumentedAttribute[Any], *further: Any
    ) -> None:
        self.table = value.class_.__table__
        self.conditions: tuple[ColumnElement[bool], ...] = (value == bindparam("credential"), *further)
        """Of the one credential that the parameter names."""
        self.account_id = account_id
        self._holding = Prepared(
            select(account_id)
            .where(account_id == bindparam("account_id"), *self.conditions)
            .with_for_update(read=True, key_share=True)
        )

    def holds(self, connection: Connection, account_id: int, value: Any) -> bool:
        """Keep a credential from being ended until the transaction does.

        :returns: whether it is still there
        """
        return self._holding.first(connection, account_id=account_id, credential=value) is not None


API_KEY = Kind(ApiKey.id, ApiKey.account_id)
SESSION = Kind(SignInSession.digest, SignInSession.account_id)
ACCESS_TOKEN = Kind(AccessToken.digest, AccessToken.account_id)
SIGNING_KEY = Kind(JwtKey.key, JwtKey.account_id)
GRANT = Kind(OAuthGrant.id, OAuthGrant.account_id)
"""Of the client that a signed token was given to."""
CLIENT = Kind(OAuthClient.client_id, OAuthClient.owner_id, OAuthClient.revoked.is_(None))
"""That acts by itself for its owner, with a signed token."""


class Proof(NamedTuple):
    """The row of a credential, by the unique column of its kind."""

    kind: Kind
    value: Any


class Actor(NamedTuple):
    """An account that acts, and what proved it.

    :ivar epoch: the account's credential epoch then, if its credential ends with it
    :ivar proof: None where a password alone proved it, a mailed code, or a job acts for it
    """

    account_id: int
    epoch: int | None = None
    proof: Proof | None = None


_LOCKED: Statement = (
    select(Account.state, Account.credential_epoch)
    .where(Account.id == bindparam("account_id"))
    .with_for_update(read=True)
)
_ACTOR = Prepared(_LOCKED)


def check_account(actor: Actor, state: str, epoch: int) -> None:
    """
    :param state, epoch: of the actor's account, which is locked
    :raises StaleCredential: it is not active any more, or the credential that proved it ended with others
    """
    if state != AccountState.ACTIVE or (actor.epoch is not None and actor.epoch != epoch):
        raise StaleCredential


def check_proof(connection: Connection, actor: Actor) -> None:
    """
    :raises StaleCredential: the credential that proved the actor was ended
    """
    proof = actor.proof
    if proof is not None and not proof.kind.holds(connection, actor.account_id, proof.value):
        raise StaleCredential


def check_other(connection: Connection, actor: Actor) -> None:
    """Whether somebody may still act on what is not his own account: his is kept as it is for that long.

    :raises StaleCredential: his account is not active any more, or what proved it was ended
    """
    row = _ACTOR.first(connection, account_id=actor.account_id)
    if row is None:
        raise StaleCredential
    check_account(actor, *row)
    check_proof(connection, actor)
