"""When two spellings are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountsapp.domain.rules.folding import fold

SAME = (
    ("alice", "ALICE"),
    ("jürgen", "JÜRGEN"),
    ("jürgen", "ju\u0308rgen"),
    ("straße", "STRASSE"),
    ("ﬁn", "FIN"),
    ("kelvin", "\u212aELVIN"),
    ("σοφος", "ΣΟΦΟΣ"),
    ("ａｂｃ", "abc"),
    ("x²", "x2"),
    ("ǆ", "Ǆ"),
    ("\u0345", "\u03b9"),
)
DIFFERENT = (
    ("mike", "mıke"),
    ("jurgen", "jürgen"),
    ("alice", "alice."),
    ("alice", "alice "),
    ("alice", "al\u200bice"),
    ("а", "a"),
)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(text=st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(text=st.text())
def test_unicode_case_makes_no_difference(text: str) -> None:
    others = (text.upper(), text.lower(), text.title(), text.casefold())
    same = [other for other in others if other.casefold() == text.casefold()]
    assert {fold(other) for other in same} == {fold(text)}
