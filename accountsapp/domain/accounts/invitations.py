"""Invitations: an account invites somebody by mail, who then has an account of one's own."""

from contextlib import suppress
from datetime import timedelta

from accountsapp.domain.accounts import registration
from accountsapp.domain.audit import Event
from accountsapp.domain.clock import now
from accountsapp.domain.data.models import AccountState
from accountsapp.domain.emails import changing, strangers
from accountsapp.domain.errors import InvalidEmail, NoInvitesLeft
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.rules import emails, usernames
from accountsapp.domain.store import Store

INVITATION_LIFE = 3 * 24 * 3600
"""Seconds that the code of an invitation works."""


def invite(store: Store, inviter_id: int, email: object) -> str:
    """Make a pending account named by its address, and mail it a code; costs one invitation.

    :returns: the address
    :raises NoInvitesLeft: looked at first, so that the call tells nothing about other accounts
    :raises InvalidEmail, InvalidUsername, EmailTaken, UsernameTaken: the invitation is kept
    :raises TooManyAttempts: too many mails to strangers
    """
    with strangers.counted(store, inviter_id):
        return _invite(store, inviter_id, email)


def _invite(store: Store, inviter_id: int, email: object) -> str:
    session = store.session
    with suppress(InvalidEmail):  # told later
        changing.lock_waiting(store, emails.key_of(emails.parse(email)), inviter_id)
    inviter = store.lock(inviter_id)
    if inviter.invite_ct < 1:
        raise NoInvitesLeft
    address = usernames.check_imported(emails.parse(email))
    invited = registration.register(
        store,
        address,
        address,
        state=AccountState.PENDING,
        invited_by=inviter.username,
        event=Event.INVITED,
    )
    inviter.invite_ct -= 1
    code = links.make(session, invited, Purpose.RESET, address, INVITATION_LIFE)
    store.notify(
        invited,
        Notice.INVITATION,
        inviter=inviter.username,
        code=code,
        expires=now() + timedelta(seconds=INVITATION_LIFE),
    )
    session.flush()
    return address
