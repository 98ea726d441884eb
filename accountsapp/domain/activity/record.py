"""The activity record (``docs/activity.rst``): one JSON object, of which ``kind`` says what it is."""

import json
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from accountsapp.domain.rules.folding import fold
from accountsapp.domain.rules.text import has_control_characters
from accountsapp.domain.transfer.fields import BadRecord, Flag, Moment, Strict, all_errors, check_texts

LONGEST_NAME = 255
MOST_AUTHORS = 100
MOST_TASKS = 2**31 - 1
BEST_RATING = 5


def _printable(value: str) -> str:
    if has_control_characters(value):
        raise ValueError("has control characters")
    return value


def _task(value: object) -> object:
    if type(value) is int or (isinstance(value, str) and 1 <= len(value) <= LONGEST_NAME):
        return value if isinstance(value, int) else _printable(value)
    raise ValueError(f"must be a number or a text of 1 to {LONGEST_NAME} characters")


Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_printable)]
Username = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Rating = Annotated[float, Field(ge=0, le=BEST_RATING)]


class ProjectRecord(Strict):
    """A project; its identity is ``short_name``."""

    nullable = frozenset({"owner"})

    kind: Literal["project"]
    short_name: Name
    owner: Username | None = None
    name: Name | None = None
    description: str = ""
    info: dict[str, Any] = {}
    published: Flag = False
    n_tasks: Annotated[int, Field(ge=0, le=MOST_TASKS)] = 0
    created: Moment | None = None


class ContributionRecord(Strict):
    """A contribution; its identity is all but the time."""

    kind: Literal["contribution"]
    username: Username
    project: Name
    task: Annotated[Any, BeforeValidator(_task)]
    created: Moment | None = None

    @property
    def task_key(self) -> str:
        """The task as JSON: a number and a text of the same digits are two."""
        return json.dumps(self.task, ensure_ascii=False)


class AuthorRecord(Strict):
    """One author of an add-on."""

    username: Username
    role: Literal["owner", "developer"] = "developer"


class AddonRecord(Strict):
    """An add-on; its identity is ``slug``."""

    nullable = frozenset({"average_rating"})

    kind: Literal["addon"]
    slug: Name
    type: Literal["extension", "theme"] | None = None
    listed: Flag = False
    approved: Flag = False
    average_rating: Rating | None = None
    authors: Annotated[list[AuthorRecord], Field(max_length=MOST_AUTHORS)] = []

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len({fold(author.username) for author in self.authors}) < len(self.authors):
            raise ValueError("authors: an account is given twice")
        return self


class ReviewRecord(Strict):
    """A review; its identity is who wrote it about which add-on."""

    nullable = frozenset({"rating", "body"})

    kind: Literal["review"]
    username: Username
    addon: Name
    rating: Rating | None = None
    body: str | None = None


class CollectionRecord(Strict):
    """A collection; its identity is whose it is and ``slug``."""

    nullable = frozenset({"name"})

    kind: Literal["collection"]
    username: Username
    slug: Name
    name: str | None = None


Record = ProjectRecord | ContributionRecord | AddonRecord | ReviewRecord | CollectionRecord

_MODELS: dict[str, type[Record]] = {
    "project": ProjectRecord,
    "contribution": ContributionRecord,
    "addon": AddonRecord,
    "review": ReviewRecord,
    "collection": CollectionRecord,
}


def parse(value: dict[str, Any]) -> Record:
    """The record that a JSON object is.

    :raises BadRecord: names every key at fault
    """
    check_texts(value)
    if "kind" not in value:
        raise BadRecord("kind: is required")
    kind = value["kind"]
    model = _MODELS.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise BadRecord(f"kind: must be one of {', '.join(_MODELS)}")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise BadRecord(all_errors(error)) from None


def values_of(record: Record, *keys: str) -> dict[str, Any]:
    """Those of the keys that the record has, with their values."""
    return {key: getattr(record, key) for key in keys if key in record.model_fields_set}


def usernames_of(record: Record) -> list[str]:
    """The accounts that it names, folded."""
    match record:
        case ProjectRecord():
            return [fold(record.owner)] if record.owner is not None else []
        case AddonRecord():
            return [fold(author.username) for author in record.authors]
        case _:
            return [fold(record.username)]
