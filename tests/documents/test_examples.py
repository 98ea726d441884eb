"""The examples are true: each is sent to the application, in every form and with every credential."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from accountsapp.domain.accounts import confirming
from accountsapp.domain.data.locking import lock
from accountsapp.domain.emails import addresses
from accountsapp.domain.mailing import links, unsubscribing
from accountsapp.domain.mailing.links import Purpose
from accountsapp.testing.oauth import CALLBACK, CHALLENGE, VERIFIER, Client, mailed_path
from accountsapp.testing.people import PASSWORD
from tests.documents.test_documents import NAMES
from tests.support.documents import MULTIPART, UPLOADS, Call, World, calls_of, document_of

RANDOM = {
    "api_key",
    "random_pass",
    "access_token",
    "refresh_token",
    "value",
    "encoded",
    "csrf",
    "csrfToken",
    "display_name",
}
"""Members whose values nobody can know before."""
TOO_LONG = {"describe_registration"}
"""Operations whose answers are too long to be shown: they list all countries."""


Prepare = Callable[[World], Mapping[str, Any]]


def reset_code(world: World) -> Mapping[str, Any]:
    with world.stores.transaction() as store:
        account = lock(store.session, world.admin.id)
        code = links.make(store.session, account, Purpose.RESET, world.admin.email, 60)
        return {"code": code, "key": code}


def registration_code(world: World) -> Mapping[str, Any]:
    with world.stores.transaction() as store:
        confirming.ask(store, "carol", "carol@example.com", password=PASSWORD)
    return {"key": re.split("[/=]", mailed_path(world.stores))[-1]}


def second_address(world: World) -> Mapping[str, Any]:
    with world.stores.transaction() as store:
        addresses.add(store, world.admin.id, "ada@example.com")
    return {}


def proof(world: World) -> Mapping[str, Any]:
    token, digest = unsubscribing.make(world.stores.keyring, world.admin.email)
    return {"token": token, "hash": digest}


def client(world: World, *, confidential: bool = False) -> Client:
    return Client(world.stores, confidential=confidential)


def authorized(world: World) -> Mapping[str, Any]:
    """A client, and what came back to it."""
    registered = client(world)
    code = registered.code(world.app, "admin", code_challenge=CHALLENGE)
    world.app.reset()
    return {**registered.identity, "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}


def named_client(world: World) -> Mapping[str, Any]:
    return {**client(world).identity, "redirect_uri": CALLBACK}


PREPARE: dict[tuple[str, str], Prepare] = {
    ("bookie", "use_code"): reset_code,
    ("dockerhub", "update_email"): second_address,
    ("dockerhub", "remove_email"): second_address,
    ("amo", "unsubscribe"): proof,
    ("amo", "show_unsubscribing"): proof,
    ("amo", "unsubscribe_2"): proof,
    ("pybossa", "reset"): reset_code,
    ("pybossa", "show_reset"): reset_code,
    ("pybossa", "confirm"): registration_code,
    ("pybossa", "confirm_2"): registration_code,
    ("openedx", "access_token"): lambda world: (
        Client(world.stores, confidential=True, owner_id=world.admin.id).identity
    ),
    ("oauth", "token"): authorized,
    ("oauth", "revoke"): named_client,
    ("oauth", "introspect"): lambda world: client(world, confidential=True).identity,
    ("oauth", "ask"): named_client,
    ("oauth", "decide"): named_client,
}
"""By operation: makes what must be there first, and says what stands in place of values of the example."""


def differences(example: Any, actual: Any, where: str = "") -> Iterator[str]:
    """What is not equal, but for what is random."""
    if isinstance(example, dict) and isinstance(actual, dict) and example.keys() == actual.keys():
        for name, value in example.items():
            if name not in RANDOM or type(value) is not type(actual[name]) or not actual[name]:
                yield from differences(value, actual[name], f"{where}.{name}")
    elif isinstance(example, list) and isinstance(actual, list) and len(example) == len(actual):
        for number, pair in enumerate(zip(example, actual, strict=True)):
            yield from differences(*pair, f"{where}[{number}]")
    elif example != actual:
        yield f"{where}: {example!r} is not {actual!r}"


def problems_of(
    world: World, name: str, call: Call, schemes: tuple[str, ...], media_type: str | None
) -> Iterator[str]:
    """What the application answers that the example does not say."""
    world.rewind()
    values = PREPARE[name, call.name](world) if (name, call.name) in PREPARE else {}
    shown = world.present(schemes, world.holder_of(call))
    answer = world.send(call, shown, media_type=media_type, values=values)
    status, response = call.answers[0]
    content = response.get("content", {})
    if answer.status_int != status or (answer.content_type not in content if content else answer.body):
        yield f"{answer.status} {answer.content_type}: {answer.body[:300]!r}"
    elif content and answer.content_type == "application/json":
        example = content["application/json"].get("example")
        if example is not None or call.name not in TOO_LONG:
            yield from differences(example, answer.json)


@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_true(name: str, world: World) -> None:
    problems = []
    for call in calls_of(document_of(world.app, name)):
        contents = call.operation.get("requestBody", {"content": {}})["content"]
        bodies = [media_type for media_type, content in contents.items() if "example" in content]
        if call.name in UPLOADS:
            bodies.append(MULTIPART)
        ways = [(schemes, bodies[0] if bodies else None) for schemes in call.alternatives]
        ways += [(call.alternatives[-1], media_type) for media_type in bodies[1:]]
        for schemes, media_type in ways:
            where = f"{call.name} {call.path} {schemes} {media_type}"
            problems += [
                f"{where}: {problem}" for problem in problems_of(world, name, call, schemes, media_type)
            ]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_told_to_who_has_no_credential_is_true(name: str, world: World) -> None:
    document = document_of(world.app, name)
    for call in calls_of(document):
        if call.is_open:
            continue
        answer = world.send(call, world.present(()))
        described = dict(call.answers)
        assert answer.status_int in described, (call.name, answer.status)
        is_page = answer.content_type == "text/html"
        assert answer.status_int >= 400 or is_page, (call.name, answer.status)
        response = described[answer.status_int]
        if "$ref" in response:
            response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
        example = response["content"][answer.content_type].get("example")
        assert example is None or example == answer.json, call.name
