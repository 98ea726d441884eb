"""What is true of a database whatever was done to it, as queries that find what breaks it."""

from collections.abc import Iterator

from sqlalchemy import select, text

from accountsapp.db.database import Database
from accountsapp.domain.data.fates import FATES, Fate
from accountsapp.domain.data.models import Account, EmailAddress
from accountsapp.domain.rules import emails
from accountsapp.domain.rules.folding import fold

BREACHES = {
    "an account without exactly one primary address": """
        SELECT a.id FROM account a LEFT JOIN email_address e ON e.account_id = a.id AND e.is_primary
        GROUP BY a.id HAVING count(e.id) <> 1""",
    "an account without exactly one default key": """
        SELECT a.id FROM account a LEFT JOIN api_key k ON k.account_id = a.id AND k.public_id IS NULL
        WHERE a.deletion_asked IS NULL GROUP BY a.id HAVING count(k.id) <> 1""",
    "more than 20 named keys": """
        SELECT account_id FROM api_key WHERE public_id IS NOT NULL AND NOT retiring
        GROUP BY account_id HAVING count(*) > 20""",
    "a default key with what named ones have": """
        SELECT id FROM api_key WHERE public_id IS NULL
        AND (name IS NOT NULL OR scopes IS NOT NULL OR expires IS NOT NULL OR retiring)""",
    "an address that two accounts have": """
        SELECT address_key FROM email_address WHERE verified OR is_primary
        GROUP BY address_key HAVING count(*) > 1""",
    "an address that is somebody else's name": """
        SELECT e.id FROM email_address e JOIN account a ON a.username_key = e.address_key
        WHERE (e.verified OR e.is_primary) AND a.id <> e.account_id""",
    "half of a pending address": """
        SELECT id FROM account WHERE (pending_email IS NULL) <> (pending_email_key IS NULL)
        OR (pending_email IS NULL) <> (pending_email_expires IS NULL)""",
    "an account that is to be deleted and active": """
        SELECT id FROM account WHERE deletion_asked IS NOT NULL AND state = 'active'""",
    "a credential of an epoch to come": """
        SELECT s.id FROM session s JOIN account a ON a.id = s.account_id
        WHERE s.credential_epoch > a.credential_epoch
        UNION ALL SELECT l.id FROM link l JOIN account a ON a.id = l.account_id
        WHERE l.credential_epoch > a.credential_epoch
        UNION ALL SELECT t.id FROM oauth_access_token t JOIN account a ON a.id = t.account_id
        WHERE t.credential_epoch > a.credential_epoch""",
    "a finished job that remembers what it was given": """
        SELECT id FROM job WHERE state = 'done' AND CAST(payload AS TEXT) <> '{}'""",
    "a finished job without an end, or an end without a finished job": """
        SELECT id FROM job WHERE (state = 'queued') <> (finished IS NULL)""",
    "two queued jobs of one key": """
        SELECT unique_key FROM job WHERE state = 'queued' AND unique_key IS NOT NULL
        GROUP BY unique_key HAVING count(*) > 1""",
    "a token whose grant is of another account": """
        SELECT t.id FROM oauth_access_token t JOIN oauth_grant g ON g.id = t.grant_id
        WHERE t.account_id <> g.account_id""",
    "a negative number of invitations": "SELECT id FROM account WHERE invite_ct < 0",
}
"""By what would be wrong: a query that finds nothing."""


def breaches(database: Database) -> Iterator[str]:
    """What is wrong, in words; nothing where all is well."""
    with database.read_engine.connect() as connection:
        for what, query in BREACHES.items():
            for (found,) in connection.execute(text(query)):
                yield f"{what}: {found}"
        for (table, column), fate in FATES.items():
            if fate is Fate.GONE:
                orphans = f"SELECT {column} FROM {table} WHERE {column} NOT IN (SELECT id FROM account)"
                for (found,) in connection.execute(text(orphans)):
                    yield f"{table} of an account that is gone: {found}"
        for username, key in connection.execute(select(Account.username, Account.username_key)):
            if key != fold(username):
                yield f"a name under another key: {username!r}"
        for address, key in connection.execute(select(EmailAddress.address, EmailAddress.address_key)):
            if key != emails.key_of(address):
                yield f"an address under another key: {address!r}"
        if database.is_sqlite:
            for check in ("integrity_check", "foreign_key_check"):
                for row in connection.exec_driver_sql(f"PRAGMA {check}"):
                    if row[0] != "ok":
                        yield f"{check}: {row}"
