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
RARELY_SET = {
    "ckan_api": "portal key",
    "preferences": {"time_zone": "Europe/Paris", "visibility.bio": "private"},
    "social_links": {"linkedin": "https://www.linkedin.com/in/bob", "x": "https://x.com/bob"},
}


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
                **(RARELY_SET if number % 3 else {}),
            }
        )
    return records


def test_out_and_in_again(
    run: Run, load: Load, ini: dict[str, str], empty_database_url: str, tmp_path: Path
) -> None:
    load(*accounts())
    exported = run("accounts", "export", "--with-secrets").out
    assert len(exported.splitlines()) == len(accounts())
    assert [record.get("ckan_api") for record in run("accounts", "export").jsons] == [None] * len(accounts())
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


def test_what_is_rarely_set_is_checked_and_changed_as_a_whole(run: Run, load: Load) -> None:
    bob = {"username": "bob", "email": "bob@example.com"}
    bad: list[tuple[dict[str, Any], str]] = [
        ({"preferences": {"time_zone": ""}}, "preferences: time_zone: "),
        ({"preferences": {"time_zone": "x" * 256}}, "preferences: time_zone: "),
        ({"preferences": {"Time Zone": "x"}}, "preferences: 'Time Zone': "),
        ({"preferences": {"time_zone": 1}}, "preferences.time_zone: "),
        ({"preferences": []}, "preferences: "),
        ({"social_links": {"elsewhere": "bob"}}, "social_links: elsewhere: "),
        ({"social_links": {"x": "https://elsewhere.example/bob"}}, "social_links: x: "),
        ({"social_links": {"x": "bob", "twitter": "bob"}}, "social_links: a network is given twice"),
        ({"ckan_api": 7}, "ckan_api: "),
    ]
    lines = load(*({**bob, **fields} for fields, _ in bad), exit_code=1).err.splitlines()
    for number, (line, (_, start)) in enumerate(zip(lines, bad, strict=True), 1):
        assert line.startswith(f"line {number}: {start}")
    load({**bob, **RARELY_SET})
    load({"username": "bob", "preferences": {"time_zone": "Europe/Rome"}, "social_links": {}}, update=True)
    record = run("accounts", "export", "bob", "--with-secrets").json
    assert record["preferences"] == {"time_zone": "Europe/Rome"}
    assert "social_links" not in record
    assert record["ckan_api"] == "portal key"
    load({"username": "bob", "social_links": {"xTwitter": "bob"}}, update=True)
    assert run("accounts", "export", "bob").json["social_links"] == {"x": "https://x.com/bob"}
