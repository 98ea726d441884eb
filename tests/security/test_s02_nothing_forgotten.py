"""S02: every registered URL stands in an access matrix, or below with the reason why it is open."""

from webtest import TestApp

from accountsapp.tree import OPEN, rows
from tests.security import test_s01_amo_matrix as amo
from tests.security import test_s01_bookie_matrix as bookie
from tests.security import test_s01_check_matrix as check
from tests.security import test_s01_dockerhub_matrix as dockerhub
from tests.security import test_s01_oauth_matrix as oauth
from tests.security import test_s01_openedx_matrix as openedx
from tests.security import test_s01_pages_matrix as pages
from tests.security import test_s01_pybossa_matrix as pybossa

OPEN_URLS = {
    "/": "home: open to everybody, with the name of who is signed in",
    "/.well-known/oauth-authorization-server": "what the authorization server can: the same for everybody",
    "/.well-known/oauth-authorization-server/api/v1.1/o": "the same",
    "/uploads/default/{size}.png": "stands for the picture of those who have none",
    "/uploads/{container}/{picture}": "pictures are public; their names cannot be guessed",
    "/docs": "the documents of the APIs: the same for everybody",
    "/docs/{document}": "the same",
    "/favicon.ico": "the icon: the same for everybody",
    "/static/{file}": "what pages load: the same for everybody",
    "/exports/{code}": "a mailed code is the credential",
    "/healthz": "whether the process runs",
    "/readyz": "whether the database answers",
    "/metrics": "counts, for the addresses of accountsapp.metrics_from",
    "/api/keys/v1/pattern": "what a key looks like: the same for everybody",
    "/api/certificates": "not offered: 404 for everybody",
    "/api/edx_name_affirmation": "the same",
    "/api/notifications": "the same",
    "/api/user/v1/account/login_session": "where one signs in",
    "/api/user/v2/account/login_session": "the same",
    "/csrf/api/v1/token": "a visitor's token is needed to sign in",
    "/oauth2/access_token": "the client proves itself to the protocol",
    "/password_reset": "who forgot the password has no credential",
    "/user_api/v1/account/registration": "what forms offer: the same for everybody",
    "/user_api/v1/preferences/time_zones": "the same",
    "/ping": "says where the API is",
    "/api/v1/ping": "says that a name is missing",
    "/api/v1/suspend": "who forgot the password has no credential; a mailed code is one",
    "/recovery/{username}/reset/{code}": "a mailed code is the credential",
    "/confirm/email/{code}": "a mailed code is the credential",
    "/confirm/address/{code}": "a mailed code is the credential",
    "/users/unsubscribe/{token}/{hash}/{notification}": "a mailed hash is the credential",
    "/confirm/registration/{code}": "a mailed code is the credential",
    "/account": "the community: everybody sees it",
    "/account/page/{number}": "the same",
    "/account/profile": "says who is signed in, also that nobody is",
    "/account/{username}": "what everybody sees of somebody",
    "/account/register": "who has no account makes one",
    "/account/register/confirmation": "a mailed code is the credential",
    "/account/signin": "who is not signed in has no credential yet",
    "/account/signout": "done to whatever session there is, also none",
    "/account/forgot-password": "who forgot the password has no credential",
    "/account/reset-password": "a mailed code is the credential",
}

IN_A_MATRIX = {
    *((operation.method, operation.path) for operation in (*amo.OPERATIONS, *amo.OPEN)),
    *((operation.method, operation.path) for operation in bookie.OPERATIONS),
    *((operation.method, operation.path) for operation in dockerhub.OPERATIONS),
    *check.OPERATIONS,
    *openedx.OPERATIONS,
    *((operation.method, operation.path) for operation in pybossa.OPERATIONS),
    *((page.method, page.path) for page in oauth.PAGES),
    *((page.method, page.path) for page in pages.PAGES),
    *(("POST", path) for path in oauth.ENDPOINTS),
}


def test_s02_every_url_is_in_a_matrix_or_open_for_a_reason(app: TestApp) -> None:
    registered = {(method, row.path) for row in rows(app.app.registry) for method in row.methods}
    assert {(method, path) for method, path in registered if path not in OPEN_URLS} == IN_A_MATRIX


def test_s02_what_is_listed_as_open_is_there_and_open(app: TestApp) -> None:
    needed: dict[str, set[str]] = {}
    for row in rows(app.app.registry):
        needed.setdefault(row.path, set()).add(row.permission)
    assert {path: needed.get(path) for path in OPEN_URLS} == {path: {OPEN} for path in OPEN_URLS}
