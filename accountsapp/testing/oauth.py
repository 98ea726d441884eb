"""What tests of the Docker Hub API and of the authorization server share."""

from base64 import b64encode, urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from webtest import TestApp

from accountsapp.domain.data.models import Job
from accountsapp.domain.mailing import notices
from accountsapp.domain.mailing.notices import Notice
from accountsapp.domain.oauth import clients, tokens
from accountsapp.domain.oauth.scopes import Scope
from accountsapp.mail import path_of
from accountsapp.process import Process
from accountsapp.testing.people import PASSWORD, SITE_URL, Person

ALL = tuple(scope.value for scope in Scope)
CALLBACK = "https://client.example.com/callback"
VERIFIER = "v" * 50
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ISSUER = f"{SITE_URL}/api/v1.1/o"
AUTHORIZE = "/api/v1.1/o/authorize/"
TOKEN = "/api/v1.1/o/token/"
REVOKE = "/api/v1.1/o/revoke/"
INTROSPECT = "/api/v1.1/o/introspect/"
APPLICATIONS = "/api/v1.1/o/applications/"


def basic(username: str, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{username}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def issue(stores: Process, person: Person | None, *scopes: str, **options: Any) -> str:
    """An access token, without any client unless one is named."""
    with stores.transaction() as store:
        account_id = person.id if person is not None else None
        return tokens.issue_by_hand(store, account_id, scopes or ALL, **options)


class Client:
    """A registered OAuth client and what it does."""

    def __init__(self, stores: Process, *, confidential: bool = False, **options: Any) -> None:
        options.setdefault("redirect_uris", [CALLBACK])
        options.setdefault("scopes", list(Scope))
        self.confidential = confidential
        with stores.transaction() as store:
            name = options.pop("name", "Test client")
            row, self.secret = clients.register(store, name, confidential=confidential, **options)
            self.id, self.client_id = row.id, row.client_id
        self.identity = {"client_id": self.client_id}
        if self.secret is not None:
            self.identity["client_secret"] = self.secret

    def query(self, **changes: str | None) -> str:
        """The URL of an authorization request; None leaves a parameter out."""
        parameters = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "profile_read email_read",
            "state": "a b&c=d/é",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return AUTHORIZE + "?" + urlencode({k: v for k, v in parameters.items() if v is not None})

    def code(self, app: TestApp, username: str = "alice", **changes: str | None) -> str:
        """Signs in where needed, consents, and has the code."""
        answer = app.get(self.query(**changes))
        if "password" in answer.form.fields:
            answer = sign_in(answer, username)
        answer = answer.form.submit("decision", value="allow")
        return sent_back(answer)["code"]

    def exchange(self, app: TestApp, code: str, /, status: Any = 200, **changes: str | None) -> Any:
        parameters = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            **self.identity,
            **changes,
        }
        parameters = {k: v for k, v in parameters.items() if v is not None}
        return app.post(TOKEN, parameters, status=status)

    def tokens(self, app: TestApp, username: str = "alice", **changes: str | None) -> dict[str, Any]:
        return self.exchange(app, self.code(app, username, **changes)).json

    def refresh(self, app: TestApp, token: str, status: Any = 200, **changes: str) -> Any:
        parameters = {"grant_type": "refresh_token", "refresh_token": token, **self.identity, **changes}
        return app.post(TOKEN, parameters, status=status)


def sign_in(answer: Any, username: str = "alice", password: str = PASSWORD) -> Any:
    form = answer.form
    form["username"], form["password"] = username, password
    return form.submit().follow()


def sent_back(answer: Any) -> dict[str, str]:
    """What the browser takes to the client."""
    assert answer.status_int in (302, 303)
    return dict(parse_qsl(urlsplit(answer.location).query))


def works(app: TestApp, token: str, username: str = "alice") -> bool:
    answer = app.get(f"/api/v1.1/users/{username}/", headers=bearer(token), expect_errors=True)
    assert answer.status_int in (200, 401)
    return answer.status_int == 200


def mails(stores: Process) -> list[tuple[str, str, dict[str, Any]]]:
    """Every mail that is queued: which, to whom, with what."""
    with stores.transaction() as store:
        jobs = store.session.query(Job).filter(Job.name == notices.SEND_MAIL).order_by(Job.id)
        return [(job.payload["notice"], *notices.unseal(store.keyring, job.payload)) for job in jobs]


def mailed_path(stores: Process) -> str:
    """The link of the last mail, without its origin."""
    notice, _to, values = mails(stores)[-1]
    return path_of(Notice(notice), values)
