"""What is shown of an account: all of it, or what it shares with others."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from accountsapp.apis.openedx.fields import GENDERS, LEVELS_OF_EDUCATION, VISIBILITY
from accountsapp.apis.openedx.settings import Settings
from accountsapp.domain.accounts import preferences
from accountsapp.domain.accounts.preferences import Preferences
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.rules import countries, languages
from accountsapp.domain.rules.privacy import Privacy, effective
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
    signup: datetime | None
    created: datetime


def show(request: Request, accounts: Iterable[AccountRow], *, shared: bool) -> list[dict[str, Any]]:
    """Each account as the caller may see it.

    :param shared: show no more than others see, also of the caller's own
    """
    rows = list(accounts)
    settings = request.app_settings.section(Settings)
    preferred = preferences.of_accounts(request.store.latest, [account.id for account in rows])
    shown = []
    for account in rows:
        privacy = _privacy_of(settings, account.profile)
        view = show_all(request, settings, account, preferred[account.id], privacy)
        if shared or not _sees_all(request, account):
            names = _shared_fields(settings, privacy, preferred[account.id])
            view = {name: value for name, value in view.items() if name in names}
        shown.append(view)
    return shown


def show_all(
    request: Request, settings: Settings, account: AccountRow, preferred: Preferences, privacy: Privacy
) -> dict[str, Any]:
    """The nineteen keys of an account."""
    profile: AccountColumns = account.profile
    needs_consent = settings.needs_consent(profile.year_of_birth)
    return {
        "username": account.username,
        "name": profile.name or "",
        "email": account.email,
        "bio": profile.biography,
        "goals": profile.goals,
        "mailing_address": profile.mailing_address,
        "language": profile.language,
        "gender": _known(profile.gender, GENDERS),
        "level_of_education": _known(profile.level_of_education, LEVELS_OF_EDUCATION),
        "country": _known(profile.country, countries.codes()),
        "year_of_birth": profile.year_of_birth,
        "language_proficiencies": _proficiencies(profile.language_proficiencies),
        "account_privacy": privacy.value,
        "date_joined": _seconds(profile.signup or profile.created),
        "is_active": account.activated,
        "profile_image": _image_of(request, settings, account, needs_consent=needs_consent),
        "requires_parental_consent": needs_consent,
        "accomplishments_shared": settings.badges,
        "social_links": [
            {"platform": platform, "social_link": url} for platform, url in sorted(preferred.links.items())
        ],
    }


def _image_of(
    request: Request, settings: Settings, account: AccountRow, *, needs_consent: bool
) -> dict[str, Any]:
    site, stem = request.app_settings, account.profile.picture
    if stem is None or needs_consent:
        urls = {size.name: default_image_url(site, size.side) for size in settings.profile_image_sizes}
    else:
        urls = {
            size.name: square_url(site, account.id, stem, size.side) for size in settings.profile_image_sizes
        }
    has_image = stem is not None and not needs_consent
    return {"has_image": has_image, **{f"image_url_{name}": url for name, url in urls.items()}}


def _sees_all(request: Request, account: AccountRow) -> bool:
    return account.id == request.caller.account_id or request.caller.is_staff


def _privacy_of(settings: Settings, profile: AccountColumns) -> Privacy:
    return effective(
        profile.account_privacy,
        Privacy(settings.default_visibility),
        needs_consent=settings.needs_consent(profile.year_of_birth),
    )


def _shared_fields(settings: Settings, privacy: Privacy, preferred: Preferences) -> set[str]:
    shared = set(settings.public_fields)
    if privacy is Privacy.ALL_USERS:
        return shared.union(settings.shareable_fields)
    if privacy is Privacy.CUSTOM:
        offered = (*settings.shareable_fields, *settings.custom_shareable_fields)
        chosen = (name for name in offered if preferred.values.get(VISIBILITY + name) == Privacy.ALL_USERS)
        return shared.union(chosen)
    return shared


def _known(value: str | None, choices: Collection[str]) -> str | None:
    """A value that another API or an import may have left outside of the set is not shown."""
    return value if value is not None and value in choices else None


def _proficiencies(stored: list[Any]) -> list[dict[str, str]]:
    return [{"code": item["code"]} for item in stored if item.get("code") in languages.codes()]


def _seconds(moment: datetime) -> str:
    """``YYYY-MM-DDTHH:MM:SSZ``, UTC, fractions cut off."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
