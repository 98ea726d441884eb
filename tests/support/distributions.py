"""Distributions that are installed for the length of a test."""

import sys
from pathlib import Path

import pytest


def install_api(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str) -> None:
    """Make ``accountsapp.apis`` offer one more API, as an installed distribution does."""
    write_metadata(folder, name, package)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])


def write_metadata(folder: Path, name: str, package: str) -> None:
    """What an installed distribution says of itself, in a folder to be put on the path."""
    metadata = folder / f"{name}_api-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-api\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[accountsapp.apis]\n{name} = {package}\n")
