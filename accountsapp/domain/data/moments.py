"""Times as text, made by the database: an answer that only shows them needs no ``datetime``."""

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class whole_seconds(GenericFunction[str]):  # noqa: N801 named as in SQL
    """``YYYY-MM-DDTHH:MM:SSZ`` of a time, in UTC, the fraction cut off."""

    type = String()
    inherit_cache = True
    _register = False


@compiles(whole_seconds, "sqlite")
def _for_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    moment = compiler.process(element.clauses, **kw)
    return f"replace(substr({moment}, 1, 19), ' ', 'T') || 'Z'"  # ``strftime`` may round up


@compiles(whole_seconds, "postgresql")
def _for_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    moment = compiler.process(element.clauses, **kw)
    return f"to_char({moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
