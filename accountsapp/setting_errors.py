"""What is wrong with settings, one line each: which one, what it must be; never its value."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

EMPTY = "must not be empty"
WORDS = {
    "missing": "is required",
    "too_short": EMPTY,
    "string_too_short": EMPTY,
    "bool_parsing": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "value_error": "{error}",
}
"""By pydantic's kind of error, whose own words are not for operators."""


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return name.upper().replace(".", "_")


def lines_of(error: "ValidationError", from_environment: Collection[str]) -> list[str]:
    """
    :param from_environment: names of the settings that the environment gives
    """
    return list(dict.fromkeys(_lines(error, from_environment)))


def _lines(error: "ValidationError", from_environment: Collection[str]) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        text = _in_words(problem)
        if not problem["loc"]:  # of several settings, whose names it has
            yield from text.splitlines()
            continue
        name = str(problem["loc"][0])
        source = f" ({variable_of(name)} in the environment)" if name in from_environment else ""
        yield f"{name}: {text}{source}"


def _in_words(problem: Any) -> str:
    words = WORDS.get(problem["type"], "is malformed").format(**problem.get("ctx", {}))
    return words.replace("'", "") if problem["type"] == "literal_error" else words
