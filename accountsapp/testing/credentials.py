"""How a good credential of each kind is presented.

A kind is what ``accountsapp tree`` prints (``Credential.kind``). An API that accepts a new kind adds one
entry to :data:`PRESENTATIONS`, and the tests that walk every URL send it.
"""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlencode

import jwt

from accountsapp.domain.credentials import jwt_keys, sessions
from accountsapp.domain.credentials.jwt_keys import Issued
from accountsapp.domain.data import locking
from accountsapp.domain.oauth import clients, jwts
from accountsapp.domain.rules.key_scopes import PRESETS
from accountsapp.process import Process
from accountsapp.testing.named_keys import add_presets
from accountsapp.testing.oauth import ALL, basic, bearer, issue
from accountsapp.testing.people import SITE_URL, Person


class Holder(NamedTuple):
    """An account with everything that could prove it, and the token of its session against forgery.

    :ivar named: a named key of each preset
    """

    person: Person
    token: str
    signed_token: str
    cookie: str
    csrf_token: str
    signing: Issued
    named: Mapping[str, str]


class Shown(NamedTuple):
    """What a request shows of who is asking.

    :ivar fields: of the body, beside those of the operation
    :ivar encoding: of the body, where the credential asks for one
    """

    query: str = ""
    headers: Mapping[str, str] = {}
    fields: Mapping[str, str] = {}
    encoding: str | None = None


def hold(stores: Process, person: Person) -> Holder:
    """Everything anew."""
    holder = Holder(person, "", "", "", "", Issued("", ""), {})
    for renew in (renew_session, renew_tokens, renew_signing, renew_named):
        holder = renew(stores, holder)
    return holder


def renew_session(stores: Process, holder: Holder) -> Holder:
    with stores.transaction() as store:
        account = locking.lock(store.session, holder.person.id)
        cookie = sessions.begin(store.session, account, "127.0.0.1", by_password=True)
    return holder._replace(cookie=cookie, csrf_token=csrf_token(stores, cookie))


def renew_tokens(stores: Process, holder: Holder) -> Holder:
    token, signed_token = issue(stores, holder.person, *ALL), sign_token(stores, holder.person, ALL)
    return holder._replace(token=token, signed_token=signed_token)


def renew_signing(stores: Process, holder: Holder) -> Holder:
    with stores.transaction() as store:
        return holder._replace(signing=jwt_keys.issue(store, holder.person.id))


def renew_named(stores: Process, holder: Holder) -> Holder:
    return holder._replace(named=add_presets(stores, holder.person))


def sign_token(stores: Process, person: Person, scopes: Sequence[str]) -> str:
    """A signed token of a client that acts for that account, as ``/oauth2/access_token`` makes it."""
    with stores.transaction() as store:
        client, _secret = clients.register(store, "Signs", confidential=True, owner_id=person.id)
        subject = jwts.Subject(store.reader.by_id(person.id), None, client.client_id)
        issuer = jwts.Issuer(f"{SITE_URL}/oauth2", SITE_URL)
        claims = jwts.claims_of(subject, issuer, scopes, grant_type="client_credentials", seconds=3600)
    return jwts.sign(stores.keyring, claims)


def spoiled(holder: Holder) -> Holder:
    """The same person with nothing but bad credentials."""
    person = replace(holder.person, password="wrong", api_key="wrong")
    named = dict.fromkeys(PRESETS, "wrong")
    return Holder(person, "wrong", "wrong", "wrong", "wrong", Issued("wrong", "w" * 64), named)


def csrf_token(stores: Process, cookie: str) -> str:
    """What the forms of that session carry."""
    return urlsafe_b64encode(stores.keyring.digest("csrf", cookie)).decode().rstrip("=")


def session(cookie: str, token: str) -> Shown:
    return Shown(headers={"Cookie": f"sessionid={cookie}", "X-CSRFToken": token})


def visitor(stores: Process) -> Shown:
    """A browser that nobody signed in with."""
    cookie = sessions.new_value()
    return session(cookie, csrf_token(stores, cookie))


def in_header(name: str) -> Callable[[Holder], Shown]:
    """An API key in a header of its own."""
    return lambda holder: Shown(headers={name: holder.person.api_key})


def sign(signing: Issued, **claims: object) -> str:
    """A token of a client, as the tools of add-on developers make them.

    :param claims: others than usual; None leaves one out
    """
    moment = int(time.time())
    said = {"iss": signing.key, "iat": moment, "exp": moment + 60, **claims}
    return jwt.encode(
        {name: value for name, value in said.items() if value is not None}, signing.secret, "HS256"
    )


def by_jwt(signing: Issued, **claims: object) -> dict[str, str]:
    return {"Authorization": f"JWT {sign(signing, **claims)}"}


PRESENTATIONS: dict[str, Callable[[Holder], Shown]] = {
    "api_key": lambda holder: Shown(urlencode({"api_key": holder.person.api_key})),
    "x-api-key": in_header("X-Api-Key"),
    "proxied api_key": lambda holder: Shown(
        headers={"X-Original-URI": f"/app/?{urlencode({'api_key': holder.person.api_key})}"}
    ),
    "basic": lambda holder: Shown(headers=basic(holder.person.username, holder.person.password or "")),
    "bearer": lambda holder: Shown(headers=bearer(holder.token)),
    "signed token": lambda holder: Shown(headers={"Authorization": f"JWT {holder.signed_token}"}),
    "session header": lambda holder: Shown(headers={"Authorization": f"Session {holder.cookie}"}),
    "jwt": lambda holder: Shown(headers=by_jwt(holder.signing)),
    "session": lambda holder: session(holder.cookie, holder.csrf_token),
    "requested session": lambda holder: session(holder.cookie, holder.csrf_token)._replace(query="session=1"),
}


def present(kind: str, holder: Holder) -> Shown:
    """A good credential of that kind."""
    assert kind in PRESENTATIONS, (
        f"say in PRESENTATIONS of accountsapp.testing.credentials how a good {kind!r} is presented, "
        f"as PRESENTATIONS[{kind!r}] = in_header({kind.title()!r}) for a key in a header"
    )
    return PRESENTATIONS[kind](holder)
