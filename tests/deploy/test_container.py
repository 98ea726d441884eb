"""The image and the compose file: true of the application, and of each other."""

import re
from fnmatch import fnmatch
from importlib.metadata import metadata
from typing import Any

import click
import pytest

from accountsapp.cli import main
from accountsapp.settings import NAMES, load
from deploy.cluster import NGINX, ROOT
from tests.deploy.test_files import UNITS, ini_section, unit, yaml_of

FOLDER = ROOT / "deploy" / "container"
COMPOSE = FOLDER / "compose.yaml"
CONTAINERFILE = (FOLDER / "Containerfile").read_text(encoding="utf-8")
REQUIRED = {
    "ACCOUNTSAPP_SECRET": "s" * 48,
    "POSTGRES_PASSWORD": "p4ssword",
    "ACCOUNTSAPP_SITE_URL": "https://accounts.example.org",
    "ACCOUNTSAPP_MAIL_HOST": "mail.example.org",
    "ACCOUNTSAPP_MAIL_SENDER": "accounts@example.org",
}
OPTIONAL = {
    "ACCOUNTSAPP_MAIL_PORT": "465",
    "ACCOUNTSAPP_MAIL_USERNAME": "accounts",
    "ACCOUNTSAPP_MAIL_PASSWORD": "m4il",
    "ACCOUNTSAPP_MAIL_TLS": "tls",
}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = yaml_of(COMPOSE)["services"]
    return services


@pytest.fixture(scope="module")
def ours(services: dict[str, Any]) -> dict[str, Any]:
    """Those of our image."""
    return {name: service for name, service in services.items() if service["image"] == "accountsapp"}


def filled(text: str, values: dict[str, str]) -> str:
    """As an engine fills in what ``.env`` has."""
    return re.sub(r"\$\{(\w+):[-?](.*?)\}", lambda used: values.get(used[1], used[2]), text)


@pytest.mark.parametrize("values", [REQUIRED, REQUIRED | OPTIONAL], ids=["required", "all"])
def test_compose_gives_settings_that_there_are(ours: dict[str, Any], values: dict[str, str]) -> None:
    assert set(ours) == {"upgrade", "server1", "server2", "worker"}
    variables = {name.upper().replace(".", "_"): name for name in NAMES}
    for service in ours.values():
        environ = {name: filled(value, values) for name, value in service["environment"].items()}
        assert environ.keys() <= variables.keys()
        settings = load(dict(ini_section("app:main")), here="/etc/accountsapp", environ=environ)
        assert settings.mode == "production"
        assert settings.jobs == "external"
        assert settings.mail_sender == "accounts@example.org"
        assert settings.mail_port == int(values.get("ACCOUNTSAPP_MAIL_PORT", 25))
        volumes = [volume.split(":")[1] for volume in service["volumes"]]
        assert str(settings.files) in volumes


def test_the_head_of_compose_names_what_env_gives() -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    head = text.partition("name:")[0]
    assert set(re.findall(r"\$\{(\w+):\?\}", text)) == set(REQUIRED)
    assert all(f"{name}=" in head for name in REQUIRED)
    assert set(re.findall(r"\$\{(\w+):-", text)) == set(OPTIONAL)
    assert all(name in head for name in OPTIONAL)


def test_compose_starts_commands_that_there_are(ours: dict[str, Any]) -> None:
    commands = {name: service.get("command") for name, service in ours.items()}
    assert commands.pop("server1") is commands.pop("server2") is None  # what the image starts
    for program, group, name in commands.values():
        assert program == "accountsapp"
        context = click.Context(main)
        found = main.get_command(context, group)
        assert isinstance(found, click.Group)
        assert found.get_command(context, name) is not None


def test_what_compose_waits_for_can_come(services: dict[str, Any]) -> None:
    for service in services.values():
        awaited = service.get("depends_on", {})
        assert set(awaited) <= set(services)
        for name in awaited:
            match awaited[name]["condition"] if isinstance(awaited, dict) else "service_started":
                case "service_healthy":
                    assert "healthcheck" in services[name]
                case "service_completed_successfully":
                    assert services[name]["restart"] == "no"
                case condition:
                    assert condition == "service_started"
    # The socket answers while the official image still makes the database.
    assert "--host=localhost" in services["database"]["healthcheck"]["test"]


def test_one_service_builds_the_image_and_none_asks_a_registry_for_it(ours: dict[str, Any]) -> None:
    """Engines build at once what several would build, and fail over the name."""
    assert [name for name, service in ours.items() if "build" in service] == ["upgrade"]
    assert {service["pull_policy"] for service in ours.values()} == {"never"}


def test_volumes_are_declared_and_used(services: dict[str, Any]) -> None:
    mounts = [volume.split(":") for service in services.values() for volume in service["volumes"]]
    assert {source for source, *_ in mounts if "." not in source} == set(yaml_of(COMPOSE)["volumes"])
    (pictures,) = re.findall(r"root +(\S+);", (NGINX / "accounts" / "pictures.conf").read_text())
    assert f"files:{pictures}:ro" in services["nginx"]["volumes"]
    assert re.findall(r"^VOLUME (\S+)$", CONTAINERFILE, re.M) == [pictures]


def test_what_is_ours_may_do_as_little_as_the_units_let_it(ours: dict[str, Any]) -> None:
    for service in ours.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    grace = {path.stem: unit(path)["TimeoutStopSec"][0] for path in UNITS}
    assert ours["server1"]["stop_grace_period"] == f"{grace['accountsapp-server@']}s"
    assert ours["worker"]["stop_grace_period"] == f"{grace['accountsapp-worker']}s"


def test_nginx_of_compose_passes_on_to_its_servers(services: dict[str, Any]) -> None:
    upstream = (FOLDER / "upstream.conf").read_text()
    names = re.findall(r"server (\w+):6543 resolve", upstream)
    assert names == ["server1", "server2"]
    assert set(names) <= services.keys()
    for volume in services["nginx"]["volumes"]:
        source = volume.split(":")[0]
        if source.startswith(".") and source != "./certificates":
            assert (FOLDER / source).exists(), source
    assert not any("ports" in service for name, service in services.items() if name != "nginx")
    # The image of nginx tells its templates who resolves names, if it is asked to.
    assert services["nginx"]["environment"] == {"NGINX_ENTRYPOINT_LOCAL_RESOLVERS": "1"}
    assert "resolver ${NGINX_LOCAL_RESOLVERS} " in (FOLDER / "resolver.conf.template").read_text()


def test_the_container_has_what_the_image_copies() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = [line[1:] for line in ignored if line.startswith("!")]
    assert ignored[1] == "*"
    for words in re.findall(r"^COPY (?!--from)(.+)$", CONTAINERFILE, re.M):
        for source in words.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(fnmatch(source, name) for name in let_in), source
    variables = set(re.findall(r"http_\w+(?==)", CONTAINERFILE))
    server, default = ini_section("server:main"), ini_section("DEFAULT")
    used = set(re.findall(r"%%\((\w+)\)s", " ".join(server.values())))
    assert variables == used
    assert used - set(default) == {"http_port"}


def test_the_image_is_built_with_extras_that_there_are() -> None:
    extras = set(metadata("accountsapp").get_all("Provides-Extra") or ())
    (built,) = re.findall(r"^ARG EXTRAS=(\S+)$", CONTAINERFILE, re.M)
    (documented,) = re.findall(r"--build-arg EXTRAS=(\S+)", (ROOT / "docs" / "granian.rst").read_text())
    assert set(built.split(",")) | {"granian"} == set(documented.split(",")) <= extras
