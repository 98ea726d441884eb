"""What a store asks of whatever counts tries."""

from contextlib import AbstractContextManager
from typing import Protocol


class Throttle(Protocol):
    """How often somebody may try; counts live outside the transaction and survive a refusal."""

    def guess(self, username_key: str, address: str) -> AbstractContextManager[None]:
        """Surrounds one check of a password.

        :raises TooManyAttempts: before the check, when there were too many wrong ones
        """

    def check(self, limit: str, *who: object) -> None:
        """Count nothing.

        :raises TooManyAttempts: the limit is reached
        """

    @property
    def limits_keys(self) -> bool:
        """Whether there is a limit for each API key."""

    def hit_key(self, key: str) -> None:
        """Count one request with an API key, whatever other limits do.

        :raises TooManyAttempts: the limit is reached
        """

    def counted(self, limit: str, *who: object) -> AbstractContextManager[None]:
        """Surrounds something that counts as one, if it is not refused and does not fail.

        :raises TooManyAttempts: the limit was reached before it
        """

    def excess(self, limit: str, *who: object) -> int:
        """Count one, also where limits are off.

        :returns: by how many the limit is exceeded now; 0 for not at all
        """

    def hit(self, limit: str, *who: object) -> None:
        """Count one.

        :raises TooManyAttempts: the limit is reached
        """
