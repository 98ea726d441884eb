"""Requests of every form that a document allows: the answers are such as it says, none is a fault of ours."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import Soak
from tests.documents.test_documents import NAMES
from tests.support.documents import Call, World, calls_of, document_of

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def ask(world: World, operation: Any, call: Call, schemes: tuple[str, ...], cases: int) -> None:
    shown = world.present(schemes)

    @settings(
        max_examples=cases,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[*HealthCheck],
        database=None,
        deadline=None,
        derandomize=True,
    )
    @given(case=operation.as_strategy())
    def asked(case: Case) -> None:
        case.headers = {**(case.headers or {}), **shown.headers}
        case.call_and_validate(checks=CHECKS)

    asked()


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_as_documented(name: str, world: World, soak: Soak) -> None:
    calls = {(call.method, call.path): call for call in calls_of(document_of(world.app, name))}
    schema = schemathesis.openapi.from_wsgi(f"/docs/{name}.json", world.app.app)
    for result in schema.get_all_operations():
        operation = result.ok()
        call = calls.pop((operation.method.upper(), operation.path))
        world.rewind()
        ask(world, operation, call, call.alternatives[0], soak(3, 300))
    assert not calls
