"""What is shown of an account: all of it, or what it shares with others."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from accountsapp.apis.openedx.fields import FIELDS, GENDERS, LEVELS_OF_EDUCATION, VISIBILITY, years_of_birth
from accountsapp.apis.openedx.settings import Settings
from accountsapp.domain.clock import now
from accountsapp.domain.data.json_texts import object_of
from accountsapp.domain.data.models import AccountState
from accountsapp.domain.data.rows import AccountRow
from accountsapp.domain.rules import countries, languages
from accountsapp.domain.rules.privacy import Privacy, effective, requires_parental_consent
from accountsapp.settings import Settings as SiteSettings
from accountsapp.web.answers import JsonText, encode, encode_text
from accountsapp.web.request import Request
from accountsapp.web.uploads import default_image_url, square_url

NULL, EMPTY = "null", "[]"


class AccountColumns(NamedTuple):
    """What an account shows, but for its address.

    One statement reads all of it, also what decides who may see what: no answer mixes two moments.
    """

    id: int
    username: str
    state: str
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
    custom_preferences_text: str | None
    social_links_text: str | None


Addresses = Mapping[int, str]
"""By the id of the account; of those whose address the caller may see."""


class View(NamedTuple):
    """Some fields of an account.

    :ivar template: JSON with ``%s`` for the value of each
    :ivar values: how each value is made, as JSON
    """

    template: str
    values: tuple[Callable[["Shown"], str], ...]


class Shown(NamedTuple):
    """An account, and what else the values of its fields are made of."""

    account: AccountColumns
    email: str | None
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
        self._views = {
            Privacy.PRIVATE: _view(settings.public_fields),
            Privacy.ALL_USERS: _view((*settings.public_fields, *settings.shareable_fields)),
        }
        """What others see."""
        self._may_be_shared = (*settings.shareable_fields, *settings.custom_shareable_fields)
        self.shares_addresses = "email" in (*settings.public_fields, *self._may_be_shared)
        """Whether somebody's address may be shown to others."""

    def show_one(self, request: Request, account: AccountRow, *, shared: bool) -> JsonText:
        """As :meth:`show_all`, of one account with these columns."""
        addresses = {account.id: account.email}
        (text,) = self._texts(request, [account.profile], addresses, shared=shared)
        return JsonText(text)

    def show_all(
        self, request: Request, accounts: Sequence[AccountColumns], addresses: Addresses, *, shared: bool
    ) -> JsonText:
        """The JSON of each account as the caller may see it.

        :param shared: show no more than others see, also of the caller's own
        """
        return JsonText(f"[{', '.join(self._texts(request, accounts, addresses, shared=shared))}]")

    def _texts(
        self, request: Request, accounts: Sequence[AccountColumns], addresses: Addresses, *, shared: bool
    ) -> Iterator[str]:
        this_year, caller = now().year, request.caller
        own = caller.account_id if not shared else None
        sees_every_account = caller.is_staff and not shared
        for account in accounts:
            account_id = account.id
            privacy, needs_consent = self._privacy(account.year_of_birth, account.account_privacy, this_year)
            if sees_every_account or account_id == own:
                view = FULL_VIEW
            else:
                view = self._views.get(privacy) or self._custom_view(account)
            shown = Shown(account, addresses.get(account_id), privacy, needs_consent, self)
            yield view.template % tuple([value(shown) for value in view.values])

    @lru_cache(1000)  # noqa: B019 there is one presenter of each site, as long as the process
    def _privacy(self, year_of_birth: int | None, chosen: str | None, this_year: int) -> tuple[Privacy, bool]:
        """The effective privacy, and whether consent is required."""
        limit = self.settings.parental_consent_age_limit
        needs_consent = requires_parental_consent(year_of_birth, limit, this_year)
        return effective(chosen, self.default_privacy, needs_consent=needs_consent), needs_consent

    def _custom_view(self, account: AccountColumns) -> View:
        values = object_of(account.custom_preferences_text)
        chosen = (name for name in self._may_be_shared if values.get(VISIBILITY + name) == Privacy.ALL_USERS)
        return _view((*self.settings.public_fields, *chosen))


def _image(urls: dict[str, str], *, has_image: bool) -> str:
    return encode({"has_image": has_image, **{f"image_url_{name}": url for name, url in urls.items()}})


def _image_of(shown: Shown) -> str:
    stem, site = shown.account.picture, shown.by.site
    if stem is None or shown.needs_consent:
        return shown.by.default_image
    sizes = shown.by.settings.profile_image_sizes
    urls = {size.name: square_url(site, shown.account.id, stem, size.side) for size in sizes}
    return _image(urls, has_image=True)


def _text(value: str | None) -> str:
    return encode_text(value) if value is not None else NULL


def _year(value: int | None) -> str:
    return str(value) if value is not None and value in years_of_birth() else NULL


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


def _links(stored: str | None) -> str:
    if stored is None:
        return EMPTY
    links = sorted(object_of(stored).items())
    return encode([{"platform": platform, "social_link": url} for platform, url in links])


VALUES: dict[str, Callable[[Shown], str]] = {
    "username": lambda shown: encode_text(shown.account.username),
    "name": lambda shown: encode_text(shown.account.name or ""),
    "email": lambda shown: _text(shown.email),
    "bio": lambda shown: _text(shown.account.biography),
    "goals": lambda shown: _text(shown.account.goals),
    "mailing_address": lambda shown: _text(shown.account.mailing_address),
    "language": lambda shown: _text(shown.account.language),
    "gender": lambda shown: _known(shown.account.gender, GENDERS),
    "level_of_education": lambda shown: _known(shown.account.level_of_education, LEVELS_OF_EDUCATION),
    "country": lambda shown: _known(shown.account.country, countries.codes()),
    "year_of_birth": lambda shown: _year(shown.account.year_of_birth),
    "language_proficiencies": lambda shown: _proficiencies(shown.account.language_proficiencies_text),
    "account_privacy": lambda shown: encode_text(shown.privacy),
    "date_joined": lambda shown: encode_text(shown.account.joined_text),
    "is_active": lambda shown: _flag(shown.account.state == AccountState.ACTIVE),
    "profile_image": _image_of,
    "requires_parental_consent": lambda shown: _flag(shown.needs_consent),
    "accomplishments_shared": lambda shown: _flag(shown.by.settings.badges),
    "social_links": lambda shown: _links(shown.account.social_links_text),
}
"""How the JSON of each field is made. What is not shown is not made: others see few of the nineteen."""


def _view(names: Iterable[str]) -> View:
    """The view that has those fields."""
    once = tuple(dict.fromkeys(names))
    template = ", ".join(f"{encode(name)}: %s" for name in once)
    return View(f"{{{template}}}", tuple(VALUES[name] for name in once))


FULL_VIEW = _view(FIELDS)


def presenter_of(request: Request) -> Presenter:
    """That of the site."""
    presenter: Presenter = request.registry.openedx_presenter
    return presenter
