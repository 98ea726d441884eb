"""What is shown of accounts: each kind of answer lists its keys."""

from datetime import UTC, datetime, timedelta

from accountsapp.domain.data.reads import AccountRow

DAY = timedelta(days=1)


def full_name(account: AccountRow) -> str:
    """What somebody is called: the username where there is no name."""
    return account.profile.name or account.username


def show_time(time: datetime) -> str:
    """ISO 8601 in UTC without a zone; the fraction is left out when it is zero."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat()


def age(then: datetime, moment: datetime) -> str:
    """How long ago, in words; empty for the future."""
    passed = moment - then
    days, seconds = passed.days, passed.seconds
    if days < 0:
        return ""
    if days == 0:
        return _age_of_today(seconds)
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
