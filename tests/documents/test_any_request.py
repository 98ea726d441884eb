"""Requests of every form that a document allows: the answers are such as it says, none is a fault of ours."""

from typing import Any

import pytest
import schemathesis
import time_machine
import werkzeug
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import Soak
from tests.documents.test_documents import NAMES
from tests.support.documents import MOMENT, Call, World, calls_of, document_of
from tests.support.everywhere import NEARBY

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

CONFIG = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
"""Credentials are ours: made-up ones would take their place."""


def ask(world: World, operation: Any, call: Call, schemes: tuple[str, ...], cases: int) -> None:
    shown = world.present(schemes, world.holder_of(call))
    names = {
        parameter["name"]: parameter["example"]
        for parameter in call.operation["parameters"]
        if parameter["in"] == "path"
    }
    cases_of_names = operation.as_strategy(path_parameters=names)

    @settings(
        max_examples=cases,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[*HealthCheck],
        database=None,
        deadline=None,
        derandomize=True,
    )
    @given(case=cases_of_names | operation.as_strategy() if names else cases_of_names)
    def asked(case: Case) -> None:
        case.headers = {**(case.headers or {}), **shown.headers}
        case.call_and_validate(checks=CHECKS, session=client)

    def nearby(environ: dict[str, Any], start_response: Any) -> Any:
        return world.app.app({**environ, **NEARBY}, start_response)

    client = werkzeug.Client(nearby, use_cookies=False)
    with time_machine.travel(MOMENT, tick=False):
        asked()


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_as_documented(name: str, world: World, soak: Soak) -> None:
    calls = {(call.method, call.path): call for call in calls_of(document_of(world.app, name))}
    schema = schemathesis.openapi.from_wsgi(f"/docs/{name}.json", world.app.app, config=CONFIG)
    for result in schema.get_all_operations():
        operation = result.ok()
        call = calls.pop((operation.method.upper(), operation.path))
        world.rewind()
        ask(world, operation, call, call.alternatives[0], soak(3, 300))
    assert not calls
