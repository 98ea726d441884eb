"""Which APIs are mounted, and the settings that one has of its own."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from webtest import TestApp

from accountsapp import apis, main
from accountsapp.settings import load, offered_apis
from accountsapp.testing.applications import Applications
from tests.support.distributions import install_api
from tests.support.sixth_api.settings import Settings as SixthSettings

OWN = list(offered_apis())
"""Those of this distribution."""


@pytest.fixture
def applications() -> Applications:
    """Whose views nobody has configured yet: what is said then is what these tests are about."""
    return Applications()


@pytest.fixture
def sixth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sixth API is installed."""
    install_api(tmp_path / "installed", monkeypatch, "sixth", "tests.support.sixth_api")


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_our_own_are_offered() -> None:
    folders = {path.parent.name for path in Path(apis.__file__).parent.glob("*/__init__.py")}
    assert {name: entry.value for name, entry in offered_apis().items()} == {
        name: f"accountsapp.apis.{name}" for name in folders
    }


def test_all_that_is_offered_is_mounted_by_default(sixth: None, make_app: Callable[..., Any]) -> None:
    app = make_app()
    assert app.registry.apis == sorted([*OWN, "sixth"])
    assert TestApp(app).get("/sixth").json == {"max_length": 300}


def test_an_api_that_is_left_out_is_not_there(sixth: None, make_app: Callable[..., Any]) -> None:
    app = make_app(**{"accountsapp.apis": " ".join(OWN)})
    assert app.registry.apis == OWN
    TestApp(app).get("/sixth", status=404)


def test_an_api_gets_its_own_settings(sixth: None, make_app: Callable[..., Any]) -> None:
    app = TestApp(make_app(**{"accountsapp.sixth.max_length": "7"}))
    assert app.get("/sixth").json == {"max_length": 7}


def test_settings_of_an_api_come_from_the_environment_too(sixth: None, ini: dict[str, str]) -> None:
    settings = load(ini, environ={"ACCOUNTSAPP_SIXTH_MAX_LENGTH": "8"})
    assert settings.section(SixthSettings).max_length == 8


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("max_length", "0", "must be at least 1"),
        ("max_length", "canary", "must be a whole number"),
        ("max_lenght", "3", "there is no such setting; the nearest is accountsapp.sixth.max_length"),
    ],
)
def test_a_bad_setting_of_an_api_stops_the_start(
    sixth: None, ini: dict[str, str], tmp_path: Path, name: str, value: str, said: str
) -> None:
    with pytest.raises(SystemExit) as refused:
        main({"here": str(tmp_path)}, **{**ini, f"accountsapp.sixth.{name}": value})
    text = str(refused.value)
    assert text.startswith(f"accountsapp: accountsapp.sixth.{name}: {said}")
    assert "\n" not in text
    assert "canary" not in text


def test_settings_of_an_api_that_is_not_installed_are_unknown(ini: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"accountsapp\.sixth\.max_length: there is no such setting"):
        main({"here": str(tmp_path)}, **{**ini, "accountsapp.sixth.max_length": "7"})


def test_settings_of_an_api_that_is_not_mounted_are_known(sixth: None, ini: dict[str, str]) -> None:
    given = {**ini, "accountsapp.apis": " ".join(OWN), "accountsapp.sixth.max_length": "7"}
    settings = load(given, environ={})
    assert SixthSettings not in settings.sections


def test_a_planned_api_that_is_not_installed_is_one_line(
    make_app: Callable[..., Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accountsapp.settings.PLANNED_APIS", ("bookie", "later"))
    with caplog.at_level(logging.INFO):
        app = make_app(**{"accountsapp.apis": "bookie later"})
    ours = [record for record in caplog.records if record.name.startswith("accountsapp")]
    lines = [(record.levelname, record.getMessage()) for record in ours]
    assert lines == [("INFO", "accountsapp.apis: later is not installed")]
    assert app.registry.apis == ["bookie"]


def test_another_name_stops_the_start_and_is_named_with_what_there_is(
    sixth: None, ini: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as refused:
        main({"here": str(tmp_path)}, **{**ini, "accountsapp.apis": "bookie mastodon"})
    offered = " ".join(sorted([*OWN, "sixth"]))
    said = f"accountsapp: accountsapp.apis: 'mastodon' is no API; there are: {offered}"
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("name", "value"),
    [("accountsapp.registration", "closed"), ("accountsapp.cors_origins", "https://app.example.org")],
)
def test_a_setting_that_nothing_mounted_uses_is_told_of_in_one_line(
    make_app: Callable[..., Any], caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    make_app(**{"accountsapp.apis": "", name: value})
    (line,) = warnings_of(caplog)
    assert line.startswith(f"{name} has no effect: ")


def test_a_setting_that_an_api_uses_is_not_told_of(
    sixth: None, make_app: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    make_app(**{"accountsapp.registration": "closed"})
    make_app(**{"accountsapp.apis": ""})
    assert warnings_of(caplog) == []
