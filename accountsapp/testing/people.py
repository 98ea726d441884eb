"""The people of the tests, and what their server is told."""

from dataclasses import dataclass

SECRET = "tests-only-" + "s" * 40
SITE_URL = "http://accounts.example.org"
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Person:
    """An account of a test, with what its owner knows."""

    id: int
    username: str
    email: str
    password: str | None
    api_key: str
