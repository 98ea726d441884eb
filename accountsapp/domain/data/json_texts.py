"""JSON as text, made by the database of rows that belong to an account: they come in the account's statement.

Of two statements, each sees another moment, and what is shown would belong to none.
"""

import json
from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class json_object_text(GenericFunction[str]):  # noqa: N801 named as in SQL
    """An object with a member for each row of a group, of a name and a value."""

    type = String()
    inherit_cache = True
    _register = False


class json_array_text(GenericFunction[str]):  # noqa: N801 named as in SQL
    """An array of these values."""

    type = String()
    inherit_cache = True
    _register = False


@compiles(json_object_text, "sqlite")
def _object_for_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"json_group_object({compiler.process(element.clauses, **kw)})"


@compiles(json_object_text, "postgresql")
def _object_for_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"CAST(json_object_agg({compiler.process(element.clauses, **kw)}) AS TEXT)"


@compiles(json_array_text, "sqlite")
def _array_for_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"json_array({compiler.process(element.clauses, **kw)})"


@compiles(json_array_text, "postgresql")
def _array_for_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"CAST(json_build_array({compiler.process(element.clauses, **kw)}) AS TEXT)"


def object_of(text: str | None) -> dict[str, str]:
    """What :class:`json_object_text` of texts gave; NULL where there was no row."""
    return json.loads(text) if text is not None else {}
