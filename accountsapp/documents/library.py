"""The documents of a configured application."""

import json
from collections.abc import Collection
from importlib import import_module
from importlib.metadata import version
from threading import Lock
from typing import Any

from accountsapp.documents.document import Document
from accountsapp.documents.openapi import build
from accountsapp.tree import offers


class Library:
    """By name, in the order in which APIs were mounted; nothing is read or made before it is asked for."""

    def __init__(self) -> None:
        self._modules: dict[str, str] = {}
        self._texts: dict[str, bytes] = {}
        self._making = Lock()

    def add(self, name: str, module: str) -> None:
        """One more.

        :param module: where it stands, as ``DOCUMENT``
        """
        self._modules[name] = module

    @property
    def names(self) -> Collection[str]:
        """Of all of them."""
        return self._modules.keys()

    @property
    def documents(self) -> dict[str, Document]:
        """What the APIs say of themselves."""
        return {name: self._document(name) for name in self._modules}

    def _document(self, name: str) -> Document:
        """
        :raises KeyError: there is none of that name
        """
        document: Document = import_module(self._modules[name]).DOCUMENT
        return document

    def text(self, name: str, registry: Any) -> bytes:
        """The document as JSON. Of many who ask for it first, one makes it.

        :raises KeyError: there is none of that name
        """
        if name not in self._texts:
            with self._making:
                if name not in self._texts:
                    self._texts[name] = self._make(name, registry)
        return self._texts[name]

    def _make(self, name: str, registry: Any) -> bytes:
        document = build(
            self._document(name),
            offers(registry),
            version=version("accountsapp"),
            server=registry.app_settings.site_path,
        )
        return json.dumps(document, ensure_ascii=False, indent=1).encode()
