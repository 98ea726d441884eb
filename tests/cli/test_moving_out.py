"""Out and in again: what was exported, imported and exported once more is the same."""

from pathlib import Path
from typing import Any

from tests.cli.conftest import Load, Run, write_ini
from tests.cli.test_import import FULL, HASH
from tests.support.old_hashes import HASHES, LONG_HASHES

OPTIONAL_DIFFERENCES: list[dict[str, Any]] = [
    {},
    {"name": None, "info": {}, "notifications": {}, "permissions": []},
    {"activated": False, "last_login": None},
    {"activated": False, "last_login": "2020-01-02T03:04:05Z"},
    {"is_admin": False, "is_staff": False, "read_dev_agreement": False, "account_privacy": "all_users"},
]


def accounts() -> list[dict[str, Any]]:
    """Each field with several values, each form of hash, with named keys and without."""
    hashes = [HASH, None, f"bcrypt${HASH}", *HASHES.values(), *LONG_HASHES.values()]
    records: list[dict[str, Any]] = [FULL]
    for number, form in enumerate(hashes):
        keys = [{**key, "key_sha256": f"{number:02x}" * 32} for key in FULL["api_keys"][:1]]
        records.append(
            {
                **FULL,
                **OPTIONAL_DIFFERENCES[number % len(OPTIONAL_DIFFERENCES)],
                "username": f"user {number}",
                "emails": [
                    {"email": f"u{number}@example.com", "verified": number % 2 == 0, "primary": True},
                    {"email": f"second{number}@example.com", "verified": number % 3 == 0, "primary": False},
                ],
                "password_hash": form,
                "api_key": f"key of {number}",
                "api_keys": keys if number % 2 else [],
            }
        )
    return records


def test_out_and_in_again(
    run: Run, load: Load, ini: dict[str, str], empty_database_url: str, tmp_path: Path
) -> None:
    load(*accounts())
    exported = run("accounts", "export", "--with-secrets").out
    assert len(exported.splitlines()) == len(accounts())
    # A key of another installation opens nothing here: what was exported needs no secret of the old one.
    settings = {**ini, "sqlalchemy.url": empty_database_url, "accountsapp.secret": "s" * 40}
    other = write_ini(tmp_path / "other.ini", settings)
    run("db", "upgrade", ini=other)
    run("accounts", "import", "-", input=exported, ini=other)
    again = run("accounts", "export", "--with-secrets", ini=other)
    assert again.out == exported
    assert {record.get("password_hash") for record in again.jsons} == {
        HASH,
        None,
        *HASHES.values(),
        *LONG_HASHES.values(),
    }
