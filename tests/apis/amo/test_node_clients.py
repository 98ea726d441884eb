"""Tokens that programs for Node.js sign: by ``jsonwebtoken``, and by ``jose`` as web-ext calls it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from accountsapp.testing.credentials import Holder
from tests.support.amo import Amo

FOLDER = Path(__file__).parents[2] / "oauth" / "clients"


def signed(library: str, holder: Holder) -> Any:
    node = shutil.which("node")
    assert node, "Node.js is needed: https://nodejs.org"
    assert (FOLDER / "node_modules").is_dir(), "make test installs the clients, by npm"
    told = {"library": library, "key": holder.signing.key, "secret": holder.signing.secret, "id": "one"}
    said = subprocess.run(
        [node, "sign.js"], cwd=FOLDER, input=json.dumps(told), capture_output=True, text=True, check=True
    )
    return json.loads(said.stdout)


def test_node_clients(amo: Amo, user: Holder) -> None:
    for library, again in (("jsonwebtoken", 401), ("jose", 200)):
        headers = {"Authorization": f"JWT {signed(library, user)}"}
        assert amo("GET", "/profile/", headers=headers).json["username"] == "user"
        assert amo("GET", "/profile/", headers=headers).status_int == again
