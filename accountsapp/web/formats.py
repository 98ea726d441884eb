"""How values are shown that more than one API shows."""

from datetime import UTC, datetime
from hashlib import md5


def microseconds(time: datetime) -> str:
    """``YYYY-MM-DDTHH:MM:SS.ffffffZ``, UTC, always six digits."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def seconds(time: datetime) -> str:
    """``YYYY-MM-DDTHH:MM:SSZ``, UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def gravatar_url(address: str | None) -> str:
    """Where Gravatar has the picture of that address; ``""`` for none."""
    if not address:
        return ""
    name = md5(address.strip().lower().encode(), usedforsecurity=False).hexdigest()
    return f"https://secure.gravatar.com/avatar/{name}.jpg?s=80&r=g&d=mm"
