"""What the Docker Hub API says of itself at ``/docs/dockerhub``."""

from typing import Literal

from pydantic import Field

from accountsapp.apis.dockerhub import views
from accountsapp.apis.dockerhub.schemas import Address, AddressChange, ProfileChange
from accountsapp.documents.document import (
    EMPTY,
    Answer,
    Document,
    Operation,
    Parameter,
    Refusals,
    Shown,
    bad_bodies,
    busy,
    shown,
    unauthenticated,
)
from accountsapp.web.bodies import FORM, JSON

USER, ADDRESSES = "User", "E-mail addresses"
BODIES = (JSON, FORM)


class User(Shown):
    id: int
    username: str
    url: str
    date_joined: str = Field(description="`2026-01-15T10:00:00.000000Z`")
    type: Literal["User"]
    full_name: str
    location: str
    company: str
    profile_url: str
    gravatar_url: str
    email: str
    is_active: bool


class Email(Shown):
    email: str
    verified: bool
    primary: bool


class Refusal(Shown):
    detail: str


class ProofNeeded(Refusal):
    code: Literal["verification_required"] | None = None


Problems = dict[str, list[str]] | Refusal
"""By field, what is wrong with it."""

ADMIN = {
    "id": 1,
    "username": "admin",
    "url": "http://accounts.example.org/api/v1.1/users/admin/",
    "date_joined": "2026-01-15T10:00:00.000000Z",
    "type": "User",
    "full_name": "Ada Min",
    "location": "",
    "company": "",
    "profile_url": "",
    "gravatar_url": "",
    "email": "admin@example.com",
    "is_active": True,
}
BAD_VALUES = {400: Answer("The request cannot be read, or values are refused: by field.", Problems)}

DOCUMENT = Document(
    title="Docker Hub",
    description="""
One's own account and its e-mail addresses, as Docker Hub had them: by name and password (Basic), or by an
access token of the authorization server with the scope that the call needs.
""",
    operations={
        views.read_user: Operation(USER, "Read your account", shown(User, ADMIN)),
        views.update_user: Operation(
            USER,
            "Change your account",
            shown(User, {**ADMIN, "location": "London"}),
            'What is left out stays; `""` clears.',
            refusals=BAD_VALUES,
            body=ProfileChange,
            media_types=BODIES,
            example={"location": "London"},
        ),
        views.list_emails: Operation(
            ADDRESSES,
            "List your addresses",
            shown(list[Email], [{"email": "admin@example.com", "verified": True, "primary": True}]),
        ),
        views.add_email: Operation(
            ADDRESSES,
            "Add an address",
            shown(Email, {"email": "ada@example.com", "verified": False, "primary": False}, 201),
            "It is mailed a link that confirms it.",
            refusals=BAD_VALUES,
            body=Address,
            media_types=BODIES,
            example={"email": "ada@example.com"},
        ),
        views.update_email: Operation(
            ADDRESSES,
            "Confirm an address, make it the primary one",
            shown(Email, {"email": "ada@example.com", "verified": True, "primary": True}),
            "A public client cannot vouch for an address: 403, and a link is mailed.",
            refusals={
                **BAD_VALUES,
                403: Answer("Not enough, or the address must be confirmed first.", ProofNeeded),
            },
            body=AddressChange,
            media_types=BODIES,
            example={"email": "ada@example.com", "verified": True, "primary": True},
        ),
        views.remove_email: Operation(
            ADDRESSES,
            "Remove an address",
            EMPTY,
            "Not the primary one.",
            refusals=BAD_VALUES,
            body=Address,
            media_types=BODIES,
            example={"email": "ada@example.com"},
        ),
    },
    refusals=Refusals(
        everywhere={
            400: Answer("The request cannot be read.", Refusal),
            **busy(Refusal),
        },
        of_credentials={
            401: unauthenticated(Refusal, {"detail": "Authentication is required."}),
            403: Answer("It is not enough.", Refusal),
        },
        of_bodies=bad_bodies(Refusal, "The body is larger than 1 MiB."),
        of_names={404: Answer("There is nothing of that name, or it is not yours.", Refusal)},
    ),
    names={"username": Parameter("The name of an account, in any case", "admin")},
)
