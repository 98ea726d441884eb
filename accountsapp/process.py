"""What one process has: settings, database, keys. It makes stores, for requests, commands and jobs."""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from accountsapp.db.database import Database
from accountsapp.domain.credentials.key_uses import KeyUses
from accountsapp.domain.data.joining import Joining
from accountsapp.domain.data.reads import Columns, Connections
from accountsapp.domain.keyring import Keyring
from accountsapp.domain.passwords import Passwords, read_refused
from accountsapp.domain.recent import Recent
from accountsapp.domain.remembered_passwords import RememberedPasswords
from accountsapp.domain.rotation import opens_nothing
from accountsapp.domain.store import Store
from accountsapp.domain.try_limits import Throttle
from accountsapp.settings import Settings, SettingsError
from accountsapp.trouble import Trouble

if TYPE_CHECKING:
    from pyramid.config import Configurator


log = logging.getLogger(__name__)


class Process:
    """What every store of one process shares.

    :param rendition_sizes: of the squares that are kept beside a new picture
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        throttle: Throttle,
        rendition_sizes: Collection[int] = (),
    ) -> None:
        self.settings = settings
        self.database = database
        self.keyring = Keyring(settings.secrets)
        self.passwords = Passwords(settings.bcrypt_rounds, read_refused(settings.passwords_refused))
        self.remembered = RememberedPasswords()
        self.recent = Recent()
        self.throttle = throttle
        self.key_uses = KeyUses(database.write)
        self.rendition_sizes = rendition_sizes
        self._keys_closed = Trouble(
            log,
            "accountsapp.secret opens none of the stored API keys",
            "accountsapp.secret opens them again",
        )

    def for_request(
        self,
        client_address: str,
        columns: Columns | None = None,
        *,
        read_only: bool = False,
        throttle: Throttle | None = None,
    ) -> Store:
        """A store of a request, which closes it; its writes are committed with the transaction of
        :mod:`transaction`'s manager.

        :param columns: what the ``profile`` of each account that is read has
        :param read_only: whether it is to refuse to write; it may read from a replica
        :param throttle: what the request counts by; by default what all of them do
        """
        database = self.database
        connections = database.replica_connections if read_only else database.read_connections
        writing = database.write_connections
        store = self._open(connections, writing, client_address, columns, self._of_requests)
        store.read_only = read_only
        if throttle is not None:
            store.throttle = throttle
        return store

    @cached_property
    def _of_requests(self) -> Joining:
        from accountsapp.db.joining import abort, join

        return Joining(lambda: self.database.request_sessions, join, abort)

    @contextmanager
    def transaction(self, client_address: str = "", columns: Columns | None = None) -> Iterator[Store]:
        """A store whose writes are committed at the end, rolled back by an exception.

        :param columns: as in :meth:`for_request`
        """
        database = self.database
        connections = database.read_connections
        store = self._open(connections, database.pooled_connections, client_address, columns)
        with store.committed():
            yield store

    def _open(
        self,
        read_connections: Connections,
        write_connections: Connections,
        client_address: str,
        columns: Columns | None = None,
        joining: Joining | None = None,
    ) -> Store:
        return Store(
            self.settings,
            self.keyring,
            self.passwords,
            self.remembered,
            self.recent,
            self.throttle,
            read_connections,
            write_connections,
            self.database.sessions,
            self.database.begin,
            client_address,
            columns,
            self.rendition_sizes,
            joining,
        )

    def check_secret(self) -> None:
        """
        :raises SettingsError: the secret opens none of the stored API keys
        """
        if not self._opens_any_key():
            raise SettingsError(
                "accountsapp.secret: opens none of the stored API keys; give the one that they were made "
                "with. If that is lost, make new keys: accountsapp -c INI accounts reset-key USERNAME"
            )

    def opens_keys(self) -> bool:
        """Whether the secret still is one of the stored API keys: another process may have rotated it away.

        Told in the log when it is none.
        """
        if self._opens_any_key():
            self._keys_closed.over()
            return True
        self._keys_closed.met("another process has made them with a secret that this one does not know")
        return False

    def _opens_any_key(self) -> bool:
        with self.database.read_engine.connect() as connection:
            return not opens_nothing(connection, self.keyring)


def includeme(config: "Configurator") -> None:
    """
    :raises SettingsError: the secret opens none of the stored API keys
    """
    registry = config.registry
    registry.process = Process(
        registry.app_settings, registry.database, registry.throttle, registry.rendition_sizes
    )
    try:
        registry.process.check_secret()
    except Exception:
        registry.database.dispose()
        raise
