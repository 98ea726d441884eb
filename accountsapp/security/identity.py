"""Who asks, by which credential: plain values that outlive the database session."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from accountsapp.domain.data.models import AccountState
from accountsapp.domain.data.proofs import Actor, Proof, Rights
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.data.rows import ApiKeyRow
from accountsapp.security.principals import ADMINISTRATORS, STAFF, carrier, principal


class Reason(StrEnum):
    """Why somebody may not."""

    NO_CREDENTIAL = "no credential"
    MALFORMED = "malformed credential"
    UNKNOWN = "unknown credential"
    """Nobody has it, or not any more; a wrong password too."""
    EXPIRED = "expired credential"
    OTHER_SCHEME = "credential of another scheme"
    STALE = "credential ended meanwhile"
    """It was good when the request began."""
    INACTIVE = "inactive account"
    SCOPE = "scope missing"
    NOT_ALLOWED = "not allowed"

    @property
    def is_of_credential(self) -> bool:
        """Whether another credential of the same account could help."""
        return self not in (Reason.SCOPE, Reason.NOT_ALLOWED)


@dataclass(frozen=True)
class Identity:
    """An account, and the credential that proved it.

    :ivar account: None for an OAuth client that acts for no account
    :ivar vouches: whether the caller's word proves an e-mail address: the operator trusts it to have checked
    :ivar scopes: the permissions the credential grants; None grants all
    :ivar secret: the credential itself where an operation must compare it again, never shown
    :ivar proof: by which it is looked at again when a change begins; None where there was a password
    :ivar key: the API key that proved it, where one did
    :ivar place: where in the request that key stood
    """

    account: AccountRow | None = field(repr=False)
    kind: str
    scopes: frozenset[str] | None = None
    secret: str | None = field(default=None, repr=False)
    vouches: bool = False
    proof: Proof | None = field(default=None, repr=False)
    key: ApiKeyRow | None = None
    place: str | None = None

    @property
    def key_id(self) -> str | None:
        """The id of the named key that proved it; None for the default key and for everything else."""
        return self.key.public_id if self.key is not None else None

    @property
    def account_id(self) -> int | None:
        return self.account.id if self.account is not None else None

    @property
    def actor(self) -> Actor | None:
        """Who acts, with what is looked at again; an API key does not end with the other credentials."""
        account = self.account
        if account is None:
            return None
        epoch = account.credential_epoch if self.key is None else None
        rights = Rights(account.is_admin, account.is_staff, self._permissions)
        return Actor(account.id, epoch, self.proof, rights if any(rights) else None)

    @property
    def is_active(self) -> bool:
        return self.account is None or self.account.state == AccountState.ACTIVE

    @property
    def is_admin(self) -> bool:
        """Whether it is an account of an administrator."""
        return self.account is not None and self.account.is_admin

    @property
    def is_staff(self) -> bool:
        """Whether it is an account of staff; administrators are."""
        return self.account is not None and (self.account.is_staff or self.account.is_admin)

    @property
    def principals(self) -> list[str]:
        """Those of the permissions that it carries are among them where an API reads that column."""
        if self.account is None:
            return []
        mine = [principal(self.account.id), *map(carrier, self._permissions)]
        if self.account.is_admin:
            return [*mine, ADMINISTRATORS, STAFF]
        return [*mine, STAFF] if self.account.is_staff else mine

    @property
    def _permissions(self) -> Sequence[str]:
        """What the account carries, where an API reads it."""
        carried: Sequence[str] = getattr(getattr(self.account, "profile", None), "permissions", ())
        return carried


@dataclass(frozen=True)
class Nobody:
    """Nobody was proved, and why.

    :ivar kind: of the credential that was presented, where an API tells them apart
    """

    reason: Reason
    kind: str | None = None


ANONYMOUS = Nobody(Reason.NO_CREDENTIAL)
