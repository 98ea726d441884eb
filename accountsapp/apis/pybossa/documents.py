"""What the account pages say of themselves at ``/docs/pybossa``."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from accountsapp.apis.pybossa import (
    community_views,
    examples,
    leaving_views,
    own_views,
    profile_views,
    recovery_views,
    settings_views,
    visitor_views,
)
from accountsapp.apis.pybossa.answer_models import (
    Community,
    Enqueued,
    FormPage,
    NewsletterPage,
    NotSignedIn,
    Outcome,
    OwnProfile,
    OwnProjects,
    PublicProfile,
    Refusal,
    Sent,
    SettingsPage,
    SignInNeeded,
)
from accountsapp.apis.pybossa.examples import outcome
from accountsapp.apis.pybossa.schemas import (
    ExternalForm,
    ForgottenForm,
    ProfileForm,
    RegistrationForm,
    ResetForm,
    SignInForm,
)
from accountsapp.documents.document import (
    HTML,
    Answer,
    Document,
    Operation,
    Parameter,
    Refusals,
    Schema,
    busy,
)
from accountsapp.web.bodies import FORM, JSON

COMMUNITY, VISITORS, YOURS = "Community", "Registering and signing in", "Your account"
FORMS = (JSON, FORM)
ACTS = "GET does it too, for a program that proves that it means it; a page asks first."


class Registration(RegistrationForm):
    confirm: str = Field(description="The password again")


class Reset(ResetForm):
    confirm: str = Field(description="The password again")


class Update(ProfileForm, ExternalForm):
    """One of four forms, of which only its own fields count."""

    btn: Literal["Profile", "Upload", "Password", "External"]
    avatar: str | None = Field(None, json_schema_extra={"format": "binary"}, description="Of `Upload`")
    current_password: str | None = Field(None, description="Of `Password`")
    new_password: str | None = Field(None, description="Of `Password`")
    confirm: str | None = Field(None, description="Of `Password`: the new one again")


class Subscription(BaseModel):
    subscribe: Literal["true", "false"] | None = None


class Following(BaseModel):
    next: str | None = Field(None, description="A path of this site to go on to")


class MailedKey(BaseModel):
    key: str = Field(description="The code of the mailed link")


def _page(schema: Schema, example: Any) -> dict[int, Answer]:
    return {200: Answer("As JSON, or as a page.", schema, example, also=(HTML,))}


NO_LINK = {403: Answer("The link is not good any more.", Refusal, also=(HTML,))}

DOCUMENT = Document(
    title="PYBOSSA",
    description="""
The account pages of a crowdsourcing site. They are pages for browsers; who prefers JSON (`Accept`,
`Content-Type`, or `response_format=json` in the query) has the same as JSON. A form that is refused comes
back with `errors`, as 200.

A session's cookie counts. Where something is changed, the token of any form (`csrf`) goes into `X-CSRFToken`.
""",
    operations={
        community_views.show_first_page: Operation(
            COMMUNITY, "Who is here", _page(Community, examples.COMMUNITY)
        ),
        community_views.show_page: Operation(
            COMMUNITY, "Who is here: a further page", _page(Community, examples.COMMUNITY)
        ),
        profile_views.show_profile: Operation(
            COMMUNITY,
            "What an account shows",
            _page(OwnProfile | PublicProfile, examples.PROFILE),
            "To its owner it shows more.",
            example={"username": "bob"},
        ),
        profile_views.show_own_profile: Operation(
            YOURS,
            "Your profile",
            _page(OwnProfile | NotSignedIn, {"next": "/account/signin", "status": "not_signed_in"}),
        ),
        profile_views.show_projects: Operation(YOURS, "Your projects", _page(OwnProjects, examples.PROJECTS)),
        settings_views.show_settings: Operation(
            YOURS, "Your settings", _page(SettingsPage, examples.SETTINGS)
        ),
        settings_views.update: Operation(
            YOURS,
            "Change your settings",
            _page(Outcome | SettingsPage, outcome("Your profile has been updated!", "/account/admin/update")),
            body=Update,
            example={"btn": "Profile", "fullname": "Ada M."},
        ),
        settings_views.ask_for_new_key: Operation(
            YOURS, "The form for a new API key", _page(FormPage, {"form": {"csrf": examples.TOKEN}})
        ),
        settings_views.reset_key: Operation(
            YOURS,
            "Replace your API key",
            _page(Outcome, outcome("New API-KEY generated", "/account/admin")),
            "Your profile shows it.",
        ),
        own_views.newsletter: Operation(
            YOURS,
            "Subscribe to the newsletter",
            _page(Outcome | NewsletterPage, outcome("You are subscribed to our newsletter")),
            ACTS,
            query=Subscription,
            example={"subscribe": "true"},
        ),
        own_views.confirm_email: Operation(
            YOURS,
            "Have a link mailed that proves your address",
            _page(Outcome, outcome("Your e-mail address is already valid.", "/account/admin/", "info")),
            ACTS,
        ),
        leaving_views.export: Operation(
            YOURS,
            "Have an archive of your data mailed",
            _page(Outcome, outcome("GDPR export started", "/account/admin/")),
            ACTS,
        ),
        leaving_views.delete: Operation(
            YOURS, "Delete your account", _page(Enqueued, {"job": "enqueued", "template": None}), ACTS
        ),
        visitor_views.show_registration: Operation(
            VISITORS, "The form to register", _page(FormPage, examples.REGISTRATION), query=Following
        ),
        visitor_views.register: Operation(
            VISITORS,
            "Register",
            _page(Outcome | FormPage | Sent, outcome("Thanks for signing up")),
            refusals={403: Answer("Nobody may register here.", Refusal, also=(HTML,))},
            query=Following,
            body=Registration,
            media_types=FORMS,
            example={
                "fullname": "Carol Reed",
                "name": "carol",
                "email_addr": "carol@example.com",
                "password": "correct horse battery",
                "confirm": "correct horse battery",
            },
        ),
        visitor_views.confirm: Operation(
            VISITORS,
            "Use a mailed link",
            _page(
                Outcome,
                outcome("Your e-mail address is confirmed and the account is ready", "/account/signin"),
            ),
            ACTS,
            refusals=NO_LINK,
            query=MailedKey,
            example={"key": "the-code-of-the-mail"},
        ),
        visitor_views.show_sign_in: Operation(
            VISITORS, "The form to sign in", _page(FormPage | Outcome, examples.SIGN_IN), query=Following
        ),
        visitor_views.sign_in: Operation(
            VISITORS,
            "Sign in",
            _page(Outcome | FormPage, outcome("Welcome back Ada Min")),
            query=Following,
            body=SignInForm,
            media_types=FORMS,
            example={"email": "admin@example.com", "password": "correct horse battery"},
        ),
        visitor_views.sign_out: Operation(
            VISITORS,
            "Sign out",
            _page(Outcome, {**outcome("You are now signed out"), "message": "You are now signed out"}),
            ACTS,
            query=Following,
        ),
        recovery_views.show_forgotten: Operation(
            VISITORS, "The form for a forgotten password", _page(FormPage, examples.FORGOTTEN)
        ),
        recovery_views.ask_for_mail: Operation(
            VISITORS,
            "Forgotten password: have a link mailed",
            _page(FormPage, examples.MAILED),
            body=ForgottenForm,
            media_types=FORMS,
            example={"email_addr": "admin@example.com"},
        ),
        recovery_views.show_reset: Operation(
            VISITORS,
            "The form for a new password",
            _page(FormPage, examples.RESET),
            refusals=NO_LINK,
            query=MailedKey,
            example={"key": "the-code-of-the-mail"},
        ),
        recovery_views.reset: Operation(
            VISITORS,
            "Set a new password",
            _page(Outcome | FormPage, outcome("You reset your password successfully!")),
            refusals=NO_LINK,
            query=MailedKey,
            body=Reset,
            media_types=FORMS,
            example={
                "key": "the-code-of-the-mail",
                "new_password": "another horse battery",
                "confirm": "another horse battery",
            },
        ),
        visitor_views.change_password: Operation(
            YOURS,
            "Where a password manager sends people (RFC 8615)",
            {303: Answer("To the settings.", headers={"Location": "Their URL"})},
        ),
    },
    refusals=Refusals(
        everywhere={
            303: Answer("For a page: it goes on to another one.", headers={"Location": "Its URL"}),
            400: Answer("The request cannot be read.", Refusal, also=(HTML,)),
            403: Answer("It is not meant, or not allowed.", Refusal, also=(HTML,)),
            **busy(Refusal, also=(HTML,)),
        },
        of_credentials={401: Answer("Sign in first.", SignInNeeded, also=(HTML,))},
        of_bodies={
            413: Answer("The body is too large.", Refusal, also=(HTML,)),
            415: Answer("The body, or the form in it, is not understood.", Refusal, also=(HTML,)),
        },
        of_names={404: Answer("There is nobody, or nothing, of that name.", Refusal, also=(HTML,))},
    ),
    names={
        "username": Parameter("The name of an account, in any case", "admin"),
        "number": Parameter("The number of a page, from 1", "1"),
    },
)
