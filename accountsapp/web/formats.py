"""How values are shown that more than one API shows."""

from datetime import UTC, datetime
from hashlib import md5


def microseconds(time: datetime) -> str:
    """``YYYY-MM-DDTHH:MM:SS.ffffffZ``, UTC, always six digits."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def seconds(time: datetime) -> str:
    """``YYYY-MM-DDTHH:MM:SSZ``, UTC."""
    utc = time.astimezone(UTC)
    return datetime.combine(utc.date(), utc.time()).isoformat("T", "seconds") + "Z"


def gravatar_url(address: str | None) -> str:
    """Where Gravatar has the picture of that address; ``""`` for none."""
    if not address:
        return ""
    name = md5(address.strip().lower().encode(), usedforsecurity=False).hexdigest()
    return f"https://secure.gravatar.com/avatar/{name}.jpg?s=80&r=g&d=mm"
