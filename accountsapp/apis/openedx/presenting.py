"""What is shown of an account: all of it, or what it shares with others."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from accountsapp.apis.openedx.fields import FIELDS, GENDERS, LEVELS_OF_EDUCATION, VISIBILITY
from accountsapp.apis.openedx.settings import Settings
from accountsapp.domain.accounts import preferences
from accountsapp.domain.accounts.preferences import Preferences
from accountsapp.domain.clock import now
from accountsapp.domain.data.listings import listed
from accountsapp.domain.data.models import AccountState
from accountsapp.domain.data.rows import AccountRow, ListedAccount
from accountsapp.domain.rules import countries, languages
from accountsapp.domain.rules.privacy import Privacy, effective, requires_parental_consent
from accountsapp.settings import Settings as SiteSettings
from accountsapp.web.answers import JsonText, encode, encode_text
from accountsapp.web.request import Request
from accountsapp.web.uploads import default_image_url, square_url

NULL, EMPTY = "null", "[]"
NO_PREFERENCES = Preferences({}, {})


class AccountColumns(NamedTuple):
    """What an account shows."""

    name: str | None
    biography: str | None
    goals: str | None
    mailing_address: str | None
    language: str | None
    gender: str | None
    level_of_education: str | None
    country: str | None
    year_of_birth: int | None
    language_proficiencies_text: str
    account_privacy: str | None
    picture: str | None
    joined_text: str
    has_preferences: bool


class View(NamedTuple):
    """Some fields of an account.

    :ivar template: JSON with ``%s`` for the value of each
    :ivar values: how each value is made, as JSON
    """

    template: str
    values: tuple[Callable[["Shown"], str], ...]


class Shown(NamedTuple):
    """An account, and what the values of its fields are made of."""

    account: ListedAccount
    profile: AccountColumns
    preferred: Preferences
    privacy: Privacy
    needs_consent: bool
    by: "Presenter"


class Presenter:
    """Shows accounts by the settings of one site, of which it prepares what all answers have in common."""

    def __init__(self, site: SiteSettings) -> None:
        settings = site.section(Settings)
        self.site, self.settings = site, settings
        self.default_privacy = Privacy(settings.default_visibility)
        urls = {size.name: default_image_url(site, size.side) for size in settings.profile_image_sizes}
        self.default_image = _image(urls, has_image=False)
        """Of those who have no picture."""
        self._private = _fields(settings.public_fields)
        self._shared_by_all_users = _fields((*settings.public_fields, *settings.shareable_fields))
        self._may_be_shared = (*settings.shareable_fields, *settings.custom_shareable_fields)
        self.shares_addresses = "email" in (*settings.public_fields, *self._may_be_shared)
        """Whether somebody's address may be shown to others."""

    def show_one(self, request: Request, account: AccountRow, *, shared: bool) -> JsonText:
        """As :meth:`show_all`, of one account."""
        (view,) = self._views(request, [listed(account)], shared=shared)
        return JsonText(view)

    def show_all(self, request: Request, accounts: Sequence[ListedAccount], *, shared: bool) -> JsonText:
        """The JSON of each account as the caller may see it.

        :param shared: show no more than others see, also of the caller's own
        """
        return JsonText(f"[{', '.join(self._views(request, accounts, shared=shared))}]")

    def _views(self, request: Request, accounts: Sequence[ListedAccount], *, shared: bool) -> Iterator[str]:
        ids = [account.id for account in accounts if account.profile.has_preferences]
        preferred = preferences.of_accounts(request.store.latest, ids) if ids else {}
        this_year, own, is_staff = now().year, request.caller.account_id, request.caller.is_staff
        for account in accounts:
            shown = self._shown(account, preferred.get(account.id, NO_PREFERENCES), this_year)
            sees_all = not shared and (is_staff or account.id == own)
            view = ALL_FIELDS if sees_all else self._shared_view(shown)
            yield view.template % tuple([value(shown) for value in view.values])

    def _shown(self, account: ListedAccount, preferred: Preferences, this_year: int) -> Shown:
        profile, limit = account.profile, self.settings.parental_consent_age_limit
        needs_consent = requires_parental_consent(profile.year_of_birth, limit, this_year)
        privacy = effective(profile.account_privacy, self.default_privacy, needs_consent=needs_consent)
        return Shown(account, profile, preferred, privacy, needs_consent, self)

    def _shared_view(self, shown: Shown) -> View:
        if shown.privacy is Privacy.ALL_USERS:
            return self._shared_by_all_users
        if shown.privacy is Privacy.PRIVATE:
            return self._private
        values = shown.preferred.values
        chosen = (name for name in self._may_be_shared if values.get(VISIBILITY + name) == Privacy.ALL_USERS)
        return _fields((*self.settings.public_fields, *chosen))


def _image(urls: dict[str, str], *, has_image: bool) -> str:
    return encode({"has_image": has_image, **{f"image_url_{name}": url for name, url in urls.items()}})


def _image_of(shown: Shown) -> str:
    stem, site = shown.profile.picture, shown.by.site
    if stem is None or shown.needs_consent:
        return shown.by.default_image
    sizes = shown.by.settings.profile_image_sizes
    urls = {size.name: square_url(site, shown.account.id, stem, size.side) for size in sizes}
    return _image(urls, has_image=True)


def _text(value: str | None) -> str:
    return encode_text(value) if value is not None else NULL


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _known(value: str | None, choices: Collection[str]) -> str:
    """A value that another API or an import may have left outside of the set is not shown."""
    return encode_text(value) if value is not None and value in choices else NULL


def _proficiencies(stored: str) -> str:
    if stored == EMPTY:
        return EMPTY
    known = languages.codes()
    return encode([{"code": item["code"]} for item in json.loads(stored) if item.get("code") in known])


def _links(links: dict[str, str]) -> str:
    if not links:
        return EMPTY
    return encode([{"platform": platform, "social_link": url} for platform, url in sorted(links.items())])


VALUES: dict[str, Callable[[Shown], str]] = {
    "username": lambda shown: encode_text(shown.account.username),
    "name": lambda shown: encode_text(shown.profile.name or ""),
    "email": lambda shown: _text(shown.account.email),
    "bio": lambda shown: _text(shown.profile.biography),
    "goals": lambda shown: _text(shown.profile.goals),
    "mailing_address": lambda shown: _text(shown.profile.mailing_address),
    "language": lambda shown: _text(shown.profile.language),
    "gender": lambda shown: _known(shown.profile.gender, GENDERS),
    "level_of_education": lambda shown: _known(shown.profile.level_of_education, LEVELS_OF_EDUCATION),
    "country": lambda shown: _known(shown.profile.country, countries.codes()),
    "year_of_birth": lambda shown: encode(shown.profile.year_of_birth),
    "language_proficiencies": lambda shown: _proficiencies(shown.profile.language_proficiencies_text),
    "account_privacy": lambda shown: encode_text(shown.privacy),
    "date_joined": lambda shown: encode_text(shown.profile.joined_text),
    "is_active": lambda shown: _flag(shown.account.state == AccountState.ACTIVE),
    "profile_image": _image_of,
    "requires_parental_consent": lambda shown: _flag(shown.needs_consent),
    "accomplishments_shared": lambda shown: _flag(shown.by.settings.badges),
    "social_links": lambda shown: _links(shown.preferred.links),
}
"""How the JSON of each field is made. What is not shown is not made: others see few of the nineteen."""


def _fields(names: Iterable[str]) -> View:
    """The view that has those fields."""
    once = tuple(dict.fromkeys(names))
    template = ", ".join(f"{encode(name)}: %s" for name in once)
    return View(f"{{{template}}}", tuple(VALUES[name] for name in once))


ALL_FIELDS = _fields(FIELDS)


def presenter_of(request: Request) -> Presenter:
    """That of the site."""
    presenter: Presenter = request.registry.openedx_presenter
    return presenter
