"""S50: what production mode does not start with; the line names the setting and shows no secret.

The settings one by one stand in ``tests/domain/test_settings.py``; here it is the server and the command.
"""

from pathlib import Path

import pytest
from click.testing import CliRunner

from accountsapp import main
from accountsapp.cli import main as command
from accountsapp.production_checks import DEVELOPMENT_SECRET
from accountsapp.settings import SettingsError, load
from tests.cli.conftest import write_ini

SECRET = "canary-of-production-" + "q" * 40
REFUSED: dict[str, tuple[dict[str, str | None], str]] = {
    "no secret": ({"accountsapp.secret": None}, "accountsapp.secret"),
    "empty secret": ({"accountsapp.secret": ""}, "accountsapp.secret"),
    "short secret": ({"accountsapp.secret": "canary-short"}, "accountsapp.secret"),
    "one of two is short": ({"accountsapp.secret": f"{SECRET} canary-short"}, "accountsapp.secret"),
    "development secret": ({"accountsapp.secret": DEVELOPMENT_SECRET}, "accountsapp.secret"),
    "development secret second": (
        {"accountsapp.secret": f"{SECRET} {DEVELOPMENT_SECRET}"},
        "accountsapp.secret",
    ),
    "no site_url": ({"accountsapp.site_url": None}, "accountsapp.site_url"),
    "empty site_url": ({"accountsapp.site_url": ""}, "accountsapp.site_url"),
    "site_url with a password": (
        {"accountsapp.site_url": "https://u:canary@example.org"},
        "accountsapp.site_url",
    ),
    "no database": ({"sqlalchemy.url": None}, "sqlalchemy.url"),
    "bad database": ({"sqlalchemy.url": "mysql://u:canary@h/d"}, "sqlalchemy.url"),
    "unreadable database": ({"sqlalchemy.url": "canary"}, "sqlalchemy.url"),
    "debug toolbar": ({"pyramid.includes": "pyramid_debugtoolbar"}, "pyramid.includes"),
    "debug toolbar among others": (
        {"pyramid.includes": "pyramid_x\npyramid_debugtoolbar"},
        "pyramid.includes",
    ),
    "debug_all": ({"pyramid.debug_all": "true"}, "pyramid.debug_all"),
    "debug_all, other words": ({"pyramid.debug_all": "Yes"}, "pyramid.debug_all"),
    "debug_all, a number": ({"pyramid.debug_all": "1"}, "pyramid.debug_all"),
    "debug_all, old name": ({"debug_all": "true"}, "debug_all"),
    "unknown mode": ({"accountsapp.mode": "prod"}, "accountsapp.mode"),
}


def production(**changes: str) -> dict[str, str]:
    return {
        "sqlalchemy.url": "sqlite:////nowhere/to/be/opened/accounts.sqlite",
        "accountsapp.secret": SECRET,
        "accountsapp.site_url": "https://accounts.example.org",
        **changes,
    }


@pytest.mark.parametrize("case", REFUSED)
def test_s50_the_server_does_not_start(
    case: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes, named = REFUSED[case]
    values = production()
    for name, value in changes.items():
        if value is None:
            del values[name]
        else:
            values[name] = value
    with pytest.raises(SystemExit) as refused:
        main({"here": str(tmp_path)}, **values)
    text = str(refused.value)
    assert text.startswith(f"accountsapp: {named}: ")
    assert text.count("\n") == 0
    said = text + "".join(capfd.readouterr())
    assert "canary" not in said
    assert DEVELOPMENT_SECRET not in said
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o666])
def test_s50_an_ini_that_everybody_may_read(tmp_path: Path, mode: int) -> None:
    held = {"accountsapp.mail.password": "canary", "sqlalchemy.url": "postgresql+psycopg://u:canary@h/d"}
    for values in ({}, *({name: value} for name, value in held.items())):
        ini = write_ini(tmp_path / "production.ini", production(**values))
        ini.chmod(mode)
        with pytest.raises(SystemExit) as refused:
            main({"here": str(tmp_path), "__file__": str(ini)}, **production(**values))
        assert "chmod o-rwx" in str(refused.value)
        assert "canary" not in str(refused.value)


@pytest.mark.parametrize("where", ["inner.ini", "%(here)s/inner.ini", "inner.ini#main"])
def test_s50_an_ini_that_takes_its_settings_from_another(tmp_path: Path, where: str) -> None:
    def said(outer_mode: int, inner_mode: int) -> str:
        inner = write_ini(tmp_path / "inner.ini", production())
        with inner.open("a") as more:
            more.write("[app:two]\nuse = egg:accountsapp\naccountsapp.secret =\n")
        inner.chmod(inner_mode)
        outer = tmp_path / "outer.ini"
        outer.write_text(f"[app:main]\nuse = config:{where}\n[server:main]\nuse = egg:waitress#main\n")
        outer.chmod(outer_mode)
        ran = CliRunner().invoke(command, ["-c", str(outer), "accounts", "list"], catch_exceptions=False)
        assert ran.exit_code == 1
        return ran.stderr

    assert "accountsapp.secret: inner.ini holds it" in said(0o600, 0o644)
    assert "holds it" not in said(0o644, 0o600)


def test_s50_the_command_does_not_start_either(tmp_path: Path) -> None:
    def err(values: dict[str, str], mode: int) -> str:
        ini = write_ini(tmp_path / "production.ini", values)
        ini.chmod(mode)
        ran = CliRunner().invoke(command, ["-c", str(ini), "accounts", "list"], catch_exceptions=False)
        assert (ran.exit_code, ran.stdout) == (1, "")
        return ran.stderr

    for changes, named in REFUSED.values():
        values = production(**{name: (value or "").replace("\n", " ") for name, value in changes.items()})
        said = err(values, 0o600)
        assert said.startswith(f"accountsapp: {named}: ")
        assert "canary" not in said
    assert "chmod o-rwx" in err(production(), 0o644)


@pytest.mark.parametrize(
    ("name", "value"), [("PYRAMID_DEBUG_ALL", "1"), ("ACCOUNTSAPP_SECRET", "canary-short")]
)
def test_s50_the_environment_is_looked_at_too(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(production(), environ={name: value})
    assert "canary" not in str(refused.value)


def test_s50_production_is_the_default_and_starts_with_good_settings() -> None:
    assert load(production(), environ={}).mode == "production"
    assert load(production(**{"pyramid.debug_all": "false"}), environ={}).mode == "production"
