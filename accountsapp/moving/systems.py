"""The systems whose databases can be read, by name."""

from collections.abc import Callable, Iterator, Mapping

from sqlalchemy import Connection

from accountsapp.domain.transfer.source_rows import SourceRow
from accountsapp.moving import bookie, django, openedx, pybossa

SYSTEMS: Mapping[str, Callable[[Connection], Iterator[SourceRow]]] = {
    "bookie": bookie.read,
    "pybossa": pybossa.read,
    "openedx": openedx.read,
    "django": django.read,
}
