"""R19: two servers are started again, one after the other, and who keeps a connection does not notice."""

import http.client
import json
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from accountsapp.testing.people import Person
from tests.support.concurrently import concurrently
from tests.support.servers import Server


def keep_asking(ports: Sequence[int], person: Person, begun: Event, ended: Event) -> int:
    """Change something without a pause, over one connection until the server says that it ends it, or none is
    to be had there; then at the next server. Nothing is sent twice.

    :returns: how often the servers were changed
    """
    turn = changes = 0
    connection = None
    body = f"api_key={person.api_key}&name=turn+"
    while not ended.is_set():
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", ports[changes % len(ports)], timeout=20)
            try:
                connection.connect()
            except ConnectionRefusedError:
                connection, changes = None, changes + 1
                continue
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"/api/v1/{person.username}/account", f"{body}{turn}", headers)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["name"]) == (200, f"turn {turn}")
        if answer.will_close:
            connection.close()
            connection, changes = None, changes + 1
        turn += 1
        if turn == 3:
            begun.set()
    if connection is not None:
        connection.close()
    return changes


@pytest.mark.parametrize(("backend", "runner"), [("sqlite", "waitress"), ("postgresql", "granian")])
def test_r19_two_servers_started_again_in_turn(
    ini: dict[str, str], tmp_path: Path, register: Callable[..., Person], runner: str
) -> None:
    people = [register(f"person{number}", password=None) for number in range(4)]
    options = {"use": f"egg:accountsapp#{runner}"}
    servers = [Server(tmp_path, ini, server=options) for _ in range(2)]
    ports, ended = [server.wait().port for server in servers], Event()
    begun = [Event() for _ in people]

    def restart() -> int:
        try:
            assert all(event.wait(60) for event in begun)
            for number, port in enumerate(ports):
                servers[number].signal(signal.SIGTERM)
                assert servers[number].join(30) == 0
                servers[number] = Server(tmp_path, ini, port, options).wait()
        finally:
            ended.set()
        return 2

    try:
        asking = [partial(keep_asking, ports, *one, ended) for one in zip(people, begun, strict=True)]
        changes = concurrently([*asking, restart])
    finally:
        for server in servers:
            server.stop()
    assert min(changes) >= 2
