"""Named API keys as a part of the account record (``docs/operate.rst``)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from accountsapp.domain.clock import now
from accountsapp.domain.credentials.named_keys import LONGEST_OVERLAP_HOURS
from accountsapp.domain.errors import InvalidValue
from accountsapp.domain.rules import key_names, key_scopes
from accountsapp.domain.rules.api_keys import check_given, hash_of
from accountsapp.domain.rules.folding import fold
from accountsapp.domain.transfer.fields import Moment, Strict, checked

LONGEST_OVERLAP = timedelta(hours=LONGEST_OVERLAP_HOURS)
NEVER = datetime.max.replace(tzinfo=UTC)


def _scopes(value: list[str]) -> list[str]:
    try:
        return list(key_scopes.ordered(value))
    except InvalidValue as error:
        raise ValueError(str(error)) from None


class KeyRecord(Strict):
    """A named key; without a secret it says that there was one, and makes nothing."""

    nullable = frozenset({"scopes", "created", "expires"})

    name: Annotated[str, checked(key_names.parse)]
    scopes: Annotated[list[str], AfterValidator(_scopes)] | None = None
    created: Moment | None = None
    expires: Moment | None = None
    api_key: Annotated[str, checked(check_given)] | None = Field(None, repr=False)
    key_sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = Field(None, repr=False)

    @model_validator(mode="after")
    def _has_one_secret(self) -> Self:
        if self.api_key is not None and self.key_sha256 is not None:
            raise ValueError("api_key: not together with key_sha256")
        return self

    @property
    def name_key(self) -> str:
        """The name, folded."""
        return fold(self.name)

    @property
    def key_hash(self) -> str | None:
        """The SHA-256 of the key in hex; None where the record has no secret."""
        if self.key_sha256 is not None:
            return self.key_sha256.lower()
        return hash_of(self.api_key) if self.api_key is not None else None

    def is_living(self, moment: datetime) -> bool:
        return self.expires is None or self.expires > moment


def check_together(records: list[KeyRecord]) -> list[KeyRecord]:
    """Keys of one account.

    :raises ValueError: a name twice among those that live, no rotation being the reason; or a secret twice
    """
    retiring_of(records, now())
    hashes = [record.key_hash for record in records if record.key_hash is not None]
    if len(set(hashes)) < len(hashes):
        raise ValueError("a key is given twice")
    return records


def retiring_of(records: Iterable[KeyRecord], moment: datetime) -> list[KeyRecord]:
    """Those that are the old half of a rotation: of two living ones of a name the older one, if it ends soon.

    :raises ValueError: a name has several living ones, which are no such pair
    """
    living = sorted((record for record in records if record.is_living(moment)), key=lambda r: r.name_key)
    retiring = []
    for _, same_name in groupby(living, key=lambda record: record.name_key):
        group = list(same_name)
        if len(group) > 1:
            retiring.append(_retiring_half(group, moment))
    return retiring


def _retiring_half(group: list[KeyRecord], moment: datetime) -> KeyRecord:
    """Of two the older one; of the same second that which ends first."""

    def age(record: KeyRecord) -> tuple[datetime, datetime]:
        return record.created or moment, record.expires or NEVER

    old, new = sorted(group[:2], key=age)
    ends_soon = old.expires is not None and old.expires <= moment + LONGEST_OVERLAP
    if len(group) > 2 or not ends_soon or age(old) == age(new):
        raise ValueError("a name is given twice")
    return old
