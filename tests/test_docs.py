"""The documentation names what there is."""

import ast
import re
from pathlib import Path

import click
import pytest
from docutils.core import publish_doctree

from accountsapp.cli import main
from accountsapp.settings import NAMES
from tests.support import access_page

ROOT = Path(__file__).parent.parent
OPERATE = (ROOT / "docs/operate.rst").read_text(encoding="utf-8")


def commands(command: click.Command, words: str = "") -> list[str]:
    """The words of every command below that one."""
    if not isinstance(command, click.Group):
        return [words]
    context = click.Context(command)
    children = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
    return [found for name, child in children if child for found in commands(child, f"{words} {name}")]


def test_every_command_is_documented() -> None:
    found = [words.strip() for words in commands(main)]
    assert len(found) > 20
    assert [words for words in found if f"``{words}" not in OPERATE] == []


def test_every_setting_is_documented() -> None:
    production = (ROOT / "production.ini").read_text(encoding="utf-8")
    for name in NAMES:
        assert f"``{name}``" in OPERATE
        assert name in production or name.upper().replace(".", "_") in production


def test_the_documented_access_is_what_is_tested() -> None:
    printed = access_page.PRINTED.read_text(encoding="utf-8").splitlines()
    assert printed == list(access_page.lines()), "write it anew: make access"


def test_every_promise_of_security_has_its_test() -> None:
    text = (ROOT / "docs/security.rst").read_text(encoding="utf-8")
    promises = text.partition("What is promised")[2].partition("What is not promised")[0].split("   * - ")[2:]
    assert len(promises) > 15
    for promise in promises:
        _, _, held_by = promise.partition("     - ")
        names = re.findall(r"``([^`]+\.py)``", held_by)
        assert names, promise
        folder = ROOT
        for name in names:
            folder = (ROOT / name).parent if "/" in name else folder
            assert (folder / Path(name).name).is_file(), name


READMES = [ROOT / "README.rst", *sorted((ROOT / "examples").glob("*/README.rst"))]


@pytest.mark.parametrize(
    "path", READMES, ids=lambda path: path.parent.name if path.parent != ROOT else "project"
)
def test_what_is_read_before_the_documentation_is_well_formed(path: Path) -> None:
    """Sphinx looks at ``docs/`` alone."""
    settings = {"halt_level": 2, "report_level": 2}
    publish_doctree(path.read_text(encoding="utf-8"), str(path), settings_overrides=settings)
    images = re.findall(r"image:: (\S+)", path.read_text(encoding="utf-8"))
    assert [image for image in images if not (path.parent / image).is_file()] == []


PAGES = [*READMES, *sorted((ROOT / "docs").glob("*.rst"))]
_PLACE = re.compile(r"``((?:accountsapp|bench|deploy|docs|examples|tests)/[\w./-]*(?:/|\.\w+))``")
_LINK = re.compile(r"(:doc:|:ref:)`(?:[^`<]+<)?([\w-]+)>?`|^\.\. (literalinclude|image|figure):: (\S+)", re.M)


def test_every_link_leads_somewhere() -> None:
    """Pages by ``:doc:``, labels, included files, pictures, and the files and folders that a page names."""
    texts = {path: path.read_text(encoding="utf-8") for path in PAGES}
    labels = {label for text in texts.values() for label in re.findall(r"^\.\. _([\w-]+):$", text, re.M)}
    broken = []
    for path, text in texts.items():
        for role, name, _directive, file in _LINK.findall(text):
            found = name in labels if role == ":ref:" else (path.parent / (file or f"{name}.rst")).is_file()
            broken += [] if found else [(path.name, name or file)]
        broken += [(path.name, place) for place in _PLACE.findall(text) if not (ROOT / place).exists()]
    assert broken == []


def test_pages_are_linked_rather_than_named() -> None:
    """On ``docs/`` pages, where a link can be followed."""
    named = [
        (path.name, name)
        for path in (ROOT / "docs").glob("*.rst")
        for name in re.findall(r"``([\w-]+)\.rst``", path.read_text(encoding="utf-8"))
        if (ROOT / "docs" / f"{name}.rst").is_file()
    ]
    assert named == []


QUALITY = (ROOT / "docs/quality.rst").read_text(encoding="utf-8")
_ROW = re.compile(r"^   \* - ([SR]\d\d)\n     - (.+)\n     - (.+)$", re.M)
_ID = re.compile(r"_([sr]\d\d)(?=_)")
CONTRACT = ROOT / "accountsapp" / "testing" / "contract.py"
OF_THE_CONTRACT = "security/test_invariants.py"
"""Where the tests that are shipped are run on our own APIs."""
DOES_NOT_APPLY = "does not apply"


def files_by_id() -> dict[str, set[str]]:
    """The files that have tests named after an id."""
    found: dict[str, set[str]] = {}
    for file in [*(ROOT / "tests").rglob("test_*.py"), CONTRACT]:
        place = OF_THE_CONTRACT if file == CONTRACT else file.relative_to(ROOT / "tests").as_posix()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (named := _ID.match(node.name, len("test"))):
                found.setdefault(named[1].upper(), set()).add(place)
    return found


def test_every_attack_names_its_tests() -> None:
    rows = {name: (shown, tests) for name, shown, tests in _ROW.findall(QUALITY)}
    named = {
        name: set(re.findall(r"``([^`]+)``", tests))
        for name, (shown, tests) in rows.items()
        if shown != DOES_NOT_APPLY
    }
    assert all(named.values())
    assert named == files_by_id(), "docs/quality.rst names other files than have tests of that name"


def test_no_attack_is_forgotten() -> None:
    """Of those that quality was agreed on: numbers that are missing were given up."""
    security = {f"S{number:02}" for number in range(1, 51)} - {"S17", "S48"}
    reliability = {f"R{number:02}" for number in range(1, 27)} - {"R07", "R18", "R24"}
    assert [name for name, _, _ in _ROW.findall(QUALITY)] == [*sorted(security), *sorted(reliability)]
