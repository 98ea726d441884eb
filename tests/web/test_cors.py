"""CORS is said on the root, and stands on every answer."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from webtest import TestApp

from accountsapp.web.answers import empty_answer
from accountsapp.web.cors import ANY, Cors
from accountsapp.web.resources import ApiRoot
from tests.support.throwaway import add_view, added, mount

LISTED, OTHER = "https://app.example.org", "https://evil.example"


class Listed(ApiRoot):
    cors = Cors(
        origins=lambda settings: settings.cors_origins,
        allowed_headers=("authorization", "x-csrftoken"),
        allows_asked_headers=True,
        exposed_headers=("Retry-After", "X-Request-Id"),
        credentials=True,
    )


class Anybody(ApiRoot):
    cors = Cors(origins=ANY)


def fail(_context: Any, _request: Any) -> None:
    raise LookupError


def setup(config: Any) -> None:
    for root in (Listed, Anybody):
        mount(config, f"/cors/{root.__name__}", root)
        add_view(config, lambda _context, _request: {}, context=root)
        add_view(config, lambda _context, _request: empty_answer(), context=root, name="empty")
        add_view(config, fail, context=root, name="broken")


@pytest.fixture
def app(monkeypatch: Any, make_app: Callable[..., Any]) -> Iterator[TestApp]:
    with added(monkeypatch, setup):
        yield TestApp(make_app(**{"accountsapp.cors_origins": LISTED}))


def cors_headers(answer: Any) -> dict[str, str]:
    return {
        name.lower(): value for name, value in answer.headers.items() if name.startswith("Access-Control")
    }


PATHS = (("", 200), ("empty", 204), ("broken", 500), ("unknown", 404))


@pytest.mark.parametrize(("path", "status"), PATHS)
def test_every_answer_tells_a_listed_origin(path: str, status: int, app: TestApp) -> None:
    for method in ("GET", "HEAD"):
        url, headers = f"/cors/Listed/{path}", {"Origin": LISTED}
        answer = app.request(url, method=method, headers=headers, expect_errors=True)
        assert answer.status_int == status
        assert cors_headers(answer) == {
            "access-control-allow-origin": LISTED,
            "access-control-allow-credentials": "true",
            "access-control-expose-headers": "Retry-After, X-Request-Id",
            "access-control-allow-headers": "authorization, x-csrftoken",
        }
        assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(("path", "status"), PATHS)
@pytest.mark.parametrize("origin", [OTHER, "null", "", f"{LISTED}.evil.example", LISTED.upper(), None])
def test_s29_no_other_origin_is_told(origin: str | None, path: str, status: int, app: TestApp) -> None:
    headers = {} if origin is None else {"Origin": origin}
    answer = app.get(f"/cors/Listed/{path}", headers=headers, expect_errors=True)
    assert (answer.status_int, cors_headers(answer), answer.headers["Vary"]) == (status, {}, "Origin")


def test_a_preflight(app: TestApp) -> None:
    headers = {
        "Origin": LISTED,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "X-CSRFToken, x-further,,",
    }
    answer = app.options("/cors/Listed/", headers=headers)
    said = cors_headers(answer)
    assert answer.status_int == 204
    assert said["access-control-allow-headers"] == "authorization, x-csrftoken, x-further"
    assert said["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
    assert int(said["access-control-max-age"]) > 0
    assert cors_headers(app.options("/cors/Listed/", headers={**headers, "Origin": OTHER})) == {}


def test_anybody_without_credentials(app: TestApp) -> None:
    for path, status in PATHS:
        answer = app.get(f"/cors/Anybody/{path}", headers={"Origin": OTHER}, expect_errors=True)
        assert answer.status_int == status
        assert cors_headers(answer) == {"access-control-allow-origin": "*"}


def test_s29_credentials_never_go_to_anybody() -> None:
    with pytest.raises(TypeError):
        Cors(origins=ANY, credentials=True)
