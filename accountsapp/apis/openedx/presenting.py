"""What is shown of an account: all of it, or what it shares with others."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from accountsapp.apis.openedx.fields import FIELDS, GENDERS, LEVELS_OF_EDUCATION, VISIBILITY
from accountsapp.apis.openedx.settings import Settings
from accountsapp.domain.accounts import preferences
from accountsapp.domain.accounts.preferences import Preferences
from accountsapp.domain.clock import now
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.rules import countries, languages
from accountsapp.domain.rules.privacy import Privacy, effective
from accountsapp.settings import Settings as SiteSettings
from accountsapp.web.formats import seconds
from accountsapp.web.request import Request
from accountsapp.web.uploads import default_image_url, square_url


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
    language_proficiencies: list[Any]
    account_privacy: str | None
    picture: str | None
    joined: datetime


class Answer(NamedTuple):
    """What is the same for all accounts of one answer.

    :ivar default_image: of those that have no picture
    """

    site: SiteSettings
    settings: Settings
    this_year: int
    default_privacy: Privacy
    default_image: dict[str, Any]
    shared_by_all_users: tuple[str, ...]


class Shown(NamedTuple):
    """An account, and what the values of its fields are made of."""

    account: AccountRow
    profile: AccountColumns
    preferred: Preferences
    privacy: Privacy
    needs_consent: bool
    answer: Answer


def show(request: Request, accounts: Iterable[AccountRow], *, shared: bool) -> list[dict[str, Any]]:
    """Each account as the caller may see it.

    :param shared: show no more than others see, also of the caller's own
    """
    rows = list(accounts)
    preferred = preferences.of_accounts(request.store.latest, [account.id for account in rows])
    answer, caller = _answer_to(request), request.caller
    own, is_staff = caller.account_id, caller.is_staff
    views = []
    for account in rows:
        shown = _shown(answer, account, preferred[account.id])
        sees_all = not shared and (is_staff or account.id == own)
        names = FIELDS if sees_all else _shared_fields(shown)
        views.append({name: VALUES[name](shown) for name in names})
    return views


def _answer_to(request: Request) -> Answer:
    site = request.app_settings
    settings = site.section(Settings)
    urls = {size.name: default_image_url(site, size.side) for size in settings.profile_image_sizes}
    return Answer(
        site,
        settings,
        this_year=now().year,
        default_privacy=Privacy(settings.default_visibility),
        default_image=_image(urls, has_image=False),
        shared_by_all_users=(*settings.public_fields, *settings.shareable_fields),
    )


def _shown(answer: Answer, account: AccountRow, preferred: Preferences) -> Shown:
    profile: AccountColumns = account.profile
    needs_consent = answer.settings.needs_consent(profile.year_of_birth, answer.this_year)
    privacy = effective(profile.account_privacy, answer.default_privacy, needs_consent=needs_consent)
    return Shown(account, profile, preferred, privacy, needs_consent, answer)


def _shared_fields(shown: Shown) -> Iterable[str]:
    if shown.privacy is Privacy.ALL_USERS:
        return shown.answer.shared_by_all_users
    settings = shown.answer.settings
    if shown.privacy is Privacy.PRIVATE:
        return settings.public_fields
    offered, values = (*settings.shareable_fields, *settings.custom_shareable_fields), shown.preferred.values
    chosen = (name for name in offered if values.get(VISIBILITY + name) == Privacy.ALL_USERS)
    return (*settings.public_fields, *chosen)


def _image(urls: dict[str, str], *, has_image: bool) -> dict[str, Any]:
    return {"has_image": has_image, **{f"image_url_{name}": url for name, url in urls.items()}}


def _image_of(shown: Shown) -> dict[str, Any]:
    site, settings, stem = shown.answer.site, shown.answer.settings, shown.profile.picture
    if stem is None or shown.needs_consent:
        return shown.answer.default_image
    sizes = settings.profile_image_sizes
    urls = {size.name: square_url(site, shown.account.id, stem, size.side) for size in sizes}
    return _image(urls, has_image=True)


def _known(value: str | None, choices: Collection[str]) -> str | None:
    """A value that another API or an import may have left outside of the set is not shown."""
    return value if value is not None and value in choices else None


def _proficiencies(stored: list[Any]) -> list[dict[str, str]]:
    return [{"code": item["code"]} for item in stored if item.get("code") in languages.codes()]


def _links(links: dict[str, str]) -> list[dict[str, str]]:
    return [{"platform": platform, "social_link": url} for platform, url in sorted(links.items())]


VALUES: dict[str, Callable[[Shown], Any]] = {
    "username": lambda shown: shown.account.username,
    "name": lambda shown: shown.profile.name or "",
    "email": lambda shown: shown.account.email,
    "bio": lambda shown: shown.profile.biography,
    "goals": lambda shown: shown.profile.goals,
    "mailing_address": lambda shown: shown.profile.mailing_address,
    "language": lambda shown: shown.profile.language,
    "gender": lambda shown: _known(shown.profile.gender, GENDERS),
    "level_of_education": lambda shown: _known(shown.profile.level_of_education, LEVELS_OF_EDUCATION),
    "country": lambda shown: _known(shown.profile.country, countries.codes()),
    "year_of_birth": lambda shown: shown.profile.year_of_birth,
    "language_proficiencies": lambda shown: _proficiencies(shown.profile.language_proficiencies),
    "account_privacy": lambda shown: shown.privacy.value,
    "date_joined": lambda shown: seconds(shown.profile.joined),
    "is_active": lambda shown: shown.account.activated,
    "profile_image": _image_of,
    "requires_parental_consent": lambda shown: shown.needs_consent,
    "accomplishments_shared": lambda shown: shown.answer.settings.badges,
    "social_links": lambda shown: _links(shown.preferred.links),
}
"""How each field is made. A field that is not shown is not made: others see few of the nineteen."""
