"""What the forms of the page of keys take."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationInfo
from pyramid.traversal import resource_path

from accountsapp.domain.credentials import named_keys
from accountsapp.domain.credentials.named_keys import (
    DEFAULT_LIFETIME,
    LONGEST_DAYS,
    LONGEST_OVERLAP_HOURS,
    SHORTEST_DAYS,
)
from accountsapp.domain.errors import KeyNameTaken
from accountsapp.domain.rules import key_names, key_scopes
from accountsapp.domain.rules.key_scopes import PRESETS
from accountsapp.i18n import mark as _
from accountsapp.pages import kept_forms
from accountsapp.web.fields import InvalidFields, by_rule, invalid, load
from accountsapp.web.request import Request

CUSTOM = "custom"
"""The preset that says nothing: the scopes themselves count."""
NEVER = "never"
MOST_DIGITS = 4


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise invalid(_("This must be a text."))
    return key_names.parse(value)


def _preset(value: object) -> str:
    if not isinstance(value, str) or value not in (*PRESETS, CUSTOM):
        raise invalid(_("Please choose one of these."))
    return value


def _scopes(values: list[object], info: ValidationInfo) -> tuple[str, ...] | None:
    preset = info.data.get("preset")
    if preset != CUSTOM:
        return PRESETS.get(preset or "")
    return _ordered([value if isinstance(value, str) else "" for value in values])


def _lifetime(value: object) -> timedelta | None:
    if value == "":
        return DEFAULT_LIFETIME
    if value == NEVER:
        return None
    days = _whole_number(value)
    if days is None or not SHORTEST_DAYS <= days <= LONGEST_DAYS:
        raise invalid(_("The number of days must be between 1 and 3650."))
    return timedelta(days=days)


def _overlap(value: object) -> timedelta:
    hours = 0 if value == "" else _whole_number(value)
    if hours is None or hours > LONGEST_OVERLAP_HOURS:
        raise invalid(_("The number of hours must be between 0 and 168."))
    return timedelta(hours=hours)


def _whole_number(value: object) -> int | None:
    """Of plain digits; None for anything else."""
    if not isinstance(value, str) or not (value.isascii() and value.isdigit()) or len(value) > MOST_DIGITS:
        return None
    return int(value)


_ordered = by_rule(key_scopes.ordered)


class NewKeyForm(BaseModel):
    """A named key that is to be made.

    :ivar scopes: those of the preset, if it is another than :data:`CUSTOM`; None for all
    :ivar lifetime: None for no end
    """

    name: Annotated[str, BeforeValidator(by_rule(_name))]
    preset: Annotated[str, BeforeValidator(_preset)] = CUSTOM
    scopes: Annotated[tuple[str, ...] | None, BeforeValidator(_scopes), Field(alias="scope")]
    lifetime: Annotated[timedelta | None, BeforeValidator(_lifetime), Field(alias="expires_in")] = (
        DEFAULT_LIFETIME
    )


class RotationForm(BaseModel):
    """How long the key works on whose place another one takes."""

    overlap: Annotated[timedelta, BeforeValidator(_overlap)] = timedelta()


def load_new_key(request: Request) -> NewKeyForm:
    """The form for a new key.

    :raises InvalidFields: all that is wrong; then also whether another key has the name
    """
    values = values_of(request.parameters.body)
    try:
        return load(NewKeyForm, values)
    except InvalidFields as error:
        texts = error.texts
    if "name" not in texts:
        try:
            named_keys.check_name_free(request.store, request.actor.id, key_names.parse(values["name"]))
        except KeyNameTaken as error:
            texts = {"name": [str(error)], **texts}
    raise InvalidFields(texts)


def values_of(fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """What a form says: of a name given twice the last value, and all of ``scope``."""
    pairs = list(fields)
    return {**dict(pairs), "scope": [value for name, value in pairs if name == "scope"]}


def kept_values(request: Request) -> dict[str, Any] | None:
    """The form for a new key as this account sent it while one had to sign in or enter the password."""
    values = values_of(kept_forms.kept(request, resource_path(request.context, "add")))
    if values.get("account") != request.actor.username:
        return None
    return {"preset": CUSTOM, "expires_in": "", **values, "errors": {}}
