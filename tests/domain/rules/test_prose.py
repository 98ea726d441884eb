"""Links and characters that can be seen."""

from time import perf_counter

import pytest

from accountsapp.domain.rules.prose import has_link, is_displayable


@pytest.mark.parametrize("text", ["<a", "<A href", "x://", "www.a", "a.com", "(b.org)", "a.co.uk/x"])
def test_links(text: str) -> None:
    assert has_link(text)
    assert has_link(text.upper())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "e.g. this",
        "3.14",
        "v2.0.1",
        "well...ok",
        "Node.js",
        "<abbr>",
        "://",
        "a.community",
        "...com",
        "www.",
    ],
)
def test_no_links(text: str) -> None:
    assert not has_link(text)


def test_long_texts_are_read_in_time() -> None:
    began = perf_counter()
    for text in ("a" * 3000, "a." * 1500, "-" * 3000, "www" * 1000, "&" * 3000, "a:" * 1500):
        has_link(text)
    assert perf_counter() - began < 1


def test_what_can_be_seen() -> None:
    assert all(map(is_displayable, ["a", "+++", "1", "é", "日", "\u200ba"]))
    assert not any(map(is_displayable, ["", "\u0301", "\x07", "\u115f\u1160\u2800\u3164\uffa0", "\u200b"]))
