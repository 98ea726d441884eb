"""What the domain refuses. Each API turns these into its own statuses and words."""

from collections.abc import Sequence


class DomainError(Exception):
    """Base of every refusal; ``str(error)`` is an English sentence for people, without secrets."""


class InvalidValue(DomainError):
    """A value breaks the rule of its field."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class InvalidUsername(InvalidValue):
    """Not a username that can be had."""

    def __init__(self, text: str) -> None:
        super().__init__("username", text)


class UsernameTaken(InvalidUsername):
    """Another account has that name, case aside."""

    def __init__(self) -> None:
        super().__init__("The user name is already taken")


class InvalidEmail(InvalidValue):
    """Not an e-mail address."""

    def __init__(self, text: str = "Invalid email address.") -> None:
        super().__init__("email", text)


class EmailTaken(InvalidEmail):
    """Another account has that address as its primary or as a verified one."""

    def __init__(self) -> None:
        super().__init__("That e-mail address is already taken.")


class WeakPassword(InvalidValue):
    """The password rule refuses it."""

    def __init__(self, text: str) -> None:
        super().__init__("password", text)


class ApiKeyTaken(InvalidValue):
    """Another account has that API key."""

    def __init__(self) -> None:
        super().__init__("api_key", "That API key belongs to another account.")


class UnknownKey(DomainError):
    """The account has no such named key."""

    def __init__(self) -> None:
        super().__init__("There is no such key.")


class KeyNameTaken(DomainError):
    """Another living key of the account has that name, case aside."""

    def __init__(self) -> None:
        super().__init__("Another key of this account has that name.")


class TooManyKeys(DomainError):
    """The account has as many active named keys as it may."""

    def __init__(self, most: int) -> None:
        super().__init__(f"An account may have at most {most} named keys; revoke one first.")
        self.most = most


class NotRotatable(DomainError):
    """The key has expired, is being replaced already, or takes the place of one that still works."""

    def __init__(self) -> None:
        super().__init__("That key has expired, or is being replaced already.")


class DefaultKeyStays(DomainError):
    """An account always has its default key."""

    def __init__(self) -> None:
        super().__init__("The default key of an account cannot be revoked, it can only be reset.")


class FxaIdTaken(InvalidValue):
    """Another account has that id of a Firefox account."""

    def __init__(self) -> None:
        super().__init__("fxa_id", "Another account has that id.")


class InvalidValues(DomainError):
    """Several values break the rules of their fields, or one does.

    :ivar errors: one for each field
    """

    def __init__(self, errors: Sequence[InvalidValue]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = errors


class BadProof(DomainError):
    """What should prove that a mail's reader asks does not."""


class AccountNotFound(DomainError):
    """No such account, or it is being deleted."""


class WrongPassword(DomainError):
    """The password is not that of the account, or the account has none."""


class UnknownAccount(WrongPassword):
    """Nobody has that name or address, or only an account that was never activated."""


class PasswordNeeded(DomainError):
    """The password was entered too long ago for what is to be done."""

    def __init__(self) -> None:
        super().__init__("Please enter your password again.")


class StaleCredential(DomainError):
    """The credential was good when the request began and is not any more."""


class AuthorityChanged(DomainError):
    """The actor has lost a right, or what proved him is not good for the same any more: whether he may is to
    be looked at again, from the start."""


class Busy(DomainError):
    """Too much at once; trying again after ``retry_after`` seconds is worth it."""

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__("The service is busy, please try again.")
        self.retry_after = retry_after


class TooManyAttempts(DomainError):
    """A throttle is full; it opens again in ``retry_after`` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("Too many attempts, please try again later.")
        self.retry_after = retry_after


class InactiveAccount(DomainError):
    """The account is pending or was deactivated."""


class PendingAccount(InactiveAccount):
    """The account was never activated."""


class DeadLink(DomainError):
    """A mailed code is unknown, used, expired or void."""


class RegistrationClosed(DomainError):
    """Nobody may register."""

    def __init__(self) -> None:
        super().__init__("Registration is closed.")


class NoInvitesLeft(DomainError):
    """The account may not invite anybody more."""

    def __init__(self) -> None:
        super().__init__("You have no invites left at this time.")


class ClientNotFound(DomainError):
    """No such OAuth client, or it was revoked."""

    def __init__(self, text: str = "There is no such client.") -> None:
        super().__init__(text)


class ClientRevokedAlready(ClientNotFound):
    """The OAuth client was revoked before."""

    def __init__(self) -> None:
        super().__init__("The client was revoked already; nothing was done.")


class TokenNotFound(DomainError):
    """No such token, or it is dead already."""

    def __init__(self) -> None:
        super().__init__("There is no such token, or it is dead already.")


class EmailNotVerified(DomainError):
    """The account's primary address must be verified first."""

    def __init__(self) -> None:
        super().__init__("Please validate your e-mail address first.")


class EmailNotFound(DomainError):
    """The account does not have that address."""
