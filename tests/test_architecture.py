"""The laws of the house, read from the code: who may import whom, and what the domain may know."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import accountsapp

PACKAGE = Path(accountsapp.__file__).parent
TESTS = Path(__file__).parent

LAYERS = (
    {
        "settings",
        "production_checks",
        "setting_errors",
        "setting_values",
        "ini_file",
        "email_syntax",
        "logs",
        "log_output",
        "strict_json",
        "folders",
        "trouble",
        "waiting",
        "colours",
        "public_keys",
        "site_logo",
        "driver_errors",
        "i18n",
    },
    {"domain"},
    {"db"},
    {"process", "security", "mail_transport", "mail", "migrations", "moving"},
    {"web", "handlers"},
    {"tree", "worker"},
    {"pages"},
    {"documents"},
    {"oauth", "keys"},
    {"apis", "server"},
    {""},
    {"cli"},
    {"testing"},
)
"""From the ground up: a part imports from its own layer and those below it."""
FLOOR = {part: number for number, parts in enumerate(LAYERS) for part in parts}

DOMAIN_LAYERS = (
    {"", "clock", "errors", "unset"},
    {"rules"},
    {"bcrypt_hashes", "foreign_hashes", "keyring", "passwords"},
    {"data"},
    {"jobs"},
    {"job_handlers", "job_lists", "sealed_jobs"},
    {"audit", "recent", "remembered_passwords", "counts", "throttle", "try_limits", "unlimited"},
    {"mailing"},
    {"store"},
    {"oauth"},
    {"emails", "pictures"},
    {"credentials"},
    {"accounts", "activity", "transfer"},
    {"rotation"},
)
"""The same inside ``domain/``."""
DOMAIN_FLOOR = {part: number for number, parts in enumerate(DOMAIN_LAYERS) for part in parts}

LONGEST_MODULE = 400
"""Lines: a longer module is two ideas."""

MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(module: str) -> str:
    """The part of the house a module is in: ``accountsapp.domain.keyring`` is in ``domain``."""
    return [*module.split("."), ""][1]


def imports(path: Path) -> Iterator[str]:
    """Every module that the file imports, also inside functions; not what is for type checkers alone."""
    for node in _running(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from _running(child)


def ours(path: Path) -> set[str]:
    known = {name_of(module) for module in MODULES}
    return {name for name in imports(path) if name in known} - {name_of(path)}


def test_every_part_of_the_house_has_its_floor() -> None:
    assert {part_of(name_of(path)) for path in MODULES} <= FLOOR.keys()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_imports_what_is_above_it(path: Path) -> None:
    mine = FLOOR[part_of(name_of(path))]
    above = {name for name in ours(path) if FLOOR[part_of(name)] > mine and name != "accountsapp"}
    assert above == set()


def domain_part_of(module: str) -> str:
    """``accountsapp.domain.emails.claims`` is in ``emails``."""
    return [*module.split("."), ""][2]


DOMAIN = sorted((PACKAGE / "domain").rglob("*.py"))


def test_every_part_of_the_domain_has_its_floor() -> None:
    assert {domain_part_of(name_of(path)) for path in DOMAIN} == DOMAIN_FLOOR.keys()


@pytest.mark.parametrize("path", DOMAIN, ids=name_of)
def test_nothing_in_the_domain_imports_what_is_above_it(path: Path) -> None:
    mine = DOMAIN_FLOOR[domain_part_of(name_of(path))]
    inside = {name for name in ours(path) if part_of(name) == "domain" and name != "accountsapp.domain"}
    assert {name for name in inside if DOMAIN_FLOOR[domain_part_of(name)] > mine} == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_one_idea(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_MODULE


def test_there_is_no_circle() -> None:
    graph = {name_of(path): ours(path) - {"accountsapp"} for path in MODULES}
    while leaves := {name for name, targets in graph.items() if not targets & graph.keys()}:
        graph = {name: targets for name, targets in graph.items() if name not in leaves}
    assert graph == {}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_api_knows_another_one(path: Path) -> None:
    name = name_of(path).split(".")
    own = name[2] if name[1:2] == ["apis"] and len(name) > 2 else None
    known = {other.split(".")[2] for other in ours(path) if other.startswith("accountsapp.apis.")}
    assert known <= {own}


@pytest.mark.parametrize("path", DOMAIN, ids=name_of)
def test_the_domain_knows_nothing_of_the_web(path: Path) -> None:
    web = {"pyramid", "webob", "pyramid_tm", "transaction", "zope", "http", "waitress"}
    assert {name.split(".")[0] for name in imports(path)} & web == set()


def test_settings_import_nothing_of_ours_but_what_values_may_be() -> None:
    of_values = {"accountsapp.setting_values"}
    told = {"accountsapp.production_checks", "accountsapp.setting_errors"}
    assert ours(PACKAGE / "settings.py") - {"accountsapp"} == of_values | told
    assert ours(PACKAGE / "setting_errors.py") == set()
    assert ours(PACKAGE / "production_checks.py") - {"accountsapp"} == of_values
    forms = {"accountsapp.email_syntax", "accountsapp.public_keys", "accountsapp.site_logo"}
    assert ours(PACKAGE / "setting_values.py") - {"accountsapp"} == forms
    for form in ("email_syntax.py", "public_keys.py", "site_logo.py"):
        assert ours(PACKAGE / form) == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_error_is_swallowed(path: Path) -> None:
    handlers = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ExceptHandler)]
    silent = [h.lineno for h in handlers if all(isinstance(step, ast.Pass) for step in h.body)]
    bare = [h.lineno for h in handlers if h.type is None]
    assert silent + bare == []


PARTICIPLES = {"made", "found", "asked", "told", "given"}
"""What was done to a thing: no name of it."""


def names(path: Path) -> Iterator[tuple[str, int]]:
    """Every name that the file gives to something, with its line: variables, attributes, parameters, also
    where they are passed, functions, classes, imports, errors."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(getattr(node, "ctx", None), ast.Load):
            for field in ("id", "attr", "arg", "name", "asname", "rest"):
                if isinstance(name := getattr(node, field, None), str):
                    yield name, getattr(node, "lineno", 0)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_things_are_named_by_nouns(path: Path) -> None:
    assert [(name, line) for name, line in names(path) if name.strip("_").lower() in PARTICIPLES] == []


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: path.name)
def test_r25_no_test_is_skipped(path: Path) -> None:
    words = {"skip", "skipif", "importorskip", "xfail", "SkipTest"}
    tree = ast.parse(path.read_text())
    used = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    used |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    assert used & words == set()


def test_the_imports_of_the_fork_server_are_named_once() -> None:
    """There is one a process: another list would take the place of the first one."""
    name = "set_forkserver_" + "preload"
    assert [path.name for path in TESTS.rglob("*.py") if name in path.read_text()] == ["forks.py"]
