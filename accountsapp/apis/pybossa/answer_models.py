"""The members of the answers of the account pages, for their document."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from accountsapp.documents.document import Shown


class PictureInfo(Shown):
    """Where the picture is."""

    avatar: str | None
    avatar_url: str | None
    container: str


class Person(Shown):
    fullname: str
    info: PictureInfo
    locale: str | None
    name: str


class Member(Person):
    created: str
    rank: int | None
    registered_ago: str | None
    score: int | None
    task_runs: int | None


class Project(Shown):
    description: str | None
    info: dict[str, Any]
    n_tasks: int
    n_volunteers: int
    name: str
    overall_progress: int
    short_name: str


class OwnProject(Project):
    id: int
    owner_id: int


class FeedItem(BaseModel):
    """Something that happened: what it is of says `action_updated`."""

    model_config = ConfigDict(extra="allow")

    action_updated: Literal["User", "Project", "UserContribution"]
    updated: float = Field(description="Seconds since 1970")


class Pagination(Shown):
    next: bool
    page: int
    per_page: int
    prev: bool
    total: int


class Page(Shown):
    template: str
    title: str


class Community(Page):
    accounts: list[Member]
    pagination: Pagination
    top_users: list[Member]
    total: int
    update_feed: list[FeedItem]


class PublicUser(Person):
    created: str
    n_answers: int
    rank: int | None
    registered_ago: str
    score: int


class OwnInfo(PictureInfo):
    """With what else is stored."""

    model_config = ConfigDict(extra="allow")


class OwnUser(PublicUser):
    """What somebody sees of himself."""

    admin: bool
    api_key: str | None
    confirmation_email_sent: bool
    email_addr: str
    facebook_user_id: Any
    google_user_id: Any
    twitter_user_id: Any
    id: int
    info: OwnInfo
    total: int
    valid_email: bool


class PublicProfile(Page):
    projects_contrib: list[Project]
    projects_created: list[Project]
    user: PublicUser


class OwnProjects(Page):
    projects_draft: list[OwnProject]
    projects_published: list[OwnProject]


class OwnProfile(OwnProjects):
    projects_contrib: list[Project]
    projects_created: list[Project]
    user: OwnUser


class NotSignedIn(Shown):
    next: str
    status: Literal["not_signed_in"]


class Form(BaseModel):
    """The fields with what they hold, the token, and what is wrong by field."""

    model_config = ConfigDict(extra="allow")

    csrf: str
    errors: dict[str, list[str]] = {}


class FormPage(Shown):
    """A form; once sent, with what came of it."""

    form: Form
    template: str | None = None
    title: str | None = None
    auth: dict[str, bool] | None = None
    next: str | None = None
    flash: str | list[str] | None = None
    status: str | None = None


class SettingsPage(Page):
    flash: str | None
    form: Form
    password_form: Form
    show_passwd_form: bool
    upload_form: Form
    status: str | None = None


class NewsletterPage(Page):
    next: str


class Sent(Page):
    status: Literal["sent"]


class Outcome(Shown):
    """What came of it, and where to go on."""

    flash: str | None = None
    message: str | None = None
    next: str
    status: str | None = None


class Enqueued(Shown):
    job: Literal["enqueued"]
    template: None


class Refusal(Shown):
    code: int
    description: str
    template: str


class SignInNeeded(Refusal):
    next: str
    status: Literal["not_signed_in"]
