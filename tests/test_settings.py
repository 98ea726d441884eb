"""The settings: defaults, the environment, and one line for every bad one."""

import logging
import re
import sys
from pathlib import Path

import pytest

from accountsapp import main, settings
from accountsapp.production_checks import DEVELOPMENT_SECRET
from accountsapp.settings import NAMES, Settings, SettingsError, load, offered_apis

SECRET = "s" * 32
NEEDED = {
    "sqlalchemy.url": "sqlite:////tmp/accounts.sqlite",
    "accountsapp.secret": SECRET,
    "accountsapp.site_url": "https://accounts.example.org",
}


def loaded(**changes: str) -> Settings:
    return load({**NEEDED, **{name.replace("__", "."): value for name, value in changes.items()}}, environ={})


def test_defaults() -> None:
    settings = load(NEEDED, here="/srv/app", environ={})
    got = settings.model_dump()
    expected = {
        "mode": "production",
        "secrets": (SECRET,),
        "apis": tuple(offered_apis()),
        "files": Path("/srv/app/var/files"),
        "mail_directory": Path("/srv/app/var/mail"),
        "bcrypt_rounds": 12,
        "mail_host": "localhost",
        "mail_port": 25,
        "mail_tls": "none",
        "mail_enabled": True,
        "registration": "open",
        "rate_limit": True,
        "rate_limit_storage": "memory://",
        "jobs": "embedded",
        "cors_origins": (),
        "passwords_refused": None,
        "links_expire": 18000,
        "metrics_from": ("127.0.0.1", "::1"),
        "check_from": ("127.0.0.1", "::1"),
    }
    assert {name: got[name] for name in expected} == expected


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_what_is_needed(name: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({key: value for key, value in NEEDED.items() if key != name}, environ={})
    assert str(refused.value) == f"{name}: is required"


BAD = {
    "accountsapp.mode": ("debug",),
    "sqlalchemy.url": ("", "x", "mysql://h/d", "sqlite://", "sqlite:///:memory:"),
    "sqlalchemy.read_url": ("x", "mysql://h/d", "sqlite:////tmp/other.sqlite"),
    "sqlalchemy.pgbouncer": ("maybe", ""),
    "accountsapp.secret": ("", "   ", "short", f"{SECRET} short"),
    "accountsapp.site_url": (
        "",
        "accounts.example.org",
        "ftp://example.org",
        "https://",
        "https://u:p@example.org",
        "https://example.org/?a",
        "https://example.org/#a",
        "https://exa mple.org",
    ),
    "accountsapp.site_name": ("x" * 61, "a\0b", "=?utf-8?q?x?="),
    "accountsapp.site_colour": ("", "red", "#12345", "#12345g", "#1234567", "url(x)"),
    "accountsapp.site_logo": ("/nonexistent/logo.png", "/"),
    "accountsapp.locales": ("", "EN", "en ../..", "english"),
    "accountsapp.apis": ("bookie other", "Bookie"),
    "accountsapp.bcrypt_rounds": ("3", "21", "x", ""),
    "accountsapp.mail.port": ("0", "65536", "smtp"),
    "accountsapp.mail.tls": ("ssl",),
    "accountsapp.mail.enabled": ("maybe",),
    "accountsapp.registration": ("maybe",),
    "accountsapp.rate_limit": ("maybe",),
    "accountsapp.rate_limit.storage": ("", "file:///x", "redis://"),
    "accountsapp.keys.max": ("-1", "1001", "x", ""),
    "accountsapp.keys.fresh": ("0", "86401", "x", ""),
    "accountsapp.keys.rate_limit": (
        "10",
        "0/minute",
        "1000001/day",
        "1/week",
        "1 per minute",
        "٣/minute",
        "-1/day",
    ),
    "accountsapp.jobs": ("cron",),
    "accountsapp.cors_origins": (
        "*",
        "example.com",
        "https://example.com/",
        "https://a https://b/x",
        "https://a:port",
        "https://a:99999",
        "https://[::1",
        "https://u:p@a",
        "https://:80",
    ),
    "accountsapp.passwords.refused": ("/nonexistent/list",),
    "accountsapp.links_expire": ("0", "-1", "x", "31536001"),
    "accountsapp.metrics_from": ("localhost", "127.0.0.1 x"),
    "accountsapp.check_from": ("proxy", "10.0.0.1/8", "::1 x"),
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_a_bad_one_is_named_in_one_line_without_its_value(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({**NEEDED, name: value}, environ={})
    text = str(refused.value)
    assert text.startswith(f"{name}: ")
    assert "\n" not in text
    if len(value) > 6:
        assert value not in text


def test_what_is_wrong_is_said_in_words_of_ours() -> None:
    """Whichever setting it is, and whatever it was given: what it must be, nothing of pydantic's."""
    environ = {name.upper().replace(".", "_"): name for name in all_names()}
    said: dict[str, set[str]] = {}
    for value in ("", " ", "x", "-1", "9" * 30, "0", "1.5", "\x00", "ftp://x", "a b"):
        for variable, name in environ.items():
            try:
                load(NEEDED, environ={variable: value})
            except SettingsError as error:
                for line in str(error).splitlines():
                    said.setdefault(name, set()).add(line)
    for name, lines in said.items():
        for line in lines:
            assert line.startswith(f"{name}: "), line
            text = line.removeprefix(f"{name}: ")
            assert re.search(r"\bmust\b|there are: |name a file", text), line
            assert not re.search(r"[Ii]nput|[Vv]alid|items|Value error", text), line
            variable = name.upper().replace(".", "_")
            assert text.endswith(f" ({variable} in the environment)") or "must not be above" in text, line
    assert len(said) > 40
    (empty,) = [line for line in said["accountsapp.secret"] if "empty" in line]
    assert empty.startswith("accountsapp.secret: must not be empty: it needs 32 random characters; python3 ")


def all_names() -> set[str]:
    """Of every setting, also those of the APIs."""
    models = settings._section_models().values()
    return {
        *NAMES,
        *(field.alias for model in models for field in model.model_fields.values() if field.alias),
    }


@pytest.mark.parametrize(
    ("name", "value"), [("sqlalchemy.read_url", "postgresql:///d"), ("sqlalchemy.pgbouncer", "true")]
)
def test_what_is_for_postgresql_only(name: str, value: str) -> None:
    url = {"sqlalchemy.url": "postgresql:///d"}
    assert load({**NEEDED, **url, name: value}, environ={}).database_url == "postgresql:///d"
    with pytest.raises(SettingsError, match=f"^{name}: is for PostgreSQL only$"):
        load({**NEEDED, name: value}, environ={})
    assert load({**NEEDED, "sqlalchemy.read_url": ""}, environ={}).read_url is None


def test_every_bad_one_is_named() -> None:
    with pytest.raises(SettingsError) as refused:
        loaded(accountsapp__bcrypt_rounds="x", accountsapp__jobs="cron", accountsapp__secret="short")
    named = {line.partition(":")[0] for line in str(refused.value).splitlines()}
    assert named == {"accountsapp.bcrypt_rounds", "accountsapp.jobs", "accountsapp.secret"}


def test_the_environment_wins() -> None:
    environ = {
        "ACCOUNTSAPP_MAIL_HOST": "mail.example.org",
        "ACCOUNTSAPP_SECRET": "e" * 40,
        "SQLALCHEMY_URL": "postgresql+psycopg://h/d",
        "ACCOUNTSAPP_RATE_LIMIT_STORAGE": "redis://h/0",
    }
    settings = load({**NEEDED, "accountsapp.mail.host": "ini.example.org"}, environ=environ)
    got = (settings.mail.host, settings.secrets, settings.database_url, settings.rate_limit_storage)
    assert got == ("mail.example.org", ("e" * 40,), "postgresql+psycopg://h/d", "redis://h/0")


def test_every_name_has_one_variable() -> None:
    variables = {name.upper().replace(".", "_") for name in NAMES}
    assert len(variables) == len(NAMES)


def test_words_and_slashes() -> None:
    settings = loaded(
        accountsapp__apis="bookie amo",
        accountsapp__cors_origins="https://a.example  https://b.example:8443",
        accountsapp__secret=f"{'n' * 32} {SECRET}",
        accountsapp__site_url="https://accounts.example.org/base/",
    )
    assert settings.apis == ("bookie", "amo")
    assert settings.cors_origins == ("https://a.example", "https://b.example:8443")
    assert settings.secrets == ("n" * 32, SECRET)
    assert settings.site_url == "https://accounts.example.org/base"


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("HTTPS://Accounts.Example.ORG", "https://accounts.example.org"),
        ("https://accounts.example.org:443", "https://accounts.example.org"),
        ("http://accounts.example.org:080", "http://accounts.example.org"),
        ("https://accounts.example.org:", "https://accounts.example.org"),
        ("https://accounts.example.org:80", "https://accounts.example.org:80"),
        ("http://accounts.example.org:443", "http://accounts.example.org:443"),
        ("http://127.0.0.1:6543", "http://127.0.0.1:6543"),
        ("http://[2001:DB8::1]:80", "http://[2001:db8::1]"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_origins_are_kept_as_browsers_write_them(given: str, origin: str) -> None:
    settings = loaded(
        accountsapp__site_url=given, accountsapp__cors_origins=f"{given} chrome-extension://abcdef"
    )
    assert settings.site_url == origin
    assert settings.cors_origins == (origin, "chrome-extension://abcdef")
    assert loaded(accountsapp__site_url=f"{given}/Base/").site_url == f"{origin}/Base"


@pytest.mark.parametrize(
    ("misspelt", "nearest"),
    [
        ("accountsapp.bcrypt_round", "accountsapp.bcrypt_rounds"),
        ("accountsapp.mail.hots", "accountsapp.mail.host"),
        ("accountsapp.ratelimit", "accountsapp.rate_limit"),
        ("accountsapp.Mode", "accountsapp.mode"),
        ("AccountsApp.secret", "accountsapp.secret"),
        ("accountsapp.password.refused", "accountsapp.passwords.refused"),
    ],
)
def test_an_unknown_setting_is_named_with_the_nearest(misspelt: str, nearest: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({**NEEDED, misspelt: "canary"}, environ={})
    assert str(refused.value) == f"{misspelt}: there is no such setting; the nearest is {nearest}"


def test_settings_of_others_are_not_ours() -> None:
    load({**NEEDED, "pyramid.reload_templates": "1", "accountsapps": "x"}, environ={})


def test_an_unknown_variable_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    environ = {
        "ACCOUNTSAPP_BCRYPT_ROUND": "canary",
        "ACCOUNTSAPP_PORT": "6543",
        "ACCOUNTSAPP_CONFIG": "production.ini",
        "ACCOUNTS_X": "1",
    }
    with caplog.at_level(logging.WARNING):
        load(NEEDED, environ=environ)
    assert [record.getMessage() for record in caplog.records] == [
        "the environment variable ACCOUNTSAPP_BCRYPT_ROUND is no setting",
        "the environment variable ACCOUNTSAPP_PORT is no setting",
    ]


def test_variables_of_container_engines_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    environ = {
        "ACCOUNTSAPP_PORT": "tcp://10.0.0.7:6543",
        "ACCOUNTSAPP_PORT_6543_TCP": "tcp://10.0.0.7:6543",
        "ACCOUNTSAPP_PORT_6543_TCP_ADDR": "10.0.0.7",
        "ACCOUNTSAPP_PORT_6543_TCP_PORT": "6543",
        "ACCOUNTSAPP_PORT_6543_TCP_PROTO": "tcp",
        "ACCOUNTSAPP_SERVICE_HOST": "10.0.0.7",
        "ACCOUNTSAPP_SERVICE_PORT": "6543",
        "ACCOUNTSAPP_SERVICE_PORT_HTTP": "6543",
        "ACCOUNTSAPP_WEB_SERVICE_HOST": "10.0.0.8",
        "ACCOUNTSAPP_MAIL_PORT": "tcp://10.0.0.9:25",  # of a service that is called accountsapp-mail
    }
    with caplog.at_level(logging.WARNING):
        settings = load(NEEDED, environ=environ)
    assert caplog.records == []
    assert settings.mail.port == 25


def test_settings_do_not_change() -> None:
    settings = loaded()
    with pytest.raises(ValueError, match="frozen"):
        settings.bcrypt_rounds = 4


def test_production_refuses_the_development_secret() -> None:
    with pytest.raises(SettingsError) as refused:
        loaded(accountsapp__secret=DEVELOPMENT_SECRET)
    assert str(refused.value).startswith("accountsapp.secret: ")
    assert DEVELOPMENT_SECRET not in str(refused.value)
    development = loaded(accountsapp__secret=DEVELOPMENT_SECRET, accountsapp__mode="development")
    assert development.secrets == (DEVELOPMENT_SECRET,)


@pytest.mark.parametrize("aid", [{"pyramid.includes": "pyramid_debugtoolbar"}, {"pyramid.debug_all": "true"}])
def test_production_refuses_debugging_aids(aid: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        load({**NEEDED, **aid}, environ={})
    load({**NEEDED, **aid, "accountsapp.mode": "development"}, environ={})


def written(folder: Path, values: dict[str, str]) -> Path:
    """An ini that has these settings."""
    file = folder / "production.ini"
    file.write_text("[app:main]\n" + "".join(f"{name} = {value}\n" for name, value in values.items()))
    return file


@pytest.mark.parametrize(
    "held",
    [
        {},
        {"accountsapp.mail.password": "canary"},
        {"sqlalchemy.url": "postgresql+psycopg://u:canary@h/d"},
    ],
)
def test_production_refuses_an_ini_with_secrets_that_others_may_read(
    tmp_path: Path, held: dict[str, str]
) -> None:
    values = {**NEEDED, **held}
    environ = {"ACCOUNTSAPP_SECRET": values.pop("accountsapp.secret")} if held else {}
    ini_file = written(tmp_path, values)
    ini_file.chmod(0o644)
    with pytest.raises(SettingsError) as refused:
        load(values, ini_file=ini_file, environ=environ)
    assert "\n" not in str(refused.value)
    assert "canary" not in str(refused.value)
    assert SECRET not in str(refused.value)
    ini_file.chmod(0o640)
    assert load(values, ini_file=ini_file, environ=environ).mode == "production"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sqlalchemy.url", "postgresql+foo://u:CANARY@h/d"),
        ("sqlalchemy.url", "postgresql+psycopg://u:x@h:CANARY/d"),
        ("sqlalchemy.url", "sqlite+aiosqlite:///CANARY"),
        ("accountsapp.rate_limit.storage", "redis://:CANA/RY@127.0.0.1:1/0"),
        ("accountsapp.mail.sender", "CANARY"),
        ("accountsapp.mail.sender", "a@example.org\r\nBcc: CANARY@example.org"),
        ("accountsapp.mail.host", ""),
        ("accountsapp.site_url", 'http://CANARY"><x'),
        ("accountsapp.site_url", "http://h:99999999"),
        ("accountsapp.apis", "bookie bookie"),
    ],
)
def test_what_can_never_work_is_named_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({**NEEDED, name: value}, environ={})
    lines = str(refused.value).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"{name}: ")
    assert "CANA" not in lines[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accountsapp.rate_limit.storage", "redis://:hidden@localhost:6379/0"),
        ("sqlalchemy.url", "postgresql+psycopg://u@h/d?password=hidden"),
    ],
)
def test_passwords_in_urls_are_secrets_too(name: str, value: str, tmp_path: Path) -> None:
    values = {**NEEDED, "accountsapp.secret": "", "accountsapp.mode": "production", name: value}
    file = written(tmp_path, values)
    file.chmod(0o644)
    with pytest.raises(SettingsError, match=name):
        load(
            values,
            ini_file=file,
            environ={"ACCOUNTSAPP_SECRET": "from the environment, long enough".replace(" ", "-")},
        )


@pytest.mark.parametrize(
    ("name", "value", "package"),
    [
        ("sqlalchemy.url", "postgresql+psycopg://u@h/d", "psycopg"),
        ("accountsapp.rate_limit.storage", "redis://localhost:6379/0", "redis"),
    ],
)
def test_a_package_that_is_not_installed_is_asked_for(
    name: str, value: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [module for module in sys.modules if module.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SystemExit) as refused:
        main({"here": str(tmp_path)}, **{**NEEDED, name: value})
    said = str(refused.value)
    assert said.startswith(f"accountsapp: {name}: needs a package")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sqlalchemy.url", "sqlite:////dev/null/a.sqlite"),
        ("accountsapp.passwords.refused", "/proc/self/mem"),
        ("accountsapp.files", " "),
        ("accountsapp.mail.directory", ""),
    ],
)
def test_what_cannot_be_used_is_named(name: str, value: str, tmp_path: Path, ini: dict[str, str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main({"here": str(tmp_path)}, **{**ini, name: value})
    assert str(refused.value).startswith(f"accountsapp: {name}: ")


@pytest.mark.parametrize("name", ["accountsapp.site_url", "accountsapp.cors_origins"])
def test_hosts_are_as_browsers_write_them(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: .*xn--"):
        load({**NEEDED, name: "https://bücher.example"}, environ={})
    written = "https://[0:0:0:0:0:0:0:1]:8443"
    assert load({**NEEDED, "accountsapp.site_url": written}, environ={}).site_url == "https://[::1]:8443"


@pytest.mark.parametrize(
    "sender",
    ["a@b", "accounts@localhost", "Accounts <accounts@example.test>", "Konten <konten@bücher.example>"],
)
def test_a_sender(sender: str) -> None:
    assert load({**NEEDED, "accountsapp.mail.sender": sender}, environ={}).mail.sender == sender


@pytest.mark.parametrize(
    "sender",
    ["a", "<a@b>, <c@d>", "a@b, c@d", "a@example.org.", "a@[127.0.0.1]", "A <a@b", "a..b@c.org", "A <a@b> c"],
)
def test_no_sender(sender: str) -> None:
    with pytest.raises(SettingsError, match=r"accountsapp\.mail\.sender: "):
        load({**NEEDED, "accountsapp.mail.sender": sender}, environ={})
