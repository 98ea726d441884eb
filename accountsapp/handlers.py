"""What the worker can do: the features whose handlers and clearings are registered by their import."""

from accountsapp import mail
from accountsapp.domain import audit
from accountsapp.domain.accounts import administration, confirming, lifecycle, password_invitations
from accountsapp.domain.activity import community
from accountsapp.domain.credentials import jwt_keys, key_expiry, key_memory, recovery, sessions
from accountsapp.domain.emails import changing
from accountsapp.domain.job_handlers import CLEARINGS, HANDLERS
from accountsapp.domain.mailing import links
from accountsapp.domain.oauth import grants
from accountsapp.domain.pictures import keeping
from accountsapp.domain.transfer import archives

FEATURES = (
    administration,
    archives,
    audit,
    changing,
    community,
    confirming,
    grants,
    jwt_keys,
    keeping,
    key_expiry,
    key_memory,
    lifecycle,
    links,
    mail,
    password_invitations,
    recovery,
    sessions,
)

__all__ = ["CLEARINGS", "FEATURES", "HANDLERS"]
