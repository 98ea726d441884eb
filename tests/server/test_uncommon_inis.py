"""What PasteDeploy offers beside the ordinary: commands and servers read such an ini alike."""

from pathlib import Path
from typing import Any

from accountsapp.cli.context import Context
from accountsapp.ini_file import load_app, load_server

APP = """
use = egg:accountsapp
sqlalchemy.url = sqlite:///a.sqlite
accountsapp.mode = development
accountsapp.secret = a-secret-of-these-tests-that-is-long-enough
accountsapp.site_url = http://site.example
"""
SERVER = """
[server:main]
use = egg:accountsapp#waitress
"""
FILTER = f"""
[filter:unchanged]
paste.filter_app_factory = {__name__}:unchanged
"""
INIS = {
    "lines of Windows": f"[app:main]{APP}{SERVER}".replace("\n", "\r\n"),
    "two [DEFAULT]": f"[DEFAULT]\na = 1\n[app:main]{APP}[DEFAULT]\nb = 2\n{SERVER}",
    "names that differ in case": f"[app:main]{APP}{SERVER}[elsewhere]\nName = 1\nname = 2\n",
    "[application:main]": f"[application:main]{APP}{SERVER}",
    "spaces in the head": f"[app: main]{APP}{SERVER}".replace("[server:", "[server: "),
    "another section": f"[app:main]\nuse = accounts\n[app:accounts]{APP}{SERVER}",
    "another file": (
        "[app:main]\nuse = config:app.ini\nset debug = true\n[server:main]\nuse = config:app.ini\n"
    ),
    "a pipeline": f"[pipeline:main]\npipeline = unchanged accounts\n[app:accounts]{APP}{SERVER}{FILTER}",
    "filter-with": f"[app:main]{APP}filter-with = unchanged\n{SERVER}{FILTER}",
    "a filter-app": (
        f"[filter-app:main]\nuse = unchanged\nnext = accounts\n[app:accounts]{APP}{SERVER}{FILTER}"
    ),
}


def unchanged(app: Any, _global_conf: Any) -> Any:
    """A filter."""
    return app


def test_uncommon_inis(tmp_path: Path) -> None:
    (tmp_path / "app.ini").write_text(f"[app:main]{APP}{SERVER}")
    for name, text in INIS.items():
        ini = tmp_path / "uncommon.ini"
        ini.write_text(text, newline="")
        load_app(str(ini))
        assert load_server(str(ini)).protocol == "paste.server_factory", name
        assert Context(str(ini)).settings.site_url == "http://site.example", name
