"""What records of a file have in common: strict JSON objects, checked as a whole."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from accountsapp.domain.errors import InvalidValue
from accountsapp.strict_json import BadJson, has_unstorable_text, read_object

LARGEST_RECORD = 1024 * 1024
"""Bytes of a record's columns as JSON."""

_MOMENT = re.compile(
    r"\d{4}(?:-\d\d-\d\d|\d{4})"
    r"(?:[T ]\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_PLAIN_NAME = re.compile(r"[\w.-]{0,60}", re.ASCII)


class BadRecord(ValueError):
    """A record breaks its rules; the text names every key at fault and never shows a value."""


def checked(check: Callable[[str], str]) -> AfterValidator:
    """A rule of the domain as a rule of the model."""

    def checked_value(value: str) -> str:
        try:
            return check(value)
        except InvalidValue as error:
            raise ValueError(str(error)) from None

    return AfterValidator(checked_value)


def _moment(value: object) -> object:
    """An ISO 8601 date or time as an aware one in UTC; one without a zone is in UTC."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value) if _MOMENT.fullmatch(value) else None
        utc = moment and (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        utc = None
    if utc is None or not 1000 <= utc.year <= 9998:
        raise ValueError("must be an ISO 8601 time such as 2011-04-07T17:50:18Z")
    return utc


def iso_text(moment: datetime) -> str:
    """A moment in UTC as records have it, which :data:`Moment` reads."""
    return f"{moment.replace(tzinfo=None).isoformat()}Z"


def _flag(value: object) -> object:
    """0 and 1 for a boolean: databases say so."""
    return bool(value) if type(value) is int and value in (0, 1) else value


Flag = Annotated[bool, BeforeValidator(_flag)]
Moment = Annotated[datetime, BeforeValidator(_moment)]


class Strict(BaseModel):
    """An object that has no other keys, whose values are of just those types."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    nullable: ClassVar[frozenset[str]] = frozenset()
    """The keys of which null is a value; for every other optional one it is "not given"."""

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {
            key: item
            for key, item in value.items()
            if item is not None or key in cls.nullable or not _is_optional(cls, key)
        }


def _is_optional(model: type[BaseModel], key: str) -> bool:
    field = model.model_fields.get(key)
    return field is not None and not field.is_required()


def read_line(data: bytes | None) -> dict[str, Any]:
    """The JSON object of a line that :func:`accountsapp.strict_json.read_lines` gave.

    :raises BadRecord: says what is wrong with it
    """
    if data is None:
        raise BadRecord("is longer than 4 MiB")
    try:
        return read_object(data)
    except BadJson as error:
        raise BadRecord(str(error)) from None


def check_size(line: bytes, columns: Callable[[], dict[str, Any]]) -> None:
    """Measured as it is stored, so that what was imported can be exported and imported again.

    :raises BadRecord: it is larger than :data:`LARGEST_RECORD`
    """
    if len(line) <= LARGEST_RECORD // 8:  # a number may be stored four times as long as it was written
        return
    stored = json.dumps(columns(), ensure_ascii=False, separators=(",", ":"), default=str)
    if len(stored.encode()) > LARGEST_RECORD:
        raise BadRecord("is larger than 1 MiB")


def check_texts(value: dict[str, Any]) -> None:
    """
    :raises BadRecord: a text cannot be stored; names the keys
    """
    if has_unstorable_text(value):
        at_fault = [key for key in value if has_unstorable_text(value[key])]
        raise BadRecord(
            "; ".join(f"{printable(key)}: has NUL or half a surrogate pair in it" for key in at_fault)
        )


def all_errors(error: ValidationError) -> str:
    """Every key at fault and what is wrong with it, without a value."""
    return "; ".join(
        dict.fromkeys(_one_error(problem) for problem in error.errors(include_url=False, include_input=False))
    )


def _one_error(problem: Any) -> str:
    where = printable(".".join(str(part) for part in problem["loc"]))
    match problem["type"]:
        case "extra_forbidden":
            return f"{where}: unknown key"
        case "missing":
            return f"{where}: is required"
    text = problem["msg"].removeprefix("Value error, ")
    return f"{where}: {text}" if where else text


def about(text: str, username: object) -> str:
    """What is wrong with a record, and whose it is where it says so."""
    return f"{text} ({printable(username)})" if isinstance(username, str) and username else text


def printable(name: str) -> str:
    """A key of the record as part of a message: short and printable, whatever it is."""
    return name if _PLAIN_NAME.fullmatch(name) else f"{name!a:.60}"
