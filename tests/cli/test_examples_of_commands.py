"""What the help of each command shows does what it says, one after the other."""

import json
import shlex
from pathlib import Path

import pytest

from accountsapp.cli.commands import Command
from tests.cli.conftest import Run
from tests.cli.test_help import COMMANDS, SINGLE
from tests.support.old_systems import BOOKIE_USERS, OldDatabase

FIRST = (
    "accounts ensure-admin",
    "accounts add",
    "accounts export",
    "api-keys add",
    "clients add",
    "tokens issue",
)
"""What makes what the others need; then come all others, and the last ones."""
LAST = ("accounts deactivate", "accounts activate", "accounts delete")
BY_HAND = [("jobs run", ""), ("serve", ""), ("serve", "http_port=6543"), ("accounts set-password", "ada")]
"""The worker and the server, which run until they are stopped, and what asks at a terminal."""
TAKEN_BEFORE = [
    ("accounts import", "accounts.jsonl"),  # what was exported is there
    ("accounts delete", "ada --yes"),  # the first example deleted it
]
"""Examples of the same thing done twice: the second one is refused in one line."""


@pytest.fixture
def backend() -> str:
    """What the help says does not depend on the database."""
    return "sqlite"


def test_every_example_can_be_copied(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: OldDatabase
) -> None:
    """IDs, keys and tokens are put in place of the words that stand for them."""
    monkeypatch.chdir(tmp_path)
    old.add(BOOKIE_USERS, {"id": 1, "username": "carl", "email": "carl@example.org", "activated": True})
    Path("pw.txt").write_text("correct horse battery\n")
    Path("password.txt").write_text("a staple for a horse\n")
    Path("activity.jsonl").write_text('{"kind": "project", "short_name": "moons"}\n')
    Path("accounts.csv").write_text("username,email\neve,eve@example.org\n")
    printed: dict[str, list[dict[str, str]]] = {}
    ordered = [*FIRST, *(path for path in SINGLE if path not in (*FIRST, *LAST)), *LAST]
    for path in ordered:
        command = COMMANDS[path]
        assert isinstance(command, Command)
        for example in command.examples:
            if (path, example) in BY_HAND:
                continue
            if path == "api-keys add" and printed.get(path):
                Path("key.txt").write_text(printed[path][-1]["api_key"])
                Path("keys.txt").write_text(printed[path][-1]["api_key"])
            example = example.replace("sqlite:////srv/bookie.db", old.url)
            if "ID" in example.split():
                made = run("api-keys", "add", "ada", "--name", f"of {path}").json
                example = example.replace("ID", made["id"])
            if path == "jobs retry":
                example = str(next(job["id"] for job in run("jobs", "list", "--json").jsons))
            if "CLIENT_ID" in example:
                example = example.replace("CLIENT_ID", printed["clients add"][-1]["client_id"])
            if "TOKEN" in example:
                example = example.replace("TOKEN", printed["tokens issue"][-1]["access_token"])
            words, _, file = example.partition(">")
            words, _, source = words.partition("<")
            ran = run(
                *path.split(),
                *shlex.split(words),
                input=Path(source.strip()).read_bytes() if source else b"",
                exit_code=1 if (path, example) in TAKEN_BEFORE else 0,
            )
            if file and not file.startswith(">"):
                Path(file.strip()).write_text(ran.out)
            if ran.out.startswith("{"):
                printed.setdefault(path, []).append(json.loads(ran.out.splitlines()[-1]))
