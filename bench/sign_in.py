"""Signing in with a password at the account pages, as their front end does."""

import json
import random
from collections.abc import Iterator
from http.client import HTTPConnection

from sqlalchemy import update

from accountsapp.db.database import Database
from accountsapp.domain.data.models import Account
from accountsapp.domain.passwords import Passwords
from accountsapp.settings import Settings
from bench.__main__ import some_client
from bench.client import Job, send
from bench.seed import PASSWORD, username

PATH = "/account/signin"


def give_passwords(url: str) -> bytes:
    """Give all accounts the password :data:`PASSWORD`, hashed at the cost that new ones are by default.

    :returns: its hash
    """
    hashed = Passwords(Settings.model_fields["bcrypt_rounds"].default).hash(PASSWORD)
    database = Database(url)
    with database.begin() as session:
        session.execute(update(Account).values(password_hash=hashed))
    database.dispose()
    return hashed.encode()


def sign_in_job(port: int, accounts: int) -> Job:
    """One visitor after the other, each from another address, who all have the form that one was given.

    :param port: of the server
    :param accounts: how many there are
    :raises AssertionError: nobody can sign in
    """
    connection = HTTPConnection("127.0.0.1", port)
    connection.request(
        "GET", PATH, headers={"Accept": "application/json", "Content-Type": "application/json"}
    )
    answer = connection.getresponse()
    token = json.load(answer)["form"]["csrf"]
    cookie = str(answer.headers["Set-Cookie"]).partition(";")[0]
    requests = _sign_ins(random.Random(10), accounts, f"X-CSRFToken: {token}\r\nCookie: {cookie}\r\n")
    head, _, body = next(requests).decode().partition("\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    connection.request("POST", PATH, body, headers)
    signed_in = json.load(connection.getresponse())
    assert signed_in["status"] == "success", signed_in
    connection.close()
    return Job("sign in", requests)


def _sign_ins(generator: random.Random, accounts: int, proofs: str) -> Iterator[bytes]:
    while True:
        name = username(generator.randrange(accounts) + 1)
        body = json.dumps({"email": name, "password": PASSWORD}).encode()
        headers = f"{proofs}X-Forwarded-For: {some_client(generator)}\r\n"
        yield send("POST", PATH, body, "application/json", headers)
