"""What the Bookie calls take, and what they show."""

from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema

from accountsapp.domain.accounts import administration
from accountsapp.domain.audit import AuditRow, Event
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.errors import InvalidUsername, InvalidValue
from accountsapp.domain.rules import emails, names, usernames
from accountsapp.domain.unset import UNSET, Unset
from accountsapp.web import fields
from accountsapp.web.bodies import Parameters
from accountsapp.web.fields import by_rule


class Update(BaseModel):
    """What call 2 may change; what was not given, or given as JSON null, stays."""

    name: Annotated[str | None, PlainValidator(by_rule(names.parse), str | None)] = Field(
        None, description="At most 255 characters on one line; empty clears it."
    )
    email: Annotated[str | Unset, PlainValidator(by_rule(emails.parse), str | None)] = Field(
        UNSET, description="Shown at once; in force when its owner has confirmed it."
    )

    def columns(self) -> dict[str, str | None]:
        """What was given, by column of the account."""
        return {"name": self.name} if "name" in self.model_fields_set else {}


def _number(name: str, least: int, most: int) -> PlainValidator:
    """A number in plain digits."""

    def parse(digits: object) -> int:
        if isinstance(digits, str) and digits.isascii() and digits.isdigit() and len(digits) <= 10:
            number = int(digits)
            if least <= number <= most:
                return number
        raise InvalidValue(name, f"{name} must be a number from {least} to {most}.")

    return PlainValidator(by_rule(parse), Annotated[int, Field(ge=least, le=most)])


class Slice(BaseModel):
    """Which part of a list."""

    limit: Annotated[int, _number("limit", 1, 1000)] = 1000
    offset: Annotated[int, _number("offset", 0, 2**31 - 1)] = 0


def _order(order: object) -> str:
    if order not in administration.ORDERS:
        raise InvalidValue("order", f"The order must be one of {', '.join(administration.ORDERS)}.")
    return str(order)


class SortedSlice(Slice):
    """Which part of a list that can be sorted in several ways."""

    order: Annotated[
        str,
        PlainValidator(by_rule(_order)),
        WithJsonSchema({"type": "string", "enum": [*administration.ORDERS]}),
    ] = "username"


def _new_username(username: object) -> str:
    if not isinstance(username, str):
        raise InvalidUsername("The user name is missing")
    return usernames.check_new(username.strip().lower())


class NewUser(BaseModel):
    """An account that an administrator adds; both in lower case."""

    username: Annotated[str, PlainValidator(by_rule(_new_username), str)]
    email: Annotated[str, PlainValidator(by_rule(emails.parse), str)]


class InviteNumber(BaseModel):
    """How many invitations an account is given."""

    count: Annotated[int, _number("count", 0, administration.MOST_INVITES)]


class LogQuery(BaseModel):
    """Which events: of the last ``days``, with that ``status``, with ``message`` in theirs."""

    days: Annotated[int, _number("days", 1, 400)] = 1
    status: Annotated[Any, WithJsonSchema({"type": "string", "enum": ["0", "1"]})] = Field(
        None, description="`1`: refused, `0`: done."
    )
    message: Annotated[Any, WithJsonSchema({"type": "string"})] = Field(
        "", description="A part of the event's name."
    )

    def events(self) -> list[Event]:
        """The kinds of events that are asked for."""
        return [
            event
            for event in Event
            if self.status in (None, _status(event)) and str(self.message) in event.value
        ]


Schema = TypeVar("Schema", bound=BaseModel)


def load(schema: type[Schema], parameters: Parameters) -> Schema:
    """The parameters as that schema: body over query, JSON null is not given.

    :raises InvalidFields: some are not acceptable
    """
    values = {name: parameters.last(name) for name in schema.model_fields}
    present = {name: value for name, value in values.items() if value is not None}
    needed = [name for name, field in schema.model_fields.items() if field.is_required()]
    return fields.load(schema, dict.fromkeys(needed) | present)


class OwnColumns(NamedTuple):
    """What an account shows of itself."""

    name: str | None
    signup_text: str | None
    last_login_text: str | None


class AdminColumns(NamedTuple):
    """What an account shows to administrators."""

    name: str | None
    signup_text: str | None
    last_login_text: str | None
    invite_ct: int
    invited_by: str | None


def show_full(account: AccountRow, profile: AdminColumns) -> dict[str, Any]:
    """What administrators see of an account."""
    return {
        "username": account.username,
        "name": profile.name,
        "email": account.email,
        "activated": account.activated,
        "is_admin": account.is_admin,
        "signup": _spaced(profile.signup_text),
        "last_login": _spaced(profile.last_login_text),
        "invite_ct": profile.invite_ct,
        "invited_by": profile.invited_by,
    }


def show_log(row: AuditRow) -> dict[str, Any]:
    """An event, as clients of the old log read it."""
    return {
        "user": row.account,
        "component": "account",
        "status": _status(row.event),
        "message": row.event,
        "payload": row.detail,
        "tstamp": row.at.isoformat(" ", "seconds")[:19],
    }


def _status(event: str) -> str:
    failed = event in (Event.SIGN_IN_FAILED, Event.REFUSED, Event.REFUSED_AGAIN, Event.PASSWORD_WRONG)
    return "1" if failed else "0"


def show_account(account: AccountRow, profile: OwnColumns) -> dict[str, Any]:
    """The six keys that the owner sees."""
    return {
        "username": account.username,
        "name": profile.name,
        "signup": _spaced(profile.signup_text),
        "activated": account.activated,
        "last_login": _spaced(profile.last_login_text),
        "email": account.shown_email,
    }


def _spaced(time: str | None) -> str | None:
    """``YYYY-MM-DD HH:MM:SS``, UTC, of the time as the database writes it."""
    return f"{time[:10]} {time[11:19]}" if time is not None else None
