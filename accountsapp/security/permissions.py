"""What a view may ask for."""

from enum import StrEnum


class Permission(StrEnum):
    """Named by what they open; a view names exactly one."""

    PROFILE_READ = "profile:read"
    """See what an account shows to others."""
    ACCOUNT_READ = "account:read"
    """See the account's own data."""
    ACCOUNT_WRITE = "account:write"
    """Change the account's own data, invite others in its name."""
    ACCOUNT_FIND = "account:find"
    """Find the account that has an e-mail address."""
    ACCOUNT_DELETE = "account:delete"
    """Delete the account."""
    ACCOUNT_CREATE = "account:create"
    """Make an account, and a session of it."""
    PICTURE_REMOVE = "picture:remove"
    """Remove the account's picture."""
    EMAIL_READ = "email:read"
    """See all of the account's e-mail addresses."""
    EMAIL_WRITE = "email:write"
    """Add, verify and remove the account's e-mail addresses."""
    CLIENTS_AUTHORIZE = "clients:authorize"
    """Let OAuth clients have access to one's account, and end it."""
    SESSIONS_BEGIN = "sessions:begin"
    """Go to where people sign in."""
    SESSIONS_WRITE = "sessions:write"
    """See where one is signed in, and end it."""
    KEYS_WRITE = "keys:write"
    """See and change one's named keys; no key and no token grants it."""
    ADMINISTER = "administer"
    """Administer all accounts."""
    KEY_READ = "key:read"
    """See the account's API key."""
    KEY_WRITE = "key:write"
    """Replace the account's API key."""
    KEY_END = "key:end"
    """End the API key that proves the caller."""
    PASSWORD_WRITE = "password:write"  # noqa: S105
    """Change the account's password, knowing the present one."""
    CALLER_READ = "caller:read"
    """See whose credential it is that one presents."""


OF_EVERY_CREDENTIAL = frozenset({Permission.CALLER_READ})
"""What every good credential grants, whatever its scopes."""


OWNER = (
    Permission.ACCOUNT_READ,
    Permission.ACCOUNT_WRITE,
    Permission.ACCOUNT_DELETE,
    Permission.PICTURE_REMOVE,
    Permission.EMAIL_READ,
    Permission.EMAIL_WRITE,
    Permission.KEY_READ,
    Permission.KEY_WRITE,
    Permission.KEY_END,
    Permission.PASSWORD_WRITE,
)
"""What an account may do with itself."""
