"""The commands of a page of the documentation, run as a reader would who copies them.

``curl`` is sent to the application, ``accountsapp`` is run on its database; of the shell there are variables,
``$(…)``, a pipe from ``echo`` and one into ``jq -r .name``. A block of Python is run with these variables.
What follows a command in its block is what it prints: the status of an answer, headers, the body. ``…`` or
``...`` stands for any text, or for the other members of an object or a list.
"""

import argparse
import json
import re
import shlex
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from io import StringIO
from textwrap import dedent
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from click.testing import CliRunner
from webtest import TestApp

from accountsapp.cli import main
from tests.support.pictures import encoded, quarters

_BLOCK = re.compile(r"^(?!\.\. ).*::\n\n((?:[ \t]+.*\n|\n)+)", re.M)
_COMMAND = re.compile(r"(?:curl|accountsapp|\.venv/bin/accountsapp|echo) |[A-Z_]+=\S")
_ASSIGNMENT = re.compile(r"([A-Z_]+)=(?:\$\((.+)\)|(.*))")
_VARIABLE = re.compile(r"'[^']*'|\$(\w+)")
_ANYTHING = re.compile(r"\\\.\\\.\\\.|…")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?")
REST = "…"


class Step(NamedTuple):
    """A command and what the page says that it prints; empty where it says nothing."""

    command: str
    printed: str


class Output(NamedTuple):
    """What a command printed, and of ``curl`` the status and the headers that came with it."""

    text: str
    status: int | None = None
    headers: Mapping[str, str] = {}


def steps_of(page: str) -> Iterator[Step]:
    """The commands of a page, in its order."""
    for block in _BLOCK.findall(page):
        if block.lstrip().startswith("import "):
            yield Step(dedent(block), "")
            continue
        lines = dedent(block).replace("\\\n", " ").splitlines()
        command, printed = "", []
        for line in lines:
            if _COMMAND.match(line):
                if command:
                    yield Step(command, "\n".join(printed).strip())
                command, printed = line, []
            elif command and not line.startswith("#"):
                printed.append(line)
        if command:
            yield Step(command, "\n".join(printed).strip())


Known = Callable[["Shell"], str]


class Shell:
    """
    :param site: what URLs begin with
    :param known: what a reader finds elsewhere, in place of values that a page leaves out, by variable
    """

    def __init__(self, app: TestApp, ini: str, site: str, known: Mapping[str, Known]) -> None:
        self.app, self.ini, self.site, self.known = app, ini, site, known
        self.variables: dict[str, str] = {}
        self.printed = ""
        app.extra_environ["REMOTE_ADDR"] = "127.0.0.1"

    def run(self, command: str) -> Output:
        """
        :raises AssertionError: it is none that this shell knows
        """
        if command.startswith("import "):
            return self._python(command)
        assignment = _ASSIGNMENT.fullmatch(command)
        if assignment:
            name, inner, value = assignment.groups()
            self.variables[name] = self.run(inner).text.strip() if inner else self._value(name, value)
            return Output("")
        words, pipe, reader = command.partition(" | ")
        if pipe and words.startswith("echo "):
            return self._accountsapp(self._split(reader), self._split(words)[1] + "\n")
        output = self._accountsapp(self._split(words)) if "accountsapp " in words else self._curl(words)
        self.printed += output.text
        return Output(_member(output.text, reader)) if pipe else output

    def _value(self, name: str, value: str) -> str:
        """What is written there; where some of it is left out, what was printed last that looks like it."""
        word = self._split(value)[0]
        if name in self.known:
            return self.known[name](self)
        if REST not in word and "..." not in word:
            return word
        text = _ANYTHING.sub('[^"]+', re.escape(word))
        pattern = f'"({text})"'
        members = re.findall(f'"{name.lower()}": {pattern}', self.printed)
        return (members or re.findall(pattern, self.printed))[-1]

    def _split(self, words: str) -> list[str]:
        def value_of(match: re.Match[str]) -> str:
            return self.variables[match[1]] if match[1] else match[0]

        return shlex.split(_VARIABLE.sub(value_of, words), comments=True)

    def _python(self, code: str) -> Output:
        with redirect_stdout(StringIO()) as printed:
            exec(code, dict(self.variables))
        self.printed += f'"{printed.getvalue().strip()}"'
        return Output("")

    def _accountsapp(self, words: list[str], typed: str = "") -> Output:
        program, *arguments = words
        assert program.endswith("accountsapp"), program
        if arguments[0] == "-c":
            arguments = arguments[2:]
        ran = CliRunner().invoke(main, ["-c", self.ini, *arguments], input=typed, catch_exceptions=False)
        assert ran.exit_code == 0, ran.output
        return Output(ran.stdout)

    def _curl(self, command: str) -> Output:
        program, *words = self._split(command)
        assert program == "curl", command
        options = _CURL.parse_args(words)
        headers = dict(re.split(": *", header, maxsplit=1) for header in options.header)
        if options.user:
            headers["Authorization"] = "Basic " + b64encode(options.user.encode()).decode()
        body = "&".join([*options.data, *map(_encode, options.data_urlencode)]).encode()
        if body:
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        if options.form:
            headers["Content-Type"], body = self.app.encode_multipart(*_fields(options.form))
        if not options.cookie:
            self.app.reset()
        assert options.url.startswith(self.site), options.url
        answer = self.app.request(
            options.url.removeprefix(self.site),
            method=options.request or ("POST" if body else "GET"),
            headers=headers,
            body=body,
            expect_errors=True,
        )
        return Output(answer.body.decode("utf-8", "replace"), answer.status_int, answer.headers)


_CURL = argparse.ArgumentParser("curl")
_CURL.add_argument("url")
_CURL.add_argument("-X", dest="request")
_CURL.add_argument("-u", dest="user")
_CURL.add_argument("-H", dest="header", action="append", default=[])
_CURL.add_argument("-d", "--data", action="append", default=[])
_CURL.add_argument("--data-urlencode", action="append", default=[])
_CURL.add_argument("-F", dest="form", action="append", default=[])
_CURL.add_argument("-b", dest="cookie", help="a file of cookies: those of the application are sent")
_CURL.add_argument("-c", dest="cookie_jar")
_CURL.add_argument("-s", "-i", action="store_true", dest="quiet")


def _encode(parameter: str) -> str:
    name, _, value = parameter.partition("=")
    return f"{name}={quote_plus(value)}"


def _fields(form: list[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str, bytes]]]:
    """The texts and the files of a form; a file is a picture."""
    pairs = [field.partition("=")[::2] for field in form]
    texts = [(name, value) for name, value in pairs if not value.startswith("@")]
    return texts, [(name, value[1:], encoded(quarters())) for name, value in pairs if value.startswith("@")]


def _member(text: str, reader: str) -> str:
    """What ``jq -r .name`` prints of it."""
    path = re.fullmatch(r"jq -r ((?:\.\w+)+)", reader)
    assert path, reader
    value = json.loads(text)
    for name in path[1][1:].split("."):
        value = value[name]
    return str(value)


def differences(printed: str, output: Output) -> Iterator[str]:
    """What the page says and is not so."""
    status = re.match(r"(\d{3})\b\s*", printed)
    if status:
        printed = printed[status.end() :]
        if output.status != int(status[1]):
            yield f"{output.status} is not {status[1]}: {output.text[:300]}"
            return
    elif output.status is not None and output.status >= 400:
        yield f"{output.status}: {output.text[:300]}"
        return
    while header := re.match(r"([A-Z][\w-]+): (.*)\s*", printed):
        printed = printed[header.end() :]
        if not _is_like(header[2], output.headers.get(header[1], "")):
            yield f"{header[0].strip()!r} is not {output.headers.get(header[1])!r}"
    body = output.text.strip()
    call = re.match(r"/\*\*/\w+\(", printed)
    if call:
        if not body.startswith(call[0]) or not body.endswith(");"):
            yield f"{body[:80]!r} is no {call[0]!r}"
            return
        printed, body = printed[call.end() : -2], body[call.end() : -2]
    if printed:
        printed = re.sub(r",\s*(?:\.\.\.|…)\s*\}", f', "{REST}": 0}}', printed)
        shown = json.loads(re.sub(r",\s*(?:\.\.\.|…)\s*\]", f', "{REST}"]', printed))
        yield from _differences(shown, json.loads(body), "")


def _differences(shown: Any, actual: Any, where: str) -> Iterator[str]:
    if isinstance(shown, dict) and isinstance(actual, dict):
        wanted = set(shown) - {REST}
        if wanted - set(actual) or (REST not in shown and set(actual) - wanted):
            yield f"{where}: members {sorted(actual)}"
        for name in sorted(wanted & set(actual)):
            yield from _differences(shown[name], actual[name], f"{where}.{name}")
    elif isinstance(shown, list) and isinstance(actual, list):
        if shown[-1:] == [REST]:
            shown, actual = shown[:-1], actual[: len(shown) - 1]
        if len(shown) != len(actual):
            yield f"{where}: {len(actual)} in place of {len(shown)}"
        for number, pair in enumerate(zip(shown, actual, strict=False)):
            yield from _differences(*pair, f"{where}[{number}]")
    elif isinstance(shown, str) and isinstance(actual, str):
        if not _is_like(shown, actual):
            yield f"{where}: {shown!r} is not {actual!r}"
    elif shown != actual:
        yield f"{where}: {shown!r} is not {actual!r}"


def _is_like(shown: str, actual: str) -> bool:
    """Whether that text can stand where the page has this one; moments differ."""
    if _TIME.fullmatch(shown) and _TIME.fullmatch(actual):
        return re.sub(r"\d", "0", shown) == re.sub(r"\d", "0", actual)
    return re.fullmatch(_ANYTHING.sub(".*", re.escape(shown)), actual, re.S) is not None
