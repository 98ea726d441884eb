"""What people say about themselves, and what they are called: read, and changed as one."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from accountsapp.domain.accounts.preferences import set_links, set_values
from accountsapp.domain.audit import Event
from accountsapp.domain.data import columns as columns_of
from accountsapp.domain.data import reads
from accountsapp.domain.data.locking import are_invited_by, lock_together, refusing_duplicates
from accountsapp.domain.data.models import NO_PENDING_EMAIL, Account
from accountsapp.domain.data.reads import AccountRow, P
from accountsapp.domain.data.usernames import check_username_free
from accountsapp.domain.emails import changing, strangers
from accountsapp.domain.errors import AccountNotFound
from accountsapp.domain.pictures import keeping
from accountsapp.domain.pictures.keeping import Written
from accountsapp.domain.rules.emails import key_of
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.store import Store
from accountsapp.domain.unset import UNSET, Unset

if TYPE_CHECKING:
    from accountsapp.domain.pictures.decoding import Picture

_FURTHER_COLUMNS = ("username", "username_key", "picture", *NO_PENDING_EMAIL)
NO_PREFERENCES: Mapping[str, str | None] = {}

COLUMNS = frozenset(
    {
        "name",
        "display_name",
        "biography",
        "location",
        "company",
        "occupation",
        "homepage",
        "gravatar_email",
        "country",
        "locale",
        "language",
        "gender",
        "goals",
        "level_of_education",
        "mailing_address",
        "language_proficiencies",
        "year_of_birth",
        "account_privacy",
        "privacy_mode",
        "subscribed",
        "read_dev_agreement",
        "notifications",
        "info",
        "ckan_api",
    }
)
"""Columns of the account that prove and open nothing."""


def read(store: Store, account_id: int, columns: type[P]) -> P:
    """What an account says.

    :param columns: a NamedTuple class whose fields are columns of the account; what was read with the
        credential is not read again
    :raises AccountNotFound: there is none of that id
    """
    if columns is store.columns and not store.is_writing:
        row = store.reader.by_id(account_id)
        profile = row.profile if row is not None else None
    else:
        profile = reads.profile(store.latest, account_id, columns)
    if profile is None:
        raise AccountNotFound
    return profile


def change(
    store: Store,
    account_id: int,
    columns: Mapping[str, Any] | None = None,
    *,
    username: str | Unset = UNSET,
    email: str | Unset = UNSET,
    email_again: bool = False,
    social_links: Mapping[str, str | None] | Unset | None = UNSET,
    preferences: Mapping[str, str | None] = NO_PREFERENCES,
    picture: "Picture | None | Unset" = UNSET,
) -> AccountRow:
    """Change what is given, all of it or nothing, as one version of the account; the rest stays.

    :param columns: of :data:`COLUMNS`, checked by the API; None clears
    :param username: one that ``rules.usernames`` let pass
    :param email: one that ``emails.parse`` gave; it waits for its confirmation
    :param email_again: whether an address that it waits for already is asked for anew
    :param social_links: by network (:func:`preferences.set_links`)
    :param preferences: by name (:func:`preferences.set_values`)
    :param picture: one that ``pictures.decoding`` made; None removes the present one
    :returns: the account after it
    :raises UsernameTaken: another account has that name
    :raises Busy: files cannot be written now
    :raises TooManyAttempts: too many new addresses, or mails to strangers
    :raises StaleCredential: the actor was locked or deleted meanwhile
    """
    values = columns or {}
    if not values.keys() <= COLUMNS:
        raise ValueError(", ".join(sorted(values.keys() - COLUMNS)))
    with (
        _counting(store, account_id, email, again=email_again),
        _writing(store, account_id, picture) as written,
    ):
        if not isinstance(username, Unset):
            invited = are_invited_by(account_id)
            lock_together(store.session, account_id, store.actor_id, besides=invited)
        former = store.lock_columns(account_id, (*values, *_FURTHER_COLUMNS))
        if values or preferences or picture is not UNSET or social_links is not UNSET:
            record_edited(store, account_id)
        with refusing_duplicates():
            changed = dict(values)
            if not isinstance(username, Unset):
                changed |= _rename(store, account_id, former["username"], username)
            if not isinstance(picture, Unset):
                changed["picture"] = keeping.put(store.session, account_id, former["picture"], written)
            if not isinstance(email, Unset):
                changed |= changing.ask(store, store.reread(account_id), email, again=email_again)
            columns_of.change(store.transaction, account_id, former, changed)
            if changed.get("pending_email") is not None:
                changing.announce(store, store.lock(account_id))
            store.flush()
        if not isinstance(social_links, Unset):
            set_links(store.transaction, account_id, social_links)
        set_values(store.transaction, account_id, preferences)
        return store.reread(account_id)


def record_edited(store: Store, account_id: int) -> None:
    """Record that an account says something else now, if somebody else did it than its owner."""
    if store.actor_id not in (None, account_id):
        store.record(Event.PROFILE_EDITED, account_id=account_id)


def _writing(
    store: Store, account_id: int, picture: "Picture | None | Unset"
) -> AbstractContextManager[Written | None]:
    """Writes the files of a new picture before anything is locked."""
    if isinstance(picture, Unset) or picture is None:
        return nullcontext()
    return keeping.written(store, account_id, picture)


def _counting(
    store: Store, account_id: int, email: str | Unset, *, again: bool
) -> AbstractContextManager[None]:
    """Counts a new address, and the mail to it, before anything is locked."""
    if isinstance(email, Unset):
        return nullcontext()
    row = store.reader.by_id(account_id)
    if row is None or not (again or changing.is_change(row, email)):
        return nullcontext()
    return _counting_change(store, row, email)


@contextmanager
def _counting_change(store: Store, row: AccountRow, email: str) -> Iterator[None]:
    is_mailed = key_of(email) != key_of(row.email)
    with (
        store.throttle.counted("email-change", row.id),
        strangers.counted(store, row.id) if is_mailed else nullcontext(),
    ):
        yield


def _rename(store: Store, account_id: int, former: str, username: str) -> dict[str, str]:
    """Have a locked account named otherwise where it is named as the one who invited somebody.

    :returns: the columns of its name
    :raises UsernameTaken: another account has it
    """
    if username == former:
        return {}
    check_username_free(store.session, username, but=account_id)
    store.session.execute(update(Account).where(Account.invited_by == former).values(invited_by=username))
    store.record(Event.RENAMED, account_id=account_id)
    return {"username": username, "username_key": fold(username)}
