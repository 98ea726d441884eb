"""Native applications: redirect URIs on the loopback address match with any port (dockerhub 7.2)."""

import pytest
from webtest import TestApp

from accountsapp.process import Process
from accountsapp.testing.oauth import ISSUER, Client, sent_back, sign_in
from accountsapp.testing.people import Person

REGISTERED = [
    "http://127.0.0.1/cb",
    "http://127.0.0.1:8080/with?port=1",
    "http://[::1]/cb",
    "http://[::1]:9/",
    "http://127.0.0.1",
    "http://localhost:8080/cb",
    "https://127.0.0.1:8443/cb",
    "http://127.0.0.2:8080/cb",
]


@pytest.fixture
def native(stores: Process, alice: Person) -> Client:
    return Client(stores, redirect_uris=REGISTERED)


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:65535/cb",
        "http://127.0.0.1/cb",
        "http://127.0.0.1/with?port=1",
        "http://127.0.0.1:51004/with?port=1",
        "http://[::1]:51004/cb",
        "http://[::1]/",
        "http://127.0.0.1:3000",
        "http://localhost:8080/cb",
    ],
)
def test_any_port_of_the_loopback_address(app: TestApp, native: Client, uri: str) -> None:
    answer = sign_in(app.get(native.query(redirect_uri=uri))).form.submit("decision", value="allow")
    assert answer.location.startswith(uri + ("&" if "?" in uri else "?") + "code=")
    code = sent_back(answer)["code"]
    other = uri.replace("http://127.0.0.1", "http://127.0.0.1:4000").replace(":4000:", ":4")
    if other != uri:  # the code is bound to the URI as asked
        refused = native.exchange(app, code, 400, redirect_uri=other)
        assert refused.json["error"] == "invalid_grant"
    native.exchange(app, code, redirect_uri=uri)


def test_errors_go_to_the_uri_as_asked(app: TestApp, native: Client) -> None:
    answer = app.get(native.query(redirect_uri="http://[::1]:51004/cb", scope="unknown"))
    assert answer.location.startswith("http://[::1]:51004/cb?error=invalid_scope")
    assert sent_back(answer)["iss"] == ISSUER


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:0x50/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:100000/cb",
        "http://127.0.0.1:-1/cb",
        "http://127.0.0.1:٣/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://127.0.0.1:80.evil.example/cb",
        "http://127.0.0.1.evil.example:80/cb",
        "http://127.0.0.1:80\\@evil.example/cb",
        "http://user@127.0.0.1:80/cb",
        "http://127.0.0.1:80/cb/",
        "http://127.0.0.1:80/CB",
        "http://127.0.0.1:80/cb?x",
        "http://127.0.0.1:80/cb#x",
        "http://127.0.0.1:80/cb\n",
        "http://127.0.0.1:80//cb",
        "HTTP://127.0.0.1:80/cb",
        "https://127.0.0.1:80/cb",
        "http://127.1:80/cb",
        "http://127.0.0.2:80/cb",
        "http://localhost:80/cb",
        "http://[::2]:80/cb",
        "http://[0:0:0:0:0:0:0:1]:80/cb",
        "http://::1:80/cb",
    ],
)
def test_nothing_else_differs(app: TestApp, native: Client, uri: str) -> None:
    answer = app.get(native.query(redirect_uri=uri), status=400)
    assert answer.content_type == "text/html"
    assert "Location" not in answer.headers
