"""What the domain says of a field is in the catalogue, so that a page can say it in another language."""

from collections.abc import Callable
from typing import Any

import pytest

from accountsapp.domain.errors import (
    EmailTaken,
    InvalidEmail,
    InvalidValue,
    KeyNameTaken,
    NotRotatable,
    UsernameTaken,
)
from accountsapp.domain.oauth.scopes import WORDS
from accountsapp.domain.passwords import Passwords
from accountsapp.domain.pictures import problems
from accountsapp.domain.rules import key_names, key_scopes, usernames
from accountsapp.pages.sentences import SENTENCES

PASSWORDS = (None, "", "short", "x" * 73, "nul\0nul nul", " " * 9, "alice smith", "password1")
USERNAMES = ("", "a", "a b c", "signin", "x" * 256, "nul\0", None, "ﷺ" * 250)


def test_every_sentence_is_known() -> None:
    said = {
        str(UsernameTaken()),
        str(EmailTaken()),
        str(InvalidEmail()),
        str(KeyNameTaken()),
        str(NotRotatable()),
        *WORDS.values(),
        *problems.TEXTS.values(),
    }
    passwords = Passwords(4, frozenset())
    for password in PASSWORDS:
        with pytest.raises(InvalidValue) as refused:
            passwords.check(password, names=["alice smith"])
        said.add(str(refused.value))
    of_keys: list[tuple[Callable[[Any], object], Any]] = [
        (key_names.parse, ""),
        (key_names.parse, "a\tb"),
        (key_scopes.ordered, ()),
        (key_scopes.ordered, ("all",)),
    ]
    for parse, value in of_keys:
        with pytest.raises(InvalidValue) as refused:
            parse(value)
        said.add(str(refused.value))
    for rule in (usernames.check_new, usernames.check_imported, usernames.check_chosen):
        for username in USERNAMES:
            try:
                rule(username)  # type: ignore[operator]
            except InvalidValue as error:
                said.add(str(error))
            except TypeError:
                assert username is None
    assert len(said) > 15
    assert said - set(SENTENCES) == set()
