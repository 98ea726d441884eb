"""JSON Schema of pydantic models."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from accountsapp.documents.docstrings import docstring_of
from accountsapp.documents.document import Schema
from accountsapp.domain.unset import UNSET

REFERENCE = "#/components/schemas/{model}"


class _Generator(GenerateJsonSchema):
    """As pydantic, without titles that repeat names and defaults that stand for what was not given, and with
    descriptions also where Python leaves docstrings out.
    """

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        if schema.get("default") in (None, UNSET, ""):
            described.pop("default", None)
        return described

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        described = super().model_schema(schema)
        if docstring := docstring_of(schema["cls"]):
            described.setdefault("description", docstring)
        return described


def describe(types: Iterable[Schema]) -> tuple[Mapping[Schema, Any], Mapping[str, Any]]:
    """The schemas of types, by type, and those that they refer to, by name."""
    unique = dict.fromkeys(types)
    described, definitions = TypeAdapter.json_schemas(
        [(str(number), "validation", TypeAdapter(kind)) for number, kind in enumerate(unique)],
        schema_generator=_Generator,
        ref_template=REFERENCE,
    )
    schemas = {kind: described[str(number), "validation"] for number, kind in enumerate(unique)}
    return schemas, definitions.get("$defs", {})
