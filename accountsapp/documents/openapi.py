"""OpenAPI 3.1 documents, joined from what an API says of itself and from what the application does."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from accountsapp.documents.credentials import requirements
from accountsapp.documents.document import WHOLE, Answer, Document, Operation
from accountsapp.documents.schemas import describe
from accountsapp.tree import OPEN, Offer
from accountsapp.web import jsonp
from accountsapp.web.answers import jsonp_answer
from accountsapp.web.bodies import MULTIPART, Body
from accountsapp.web.transactions import SAFE_METHODS

VERSION = "3.1.0"
SCRIPT = "application/javascript"
NAME = re.compile(r"\{(\w+)\}")
CALLBACK = {
    "name": jsonp.PARAMETER,
    "in": "query",
    "description": "A function that the answer calls, as a script (JSONP).",
    "schema": {"type": "string", "pattern": f"^(?:{jsonp.PATTERN})$", "maxLength": jsonp.LONGEST_CALLBACK},
}


def build(document: Document, offers: Iterable[Offer], *, version: str, server: str) -> dict[str, Any]:
    """The document of an API.

    :param offers: of the whole application
    :param version: of the application
    :param server: where its paths begin, from the host
    """
    return _Builder(document).build([*offers], version, server)


class _Builder:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._schemas, self._definitions = describe(_types_of(document))
        self._refusals: dict[str, Any] = {}
        self._schemes: dict[str, Any] = {}
        self._ids: dict[str, int] = {}

    def build(self, offers: Sequence[Offer], version: str, server: str) -> dict[str, Any]:
        document = self._document
        paths: dict[str, Any] = {}
        for view, operation in document.operations.items():
            for offer in offers:
                if offer.view is view:
                    path = paths.setdefault(offer.row.path, {})
                    for method in offer.row.methods:
                        path[method.lower()] = self._operation(operation, offer, method)
        tags = dict.fromkeys(operation.tag for operation in document.operations.values())
        return {
            "openapi": VERSION,
            "info": {"title": document.title, "description": document.description, "version": version},
            "servers": [{"url": server or "/"}],
            "tags": [{"name": tag} for tag in tags],
            "paths": paths,
            "components": {
                "schemas": self._definitions,
                "responses": self._refusals,
                "securitySchemes": self._schemes,
            },
        }

    def _operation(self, operation: Operation, offer: Offer, method: str) -> dict[str, Any]:
        has_body = operation.body is not None and method not in SAFE_METHODS
        described = {
            "tags": [operation.tag],
            "summary": operation.summary,
            "operationId": self._id(offer, method),
            "parameters": self._parameters(operation, offer),
            "responses": self._responses(operation, offer, has_body),
            "security": self._security(operation, offer, method),
        }
        if operation.description:
            described["description"] = operation.description
        if has_body:
            described["requestBody"] = self._body(operation, offer.body or Body())
        return described

    def _id(self, offer: Offer, method: str) -> str:
        """The name of the view; where it is registered more than once, with a number."""
        name = offer.view.__name__ + (f"_{method.lower()}" if len(offer.row.methods) > 1 else "")
        number = self._ids[name] = self._ids.get(name, 0) + 1
        return name if number == 1 else f"{name}_{number}"

    def _parameters(self, operation: Operation, offer: Offer) -> list[dict[str, Any]]:
        parameters = []
        for name in NAME.findall(offer.row.path):
            parameter = self._document.names[name]
            parameters.append(
                {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "description": parameter.description,
                    "schema": {"type": "string"},
                    "example": operation.example.get(name, parameter.example),
                }
            )
        if operation.query is not None:
            parameters += self._query(operation)
        if _has_callback(offer):
            parameters.append(CALLBACK)
        return parameters

    def _query(self, operation: Operation) -> Iterator[dict[str, Any]]:
        model = self._resolved(operation.query)
        for name, schema in model["properties"].items():
            parameter = {"name": name, "in": "query", "schema": schema}
            if "description" in schema:
                parameter["description"] = schema["description"]
            if name in model.get("required", ()):
                parameter["required"] = True
            if name in operation.example:
                parameter["example"] = operation.example[name]
            yield parameter

    def _body(self, operation: Operation, rules: Body) -> dict[str, Any]:
        model = self._resolved(operation.body)
        names = model.get("properties", {})
        content: dict[str, Any] = {}
        for media_type in operation.media_types or rules.types:
            content[media_type] = {"schema": self._schemas[operation.body]}
            if media_type != MULTIPART:
                content[media_type]["example"] = operation.example.get(WHOLE) or {
                    name: value for name, value in operation.example.items() if name in names
                }
        return {"content": content, "required": bool(model.get("required"))}

    def _responses(self, operation: Operation, offer: Offer, has_body: bool) -> dict[str, Any]:
        common = self._document.refusals
        groups = [common.everywhere]
        if offer.row.permission != OPEN:
            groups.append(common.of_credentials)
        if has_body:
            groups.append(common.of_bodies)
        if NAME.search(offer.row.path):
            groups.append(common.of_names)
        refusals: dict[int, Answer] = {}
        for group in groups:
            refusals.update(group)
        for status in operation.without:
            refusals.pop(status, None)
        own = {**operation.refusals, **operation.answers}
        ordered = [*operation.answers, *sorted((refusals | own).keys() - operation.answers.keys())]
        return {
            str(status): self._response(own[status], offer)
            if status in own
            else self._shared(status, self._response(refusals[status], offer))
            for status in ordered
        }

    def _shared(self, status: int, response: dict[str, Any]) -> dict[str, Any]:
        """A refusal of the whole API, told once."""
        name = f"{status}-script" if SCRIPT in response.get("content", {}) else str(status)
        self._refusals[name] = response
        return {"$ref": f"#/components/responses/{name}"}

    def _response(self, answer: Answer, offer: Offer) -> dict[str, Any]:
        response: dict[str, Any] = {"description": answer.description}
        if answer.headers:
            response["headers"] = {
                name: {"description": text, "schema": {"type": "string"}}
                for name, text in answer.headers.items()
            }
        if answer.schema is not None:
            content: dict[str, Any] = {answer.media_type: {"schema": self._schemas[answer.schema]}}
            if answer.example is not None:
                content[answer.media_type]["example"] = answer.example
            texts = (*answer.also, SCRIPT) if _has_callback(offer) else answer.also
            content |= {media_type: {"schema": {"type": "string"}} for media_type in texts}
            response["content"] = content
        return response

    def _security(self, operation: Operation, offer: Offer, method: str) -> list[dict[str, list[str]]]:
        alternatives, schemes = requirements(offer, method, self._document.schemes)
        self._schemes |= schemes
        return [{}, *alternatives] if operation.open_to_all else alternatives

    def _resolved(self, schema: Any) -> Mapping[str, Any]:
        described = self._schemas[schema]
        name = described.get("$ref", "").rpartition("/")[2]
        resolved: Mapping[str, Any] = self._definitions[name] if name else described
        return resolved


def _has_callback(offer: Offer) -> bool:
    return offer.api is not None and offer.api.answer is jsonp_answer


def _types_of(document: Document) -> Iterator[Any]:
    groups = document.refusals
    for refusals in (groups.everywhere, groups.of_credentials, groups.of_bodies, groups.of_names):
        yield from (answer.schema for answer in refusals.values() if answer.schema is not None)
    for operation in document.operations.values():
        yield from (schema for schema in (operation.query, operation.body) if schema is not None)
        for answers in (operation.answers, operation.refusals):
            yield from (answer.schema for answer in answers.values() if answer.schema is not None)
