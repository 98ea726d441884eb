"""Applications of tests share what costs time to make, and nothing that one test can see of another."""

from pathlib import Path

import pytest

from accountsapp.testing.applications import Applications


def test_a_database_is_kept_for_the_next_test_unless_it_was_in_trouble(
    applications: Applications, ini: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Trouble is told of once a minute: the next test would wait for its line in vain."""
    databases = []
    for _ in range(3):
        app = applications.make(ini, str(tmp_path))
        databases.append(app.registry.database)
        applications.end(app)
    assert databases[0] is databases[1] is databases[2]
    for trouble in ("reading", "writing"):
        for _ in range(2):
            app = applications.make(ini, str(tmp_path))
            caplog.clear()
            getattr(app.registry.database, trouble).met("the disk is full")
            getattr(app.registry.database, trouble).over()
            assert len(caplog.records) == 2
            applications.end(app)
