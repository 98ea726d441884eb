"""What is shown of an account: each kind of answer lists its keys."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol

from accountsapp.domain.activity.community import Standing
from accountsapp.domain.data.reads import AccountRow
from accountsapp.domain.pictures import files
from accountsapp.domain.rules.text import is_blank
from accountsapp.domain.rules.web_urls import is_web_url
from accountsapp.settings import Settings
from accountsapp.web.uploads import picture_url

SECRET_ENDING = "_token"  # noqa: S105
"""Keys of stored ``info`` that are credentials at other services."""
PROVIDERS = ("facebook", "google", "twitter")


class Pictured(Protocol):
    """The columns that say which picture an account has."""

    @property
    def info(self) -> dict[str, Any]: ...

    @property
    def picture(self) -> str | None: ...


class Named(Protocol):
    """An account with the column of its name."""

    @property
    def username(self) -> str: ...

    @property
    def profile(self) -> Any: ...


def full_name(account: Named) -> str:
    """What somebody is called: the username where there is no name, or none that is seen."""
    name: str | None = account.profile.name
    return name if name and not is_blank(name) else account.username


def is_listed(account: AccountRow) -> bool:
    """Whether lists have it: a username that is an address is not published."""
    return account.activated and "@" not in account.username


def public_info(settings: Settings, account_id: int, columns: Pictured) -> dict[str, str | None]:
    """The three keys that say where the picture is."""
    if columns.picture is not None:
        return {
            "avatar": files.picture_name(columns.picture),
            "avatar_url": picture_url(settings, account_id, columns.picture),
            "container": files.container_of(account_id),
        }
    info = columns.info
    return {
        "avatar": text_or_none(info.get("avatar")),
        "avatar_url": _stored_url(info),
        "container": text_or_none(info.get("container")) or files.container_of(account_id),
    }


def avatar_url(settings: Settings, account_id: int, columns: Pictured) -> str | None:
    """Where the picture is, here or elsewhere."""
    if columns.picture is not None:
        return picture_url(settings, account_id, columns.picture)
    return _stored_url(columns.info)


def _stored_url(info: dict[str, Any]) -> str | None:
    stored = text_or_none(info.get("avatar_url"))
    return stored if stored is not None and is_web_url(stored) else None


def text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None


def public_user(
    settings: Settings, account: AccountRow, moment: datetime, standing: Standing
) -> dict[str, Any]:
    """What everybody sees of somebody."""
    return {
        "created": show_time(account.profile.joined),
        "fullname": full_name(account),
        "info": public_info(settings, account.id, account.profile),
        "locale": account.profile.locale,
        "n_answers": standing.score,
        "name": account.username,
        "rank": standing.rank,
        "registered_ago": age(account.profile.joined, moment),
        "score": standing.score,
    }


def own_user(
    settings: Settings,
    account: AccountRow,
    moment: datetime,
    standing: Standing,
    *,
    total: int,
    api_key: str | None,
    confirmation_sent: bool,
) -> dict[str, Any]:
    """What somebody sees of himself."""
    info = account.profile.info
    shown_info = {name: value for name, value in info.items() if not name.endswith(SECRET_ENDING)}
    return {
        **public_user(settings, account, moment, standing),
        "admin": account.is_admin,
        "api_key": api_key,
        "confirmation_email_sent": confirmation_sent,
        "email_addr": account.email,
        **{f"{provider}_user_id": info.get(f"{provider}_user_id") for provider in PROVIDERS},
        "id": account.id,
        "info": {**shown_info, **public_info(settings, account.id, account.profile)},
        "total": total,
        "valid_email": account.email_verified,
    }


def show_time(time: datetime) -> str:
    """ISO 8601 in UTC without a zone; the fraction is left out when it is zero."""
    return time.astimezone(UTC).isoformat().removesuffix("+00:00")


def age(then: datetime, moment: datetime) -> str:
    """How long ago, in words; empty for the future."""
    passed = moment - then
    return _age_of_days(passed.days) if passed.days else _age_of_today(passed.seconds)


@lru_cache(1000)
def _age_of_days(days: int) -> str:
    if days < 0:
        return ""
    if days == 1:
        return "Yesterday"
    for most, size, unit in ((6, 1, "day"), (30, 7, "week"), (59, 59, "month"), (364, 30, "month")):
        if days <= most:
            return _ago(max(1, days // size), unit)
    return _ago(days // 365, "year")


def _age_of_today(seconds: int) -> str:
    if seconds < 10:
        return "just now"
    if seconds < 60:
        return f"{seconds} seconds ago"
    if seconds < 120:
        return "a minute ago"
    if seconds < 3600:
        return f"{seconds // 60} minutes ago"
    return "an hour ago" if seconds < 7200 else f"{seconds // 3600} hours ago"


def _ago(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'} ago"
