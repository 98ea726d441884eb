"""What an exception means, where an API does not say so itself."""

from typing import Any, cast

from accountsapp.web.failures import failure_of
from accountsapp.web.fields import InvalidFields

REQUEST = cast(Any, None)
"""Of which only what is not foreseen has a need."""


def test_values_that_are_not_acceptable() -> None:
    error = InvalidFields({"location": ["This must be a text."], "name": ["Too long."]})
    failure = failure_of(error, REQUEST)
    assert (failure.status, failure.text) == (400, "This must be a text.")
