"""How a transaction of ours becomes a part of one that somebody else ends."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import RootTransaction
from sqlalchemy.orm import Session, sessionmaker


class Joining(NamedTuple):
    """How what a store writes takes part in a transaction that somebody else ends.

    :ivar sessions: what makes sessions that do
    :ivar join: has what a connection has begun do that
    :ivar abort: ends all that takes part; what is written next takes part in another one
    """

    sessions: Callable[[], sessionmaker[Session]]
    join: Callable[[RootTransaction], None]
    abort: Callable[[], None]
