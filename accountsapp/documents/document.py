"""What an API says of itself for its document, beside what the code says already.

Its paths, methods, credentials, media types and schemas are read from the application: here stand the words,
the answers and the examples.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

JSON = "application/json"
HTML = "text/html"
WHOLE = "body"
"""Stands in an example for the name of a body that is no object."""
View = Callable[..., Any]
Schema = Any
"""A pydantic model, or another type that pydantic can describe, such as a list of one."""


class Shown(BaseModel):
    """The members of an answer, all of them."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Answer:
    """What a status means.

    :ivar schema: of its body; None where it has none
    :ivar example: a body as the application sends it
    :ivar media_type: of the body
    :ivar also: further media types that it may have, whose bodies are texts
    :ivar headers: by name, what they say
    """

    description: str
    schema: Schema | None = None
    example: Any = None
    media_type: str = JSON
    also: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def shown(schema: Schema, example: Any, status: int = 200) -> dict[int, Answer]:
    """What is answered where all went well."""
    return {status: Answer("Done.", schema, example)}


EMPTY = {204: Answer("Done.")}
PAGE = {200: Answer("A page for people.", str, media_type=HTML)}
RETRY = {"Retry-After": "Seconds to wait"}


def busy(error: Schema, also: tuple[str, ...] = ()) -> dict[int, Answer]:
    """What every operation may answer who is asked too often, or has no room."""
    return {
        429: Answer("Too often.", error, also=also, headers=RETRY),
        503: Answer("Busy.", error, also=also, headers=RETRY),
    }


def bad_bodies(
    error: Schema, largest: str = "The body is too large.", also: tuple[str, ...] = ()
) -> dict[int, Answer]:
    """What is answered to a body that is not read.

    :param largest: what is said of one that is too large
    """
    return {
        413: Answer(largest, error, also=also),
        415: Answer("The body has a type that is not understood.", error, also=also),
    }


def unauthenticated(error: Schema, example: Any, challenge: str = "Which ones count") -> Answer:
    """401, of an API that takes credentials from headers.

    :param challenge: what ``WWW-Authenticate`` says
    """
    return Answer("No credential, or a bad one.", error, example, headers={"WWW-Authenticate": challenge})


@dataclass(frozen=True)
class Parameter:
    """A name in a path.

    :ivar example: what stands in the examples
    """

    description: str
    example: str


@dataclass(frozen=True)
class Operation:
    """What a view does, wherever it is registered.

    :ivar tag: the heading that it stands under
    :ivar answers: by status, where it did what was asked; the first one is that of the example
    :ivar refusals: by status, what it refuses besides :attr:`Document.refusals`
    :ivar query: the parameters of the query string
    :ivar body: the fields of the body
    :ivar media_types: of the body, where not all that the place takes make sense
    :ivar example: by name, the values of an example request, whatever place they have in it; a body that is
        no object under :data:`WHOLE`
    :ivar without: the statuses of :attr:`Document.refusals` that cannot be
    :ivar open_to_all: whether it answers without a credential too, although it names a permission
    """

    tag: str
    summary: str
    answers: Mapping[int, Answer]
    description: str = ""
    refusals: Mapping[int, Answer] = field(default_factory=dict)
    query: Schema | None = None
    body: Schema | None = None
    media_types: tuple[str, ...] = ()
    example: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[int, ...] = ()
    open_to_all: bool = False


@dataclass(frozen=True)
class Refusals:
    """What operations may answer in place of what was asked, by status.

    :ivar everywhere: of every operation
    :ivar of_credentials: where a credential is needed
    :ivar of_bodies: where a body is read
    :ivar of_names: where the path has a name that may be nobody's
    """

    everywhere: Mapping[int, Answer] = field(default_factory=dict)
    of_credentials: Mapping[int, Answer] = field(default_factory=dict)
    of_bodies: Mapping[int, Answer] = field(default_factory=dict)
    of_names: Mapping[int, Answer] = field(default_factory=dict)


@dataclass(frozen=True)
class Document:
    """One API.

    :ivar description: CommonMark
    :ivar operations: by view
    :ivar names: what the names in paths are, such as ``username``
    :ivar schemes: by kind of credential, its Security Scheme Object, where the kind is the API's own
    """

    title: str
    description: str
    operations: Mapping[View, Operation]
    refusals: Refusals = field(default_factory=Refusals)
    names: Mapping[str, Parameter] = field(default_factory=dict)
    schemes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
