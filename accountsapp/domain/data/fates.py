"""What becomes of the rows that refer to an account when it is deleted (``accounts/lifecycle.py``).

Every foreign key to an account stands here, with what the database does by itself. A test compares this with
the tables, so that a new one has to be thought about.
"""

from enum import StrEnum


class Fate(StrEnum):
    """What the foreign key says, and so the database does."""

    GONE = "CASCADE"
    """The row goes with the account."""
    KEPT = "SET NULL"
    """The row stays, without the account."""


FATES: dict[tuple[str, str], Fate] = {
    ("addon_author", "account_id"): Fate.GONE,
    # Before: an add-on without another author is removed, and one without another owner gets one.
    ("api_key", "account_id"): Fate.GONE,
    ("archive", "account_id"): Fate.GONE,  # and a job removes its files
    ("audit_event", "account_id"): Fate.KEPT,  # before: without client address
    ("audit_event", "actor_id"): Fate.KEPT,
    ("collection", "account_id"): Fate.GONE,
    ("email_address", "account_id"): Fate.GONE,
    ("ended_api_key", "account_id"): Fate.GONE,
    ("job", "account_id"): Fate.KEPT,  # a mail to the former address is still to be sent
    ("jwt_key", "account_id"): Fate.GONE,
    ("link", "account_id"): Fate.GONE,
    ("member", "account_id"): Fate.GONE,
    ("moved_account", "account_id"): Fate.KEPT,  # before: without what it was elsewhere
    ("oauth_access_token", "account_id"): Fate.GONE,
    ("oauth_client", "owner_id"): Fate.GONE,
    ("oauth_grant", "account_id"): Fate.GONE,
    ("password_invitation", "account_id"): Fate.GONE,
    ("preference", "account_id"): Fate.GONE,
    ("project", "owner_id"): Fate.KEPT,  # before: drafts to which nobody else contributed are removed
    ("review", "account_id"): Fate.GONE,
    ("session", "account_id"): Fate.GONE,
    ("social_link", "account_id"): Fate.GONE,
    ("volunteer", "account_id"): Fate.KEPT,  # contributions go on counting, under a random mark
}
"""By table and column."""
