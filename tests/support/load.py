"""Clients that use a service all the time, while a test does something to it.

Each client has an account of its own. A request that meets a server that goes away is sent once more; what is
not answered then, or is refused, is a failure.
"""

import http.client
import json
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

AWAY = frozenset((502, 503, 504))
PAUSE = 0.05
"""Seconds between the turns of a client, which leave something of the machine to what is tested."""


class Client:
    """One account: it reads itself, gives itself a new name, reads again, and gets a new key now and then.

    :ivar key: that works now
    :ivar name: the last one whose change was acknowledged
    """

    def __init__(self, url: str, username: str, key: str) -> None:
        self.username = username
        self.key = key
        self.name = ""
        self.turns = 0
        self.retried = 0
        self.failures: list[str] = []
        self._place = urlsplit(url).netloc

    def take_turn(self) -> None:
        name = f"turn {self.turns + 1}"
        if self.ask("POST", "account", {"name": name}) is not None:
            self.name = name
        seen = self.ask("GET", "account")
        if seen is not None and seen["name"] != self.name:
            self.failures.append(f"{seen['name']} instead of {self.name}")
        self.turns += 1

    def reset_key(self) -> None:
        """Not sent twice: of a reset whose answer is lost, nobody knows the new key."""
        answer = self.ask("POST", "api_key")
        if answer is not None:
            self.key = str(answer["api_key"])

    def ask(
        self, method: str, call: str, fields: Mapping[str, str] | None = None
    ) -> dict[str, object] | None:
        """The content of a good answer; None where the failure was noted."""
        status, text = self._send(method, call, fields)
        if status in AWAY:
            self.retried += 1
            status, text = self._send(method, call, fields)
        if status != 200:
            self.failures.append(f"{method} {call}: {status} {text[:200]}")
            return None
        return dict(json.loads(text))

    def _send(self, method: str, call: str, fields: Mapping[str, str] | None) -> tuple[int, str]:
        """Status and text; 503 where there is none."""
        path = f"/api/v1/{self.username}/{call}?api_key={self.key}"
        body = None if method == "GET" else json.dumps(fields or {})
        headers = {} if body is None else {"Content-Type": "application/json"}
        with closing(http.client.HTTPConnection(self._place, timeout=30)) as connection:
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            except (OSError, http.client.HTTPException) as error:
                return 503, repr(error)


class Load:
    """While it lasts, every client takes turns in a thread of its own.

    :param keys: username to API key
    :param resetting: whether clients get themselves new keys, too
    """

    def __init__(self, url: str, keys: Mapping[str, str], *, resetting: bool = False) -> None:
        self.clients = [Client(url, username, key) for username, key in keys.items()]
        self._resetting = resetting
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(client,)) for client in self.clients]

    def _run(self, client: Client) -> None:
        while not self._ended.wait(PAUSE):
            client.take_turn()
            if self._resetting and client.turns % 5 == 0:
                client.reset_key()

    @property
    def failures(self) -> list[str]:
        return [failure for client in self.clients for failure in client.failures]

    def wait(self, turns: int = 3) -> None:
        """Until each client has taken so many more."""
        goals = [client.turns + turns for client in self.clients]
        give_up = time.monotonic() + 60
        while any(client.turns < goal for client, goal in zip(self.clients, goals, strict=True)):
            assert time.monotonic() < give_up, "the load stands still"
            time.sleep(0.01)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        self.wait(1)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
