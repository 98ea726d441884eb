"""Sphinx configuration."""

from importlib.metadata import version as version_of

project = "accountsapp"
author = "accountsapp contributors"
copyright = "2026, accountsapp contributors"  # noqa: A001
version = release = version_of("accountsapp")

extensions: list[str] = []
exclude_patterns = ["_build"]
nitpicky = True

html_theme = "furo"
html_title = "accountsapp"
