"""The memory of keys that were ended, so that one that is published later is known to have been ours."""

from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from accountsapp.domain.clock import now
from accountsapp.domain.data.api_key_models import ApiKey, EndedApiKey
from accountsapp.domain.data.key_digests import digests_of_hash
from accountsapp.domain.data.models import IS_THERE, Account
from accountsapp.domain.data.removing import remove_some
from accountsapp.domain.data.revoking import confirm_everywhere
from accountsapp.domain.job_handlers import clears
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.rules.api_keys import HASH_PURPOSE, hash_of

MEMORY = timedelta(days=90)


def owner_of_hash(account_id: int) -> str:
    """The owner for whom the hashes of an account's keys are sealed."""
    return f"key-hash:{account_id}"


def sealed_hash(keyring: Keyring, account_id: int, key_hash: str) -> dict[str, bytes | str]:
    """Digest, seal and secret of a named or an ended key: what its row is found by and made anew from.

    :param key_hash: SHA-256 of the key, in lower-case hex
    """
    return {
        "digest": keyring.digest(HASH_PURPOSE, key_hash),
        "sealed": keyring.seal(owner_of_hash(account_id), key_hash),
        "secret_id": keyring.secret_id,
    }


def remember_default(session: Session, keyring: Keyring, account_id: int, api_key: str) -> None:
    """Remember a default key that is being replaced."""
    values = sealed_hash(keyring, account_id, hash_of(api_key))
    session.add(EndedApiKey(account_id=account_id, ended=now(), **values))


def remove_named(session: Session, *rows: ApiKey) -> None:
    """Remove named keys, and remember them; an expired one ended when it expired."""
    confirm_everywhere(session)
    moment = now()
    ended = [
        {
            "account_id": row.account_id,
            "digest": row.digest,
            "sealed": row.sealed,
            "secret_id": row.secret_id,
            "ended": _end_of(row, moment),
        }
        for row in rows
    ]
    session.execute(insert(EndedApiKey), ended)
    for row in rows:
        session.delete(row)
    session.flush()


def _end_of(row: ApiKey, moment: datetime) -> datetime:
    return moment if row.expires is None else min(row.expires, moment)


def was_ended(session: Session, keyring: Keyring, key_hash: str) -> bool:
    """Whether a key of an account that is still there was ended in the last 90 days.

    :param key_hash: SHA-256 of the key, in lower-case hex
    """
    statement = (
        select(EndedApiKey.id)
        .join(Account, Account.id == EndedApiKey.account_id)
        .where(
            EndedApiKey.digest.in_(digests_of_hash(keyring, key_hash)),
            EndedApiKey.ended > now() - MEMORY,
            IS_THERE,
        )
        .limit(1)
    )
    return session.scalar(statement) is not None


@clears
def clear_memory(session: Session) -> int:
    """Forget some keys that were ended over 90 days ago (:func:`remove_some`)."""
    return remove_some(session, EndedApiKey, EndedApiKey.ended <= now() - MEMORY)
