"""The examples are true: each is sent to the application, in every form and with every credential."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from accountsapp.domain.data.locking import lock
from accountsapp.domain.mailing import links
from accountsapp.domain.mailing.links import Purpose
from accountsapp.domain.rules.key_scopes import FULL
from tests.documents.test_documents import NAMES
from tests.support.credentials import Holder
from tests.support.documents import Call, World, calls_of, document_of

RANDOM = {"api_key", "random_pass"}
"""Members whose values nobody can know before."""


def code(world: World, purpose: Purpose) -> str:
    with world.stores.transaction() as store:
        account = lock(store.session, world.admin.id)
        return links.make(store.session, account, purpose, world.admin.email, 60)


VALUES: dict[str, Callable[[World], Mapping[str, Any]]] = {
    "use_code": lambda world: {"code": code(world, Purpose.RESET)},
}
"""By operation: what the application made, in place of what stands in the example."""
HOLDERS: dict[str, Callable[[Holder], Holder]] = {
    "end_api_key": lambda holder: holder._replace(
        person=holder.person.__class__(
            **{**holder.person.__dict__, "api_key": holder.named[FULL]},
        )
    ),
}
"""By operation: who does it, where it is not simply the administrator with the default key."""


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


def problems_of(world: World, call: Call, schemes: tuple[str, ...], media_type: str | None) -> Iterator[str]:
    """What the application answers that the example does not say."""
    world.rewind()
    values = VALUES.get(call.name, lambda _world: {})(world)
    holder = HOLDERS.get(call.name, lambda holder: holder)(world.holder)
    answer = world.send(call, world.present(schemes, holder), media_type=media_type, values=values)
    status, response = call.answers[0]
    content = response.get("content", {"": {}})
    if answer.status_int != status or (answer.content_type or "") not in content:
        yield f"{answer.status} {answer.content_type}: {answer.body[:300]!r}"
    elif answer.content_type == "application/json":
        yield from differences(content["application/json"].get("example"), answer.json)
    elif not answer.content_type and answer.body:
        yield "has a body"


@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_true(name: str, world: World) -> None:
    problems = []
    for call in calls_of(document_of(world.app, name)):
        contents = call.operation.get("requestBody", {"content": {}})["content"]
        bodies = [media_type for media_type, content in contents.items() if "example" in content]
        ways = [(schemes, bodies[0] if bodies else None) for schemes in call.alternatives]
        ways += [(call.alternatives[-1], media_type) for media_type in bodies[1:]]
        for schemes, media_type in ways:
            where = f"{call.name} {call.path} {schemes} {media_type}"
            problems += [f"{where}: {problem}" for problem in problems_of(world, call, schemes, media_type)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_told_to_who_has_no_credential_is_true(name: str, world: World) -> None:
    document = document_of(world.app, name)
    for call in calls_of(document):
        if () in call.alternatives:
            continue
        answer = world.send(call, world.present(()))
        described = dict(call.answers)
        assert answer.status_int in described, (call.name, answer.status)
        assert answer.status_int in (400, 401, 403), (call.name, answer.status)
        response = described[answer.status_int]
        if "$ref" in response:
            response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
        example = response["content"][answer.content_type].get("example")
        assert example is None or example == answer.json, call.name
