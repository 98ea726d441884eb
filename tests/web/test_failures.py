"""What an exception means, where an API does not say so itself."""

from typing import Any, cast

from accountsapp.domain.errors import (
    DomainError,
    EmailNotFound,
    EmailTaken,
    InvalidValues,
    UnknownKey,
    UsernameTaken,
    WrongPassword,
)
from accountsapp.web.failures import NOT_POSSIBLE, failure_of
from accountsapp.web.fields import InvalidFields

REQUEST = cast(Any, None)
"""Of which only what is not foreseen has a need."""


def test_values_that_are_not_acceptable() -> None:
    error = InvalidFields({"location": ["This must be a text."], "name": ["Too long."]})
    failure = failure_of(error, REQUEST)
    assert (failure.status, failure.text) == (400, "This must be a text.")


REFUSALS: dict[DomainError, tuple[int, str]] = {
    EmailTaken(): (400, "That e-mail address is already taken."),
    InvalidValues([EmailTaken(), UsernameTaken()]): (
        400,
        "That e-mail address is already taken.; The user name is already taken",
    ),
    WrongPassword(): (400, NOT_POSSIBLE),
    EmailNotFound(): (404, "Not found."),
    UnknownKey(): (404, "Not found."),
}


def test_a_refusal_of_the_domain_is_no_fault_of_ours() -> None:
    """Whichever it is: an API may leave out what it has no words for."""
    failures = {error: failure_of(error, REQUEST) for error in REFUSALS}
    assert {error: (failure.status, failure.text) for error, failure in failures.items()} == REFUSALS
