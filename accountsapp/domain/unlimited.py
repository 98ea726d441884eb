"""No limits: the operator, who runs commands, may try as often as is wanted."""

from contextlib import AbstractContextManager, nullcontext


class Unlimited:
    """In the place of :class:`throttle.Throttle`; it counts nothing and refuses nothing."""

    limits_keys = False

    def guess(self, username_key: str, address: str) -> AbstractContextManager[None]:
        return nullcontext()

    def check(self, limit: str, *who: object) -> None:
        return None

    def hit(self, limit: str, *who: object) -> None:
        return None

    def hit_key(self, key: str) -> None:
        return None

    def counted(self, limit: str, *who: object) -> AbstractContextManager[None]:
        return nullcontext()

    def excess(self, limit: str, *who: object) -> int:
        return 0
