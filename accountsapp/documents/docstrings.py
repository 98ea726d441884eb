"""The docstrings of classes as they are written: servers are started without (``PYTHONOPTIMIZE=2``)."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from inspect import cleandoc
from typing import Any


def docstring_of(described: type) -> str | None:
    """Of a class, without its indentation; None where it has none."""
    if described.__doc__ is not None:
        return cleandoc(described.__doc__)
    return _docstrings(described.__module__).get(described.__qualname__)


@cache
def _docstrings(module: str) -> dict[str, str]:
    """Of the classes of a module, by their qualified names."""
    loader: Any = getattr(sys.modules.get(module), "__loader__", None)
    source = loader.get_source(module) if hasattr(loader, "get_source") else None
    return dict(_read(ast.parse(source or "")))


def _read(parent: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, str]]:
    for node in parent.body:
        if isinstance(node, ast.ClassDef):
            name = prefix + node.name
            docstring = ast.get_docstring(node)
            if docstring:
                yield name, docstring
            yield from _read(node, f"{name}.")
