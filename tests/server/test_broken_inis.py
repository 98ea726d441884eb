"""An ini that is broken, in each way that one can be: one line says so, without a secret."""

import json
import logging
import os
from collections.abc import Callable
from configparser import RawConfigParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from accountsapp.cli import main
from accountsapp.ini_file import load_server
from accountsapp.server.starting import filled, problems_of
from accountsapp.settings import Settings
from tests.support.forks import FORKS
from tests.support.servers import ROOT
from tests.test_settings import all_names

SECRET = "canary-" + "q" * 40
GOOD = f"""[app:main]
use = egg:accountsapp
accountsapp.mode = development
sqlalchemy.url = DATABASE
accountsapp.secret = {SECRET}
accountsapp.site_url = http://127.0.0.1:6543
accountsapp.mail.enabled = false

[server:main]
use = egg:accountsapp#RUNNER
listen = 127.0.0.1:0
"""
LOG = """
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = INFO
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = plain
[formatter_plain]
format = %(message)s
"""


def replaced(old: str, new: str) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new).encode()


def with_setting(line: str) -> bytes:
    return replaced("\n[server:main]", f"{line}\n\n[server:main]")


def with_option(line: str) -> bytes:
    return f"{GOOD}{line}\n".encode()


def with_log(old: str, new: str) -> bytes:
    assert old in LOG
    return (GOOD + LOG.replace(old, new)).encode()


TEXTS = {
    "a line twice": (
        with_setting(f"accountsapp.secret = {SECRET}"),
        "line 8: [app:main] accountsapp.secret is there twice",
    ),
    "a line twice in [DEFAULT]": (
        b"[DEFAULT]\nx = 1\nx = 2\n" + GOOD.encode(),
        "line 3: [DEFAULT] x is there",
    ),
    "a section twice": (with_option("[app:main]"), "[app:main] is there twice"),
    "Latin-1": (
        with_setting("accountsapp.site_name = canary caf\xe9").decode().encode("latin-1"),
        "not UTF-8",
    ),
    "UTF-16": (GOOD.encode("utf-16"), "not UTF-8 at byte 1"),
    "a byte order mark": (GOOD.encode("utf-8-sig"), "byte order mark"),
    "no section": (replaced("[app:main]\n", ""), "line 1: a section comes first"),
    "half a section": (replaced("[app:main]", "[app:main"), "line 1: a section comes first"),
    "no =": (with_setting(f"canary {SECRET}"), "line 8: neither a [section] nor NAME = VALUE"),
    "no [app:main]": (replaced("[app:main]", "[ap:main]"), "no section [app:main]; the nearest is [ap:main]"),
    "another distribution": (replaced("egg:accountsapp\n", "egg:acountsapp\n"), "acountsapp"),
    "another factory": (replaced("egg:accountsapp\n", "egg:accountsapp#wsgi\n"), "wsgi"),
    "another attribute": (replaced("egg:accountsapp\n", "call:accountsapp:wsgi\n"), "wsgi"),
    "no use": (replaced("use = egg:accountsapp\n", ""), "app:main"),
    "another file": (
        replaced("egg:accountsapp\n", "config:none.ini\n"),
        "none.ini: No such file or directory",
    ),
    "no variable": (with_setting("accountsapp.site_name = %(nope)s"), "site_name: needs the variable nope"),
    "no variable in [DEFAULT]": (b"[DEFAULT]\nx = %(nope)s\n" + GOOD.encode(), "x: needs the variable nope"),
    "a circle": (
        with_setting("accountsapp.site_name = %(accountsapp.site_name)s"),
        "accountsapp.site_name: leads to itself",
    ),
    "a lone %": (with_setting("accountsapp.mail.password = canary%x"), "a % must be written %%"),
    "a misspelt setting": (with_setting("accountsapp.secert = canary"), "the nearest is accountsapp.secret"),
    "another case": (with_setting("Accountsapp.Jobs = x"), "the nearest is accountsapp.jobs"),
    "no prefix": (with_setting("registration = closed"), "the nearest is accountsapp.registration"),
    "a misspelt prefix": (with_setting("acountsapp.files = /x"), "the nearest is accountsapp.files"),
    "an underscore": (with_setting("accountsapp_mail.host = x"), "the nearest is accountsapp.mail.host"),
    "of the database": (with_setting("sqlalchemy.readurl = x"), "the nearest is sqlalchemy.read_url"),
}
"""For everybody who reads the ini: what it is, and what is said of it."""
FOR_SERVERS = {
    "no [server:main]": (
        replaced("[server:main]", "[servr:main]"),
        "no section [server:main]; the nearest is [servr:main]",
    ),
    "another runner": (replaced("#RUNNER", "#wsgi"), "wsgi"),
    "no variable of the server": (
        with_option("ident = %(nope)s"),
        "[server:main] ident: needs the variable nope",
    ),
    "no variable for the runner": (with_option("ident = %%(nope)s"), "ident in [server:main]"),
    "a lone % of the server": (with_option("url_prefix = /%x"), "[server:main] url_prefix: a % must"),
    "a high port": (replaced("127.0.0.1:0", "127.0.0.1:99999"), "listen: a port is at most 65535"),
    "no address": (replaced("127.0.0.1:0", ""), "listen must name an address"),
    "no such host": (replaced("127.0.0.1:0", "nowhere.invalid:0"), "listen cannot be"),
    "no such folder": (
        replaced("listen = 127.0.0.1:0", "unix_socket = /dev/null/x"),
        "cannot listen on /dev/null/x",
    ),
    "a long path": (replaced("listen = 127.0.0.1:0", f"unix_socket = /{'x' * 200}"), "too long"),
    "no thread": (with_option("threads = 0"), "threads must be at least 1"),
    "no connection": (with_option("connection_limit = -1"), "connection_limit must be at least 1"),
    "no time": (with_option("channel_timeout = -1"), "channel_timeout must be at least 1"),
    "nobody waits": (with_option("backlog = 0"), "backlog must be at least 1"),
    "no number": (with_option("threads = many"), "threads cannot be 'many'"),
    "two at once": (
        with_option("threads = 0\nbacklog = x"),
        "threads must be at least 1; backlog cannot be 'x'",
    ),
    "no such header": (with_option("trusted_proxy_headers = x"), "trusted_proxy_headers cannot be 'x'"),
    "no such option": (with_option("thread = 4"), "thread"),
    "no such level": (
        with_log("INFO", "LOUD"),
        "[loggers], [handlers] and [formatters] cannot be used: ValueError",
    ),
    "no such handler": (with_log("StreamHandler", "nothing.Handler"), "No module named 'nothing'"),
    "no such formatter": (with_log("keys = plain", "keys = other"), "KeyError: 'formatter_other'"),
    "half an argument": (with_log("(sys.stderr,)", "(sys.stderr"), "SyntaxError"),
    "a log that cannot be": (
        with_log("StreamHandler\nargs = (sys.stderr,)", "FileHandler\nargs = ('/dev/null/x',)"),
        "NotADirectoryError",
    ),
    "no such include": (with_setting("pyramid.includes = nothing"), "pyramid.includes"),
    "no such query of Redis": (
        with_setting("accountsapp.rate_limit.storage = redis://:canary@127.0.0.1:1/0?x=canary"),
        "accountsapp.rate_limit.storage: what stands after the ?",
    ),
}
"""For those who start a server."""
BROKEN_VALUES = {
    "accountsapp.mode": "canary",
    "sqlalchemy.url": "mysql://canary@h/d",
    "sqlalchemy.read_url": "canary",
    "sqlalchemy.pgbouncer": "canary",
    "accountsapp.secret": "canary",
    "accountsapp.site_url": "canary",
    "accountsapp.site_name": "canary" * 20,
    "accountsapp.site_logo": "FOLDER/canary.png",
    "accountsapp.site_colour": "canary",
    "accountsapp.locales": "Canary",
    "accountsapp.apis": "bookie bookie",
    "accountsapp.files": "/tmp/a\0canary",
    "accountsapp.mail.host": "",
    "accountsapp.mail.tls": "canary",
    "accountsapp.mail.sender": "canary",
    "accountsapp.mail.directory": " ",
    "accountsapp.registration": "canary",
    "accountsapp.rate_limit.storage": "redis://:canary@h/x",
    "accountsapp.keys.rate_limit": "canary",
    "accountsapp.jobs": "canary",
    "accountsapp.cors_origins": "canary",
    "accountsapp.passwords.refused": "/canary",
    "accountsapp.metrics_from": "canary",
    "accountsapp.check_from": "canary",
    "accountsapp.leaks.public_keys": "FOLDER/canary.json",
    "accountsapp.frontend_url": "canary",
    "accountsapp.openedx.cookie_domain": "canary;",
}
"""Of a setting, where another one than this text is needed: a number, or true or false, is not "canary"."""
MAY_BE_ANYTHING = {"accountsapp.mail.username", "accountsapp.mail.password"}


def ran(words: list[str], inis: list[Path]) -> list[tuple[int, str]]:
    """The exit status of a command with each ini, and what it says."""
    results = []
    for ini in inis:
        result = CliRunner().invoke(main, ["-c", str(ini), *words], prog_name="accountsapp")
        lost = result.exception is not None and not isinstance(result.exception, SystemExit)
        said = repr(result.exception) if lost else result.output
        results.append((-1 if lost else result.exit_code, said))
    return results


def run_into(file: Path, commands: list[list[str]], inis: list[Path]) -> None:
    """In a process of its own, which a server may change: results of :func:`ran` for each command."""
    logging.getLogger().addHandler(logging.NullHandler())
    file.write_text(json.dumps([ran(words, inis) for words in commands]))


LONGEST_RUN = 40
"""Seconds; a server that starts all the same would serve for ever."""
SERVE, WORK, CHECK, LIST = (
    ["serve"],
    ["jobs", "run", "--until-empty"],
    ["config", "check"],
    ["accounts", "list"],
)
Say = Callable[[list[bytes], list[list[str]]], list[list[tuple[int, str]]]]


@pytest.fixture
def backend() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


@pytest.fixture
def say(tmp_path: Path, database_url: str) -> Say:
    """What each of some commands says to each of some texts of an ini."""
    (tmp_path / "canary.png").write_text("canary, no picture")
    (tmp_path / "canary.json").write_text('{"public_keys": [{"key_identifier": "canary", "key": "canary"}]}')

    def say(texts: list[bytes], commands: list[list[str]]) -> list[list[tuple[int, str]]]:
        inis = []
        for number, text in enumerate(texts):
            ini = tmp_path / f"{number}.ini"
            filled = text.replace(b"DATABASE", database_url.encode())
            ini.write_bytes(filled.replace(b"FOLDER", os.fsencode(tmp_path)))
            inis.append(ini)
        results = tmp_path / "results.json"
        process = FORKS.Process(target=run_into, args=(results, commands, inis), daemon=True)
        process.start()
        process.join(LONGEST_RUN)
        process.kill()
        assert results.exists(), "one of them serves"
        said: list[list[tuple[int, str]]] = json.loads(results.read_text())
        return said

    return say


def with_runner(text: bytes, runner: str) -> bytes:
    return text.replace(b"RUNNER", runner.encode())


def check_line(case: str, code: int, said: str, expected: str) -> None:
    assert code == 1, (case, said)
    assert expected in said, (case, said)
    assert said.startswith("accountsapp: "), (case, said)
    assert said.rstrip("\n").count("\n") == 0, (case, said)
    assert "canary" not in said.replace("/canary", ""), (case, said)


def test_whoever_reads_it(say: Say) -> None:
    texts = [text for text, _ in TEXTS.values()]
    for runner in ("waitress", "granian"):
        commands = [SERVE, WORK, CHECK, LIST] if runner == "waitress" else [SERVE]
        for results in say([with_runner(text, runner) for text in texts], commands):
            for (case, (_, expected)), (code, said) in zip(TEXTS.items(), results, strict=True):
                check_line(case, code, said, expected)


def test_whoever_serves(say: Say) -> None:
    texts = [text for text, _ in FOR_SERVERS.values()]
    for runner in ("waitress", "granian"):
        (results,) = say([with_runner(text, runner) for text in texts], [SERVE])
        for (case, (_, expected)), (code, said) in zip(FOR_SERVERS.items(), results, strict=True):
            check_line(case, code, said, expected)


def test_each_setting(say: Say) -> None:
    """As the operator's page has them, with one value that none may have."""
    names = sorted(all_names() - MAY_BE_ANYTHING)
    values = [BROKEN_VALUES.get(name, "-7") for name in names]
    lines = GOOD.splitlines(keepends=True)
    texts = [
        "".join(line for line in lines if not line.startswith(f"{name} ="))
        .replace("\n[server:main]", f"{name} = {value}\n\n[server:main]")
        .replace("RUNNER", "waitress")
        .encode()
        for name, value in zip(names, values, strict=True)
    ]
    for results in say(texts, [SERVE, WORK, CHECK, LIST]):
        for name, (code, said) in zip(names, results, strict=True):
            check_line(name, code, said, f"accountsapp: {name}: ")
    assert {field.alias for field in Settings.model_fields.values()} - {None} <= {*names, *MAY_BE_ANYTHING}


def test_the_options_that_the_repository_has_are_good() -> None:
    """Also those that waitress takes only beside others."""
    for ini in (ROOT / "production.ini", ROOT / "development.ini"):
        options = load_server(str(ini)).local_conf
        variables = {"http_host": "127.0.0.1", "http_port": "1", "http_proxy_host": "127.0.0.1"}
        assert problems_of(options, variables) == []
        assert filled("a.ini", options, variables).keys() == options.keys()


def test_config_check_looks_at_the_server(say: Say) -> None:
    good = with_runner(GOOD.encode(), "waitress")
    texts = [good, good.replace(b"127.0.0.1:0", b"127.0.0.1:%%(http_port)s"), good + b"thread = 4\n"]
    texts += [with_runner(FOR_SERVERS[case][0], "waitress") for case in ("no thread", "another runner")]
    (results,) = say(texts, [CHECK])
    lines = [[line for line in said.splitlines() if line.startswith("server")] for _, said in results]
    verdicts = [line.split(maxsplit=2) for (line,) in lines]
    assert [" ".join(words[:2]) for words in verdicts] == ["server ok"] * 2 + ["server NO"] * 3
    assert [words[2] for words in verdicts[2:4]] == [
        "there is no option thread",
        "threads must be at least 1",
    ]
    (((code, said),),) = say([texts[1]], [[*CHECK, "http_port=99999"]])
    assert code == 1
    assert "listen: a port is at most 65535" in said


def test_the_options_of_production_are_good() -> None:
    ini = RawConfigParser()
    ini.read(Path(__file__).parents[2] / "production.ini")
    assert "trusted_proxy_count" in ini["server:main"]
    assert problems_of(ini["server:main"]) == []
