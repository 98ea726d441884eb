"""The looks of a site: name, logo and colour; what is loaded, and how long it may be kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from webtest import TestApp

from accountsapp import colours
from accountsapp.pages.branding import DARK_GROUNDS, LIGHT_GROUNDS

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 20
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def site(make_app: Callable[..., Any], tmp_path: Path) -> Callable[..., TestApp]:
    def make(name: str = "", logo: bytes = b"", colour: str = "#1d4ed8") -> TestApp:
        settings = {"accountsapp.site_name": name, "accountsapp.site_colour": colour}
        if logo:
            path = tmp_path / "logo"
            path.write_bytes(logo)
            settings["accountsapp.site_logo"] = str(path)
        return TestApp(make_app(**settings))

    return make


def test_name_and_logo(site: Callable[..., TestApp]) -> None:
    plain = site().get("/")
    assert plain.html.title.text.endswith("accounts.example.org")
    assert not plain.html.select("header img")
    named = site(name="Museum <b>& Co</b>", logo=PNG)
    home = named.get("/")
    assert home.html.title.text.endswith("Museum <b>& Co</b>")
    assert "<b>" not in home.text
    picture = home.html.select_one("header img")
    assert picture["alt"] == ""
    logo = named.get(picture["src"])
    assert (logo.content_type, logo.body) == ("image/png", PNG)
    assert named.get("/favicon.ico").body == PNG


def test_a_logo_runs_nothing(site: Callable[..., TestApp]) -> None:
    app = site(logo=SVG)
    logo = app.get(app.get("/").html.select_one("header img")["src"])
    assert logo.content_type == "image/svg+xml"
    assert "sandbox" in logo.headers["Content-Security-Policy"]
    assert "default-src 'none'" in logo.headers["Content-Security-Policy"]


@pytest.mark.parametrize("logo", [b"<html>", b"BM", PNG + b"x" * 300_000])
def test_what_is_no_logo_stops_the_start(site: Callable[..., TestApp], logo: bytes) -> None:
    with pytest.raises(SystemExit, match=r"accountsapp\.site_logo"):
        site(logo=logo)


@pytest.mark.parametrize(
    "colour", ["#000000", "#ffffff", "#ffff00", "#1d4ed8", "#777777", "#ff0000", "#00ff7f"]
)
def test_every_colour_can_be_read(colour: str) -> None:
    chosen = colours.parse(colour)
    light = colours.readable(chosen, LIGHT_GROUNDS, colours.BLACK)
    dark = colours.readable(chosen, DARK_GROUNDS, colours.WHITE)
    assert all(colours.contrast(light, ground) >= 4.5 for ground in (*LIGHT_GROUNDS, colours.WHITE))
    assert all(colours.contrast(dark, ground) >= 4.5 for ground in DARK_GROUNDS)
    assert colours.parse(colours.written(light)) == light


def test_files_are_kept_as_long_as_they_are_the_same(site: Callable[..., TestApp]) -> None:
    app, other = site(), site(colour="#aa0000")
    style = app.get("/").html.find("link", rel="stylesheet")["href"]
    assert "immutable" in app.get(style).headers["Cache-Control"]
    assert style not in other.get("/").text
    for stale in ("/static/style.css", other.get("/").html.find("link", rel="stylesheet")["href"]):
        assert app.get(stale).headers["Cache-Control"] == "public, max-age=3600"
    icon = app.get("/favicon.ico")
    assert icon.content_type == "image/png"
    assert icon.body.startswith(b"\x89PNG")
    assert icon.body != other.get("/favicon.ico").body


def test_scripts_run_on_the_pages_that_need_them_alone(site: Callable[..., TestApp]) -> None:
    app = site()
    with_script, without = app.get("/sessions"), app.get("/")
    (script,) = with_script.html.find_all("script")
    assert app.get(script["src"]).content_type == "text/javascript"
    assert "script-src 'self'" in with_script.headers["Content-Security-Policy"]
    assert not without.html.find_all("script")
    assert "script-src" not in without.headers["Content-Security-Policy"]
    assert not with_script.html.find_all(style=True)


def test_a_page_speaks_the_language_of_who_reads(make_app: Callable[..., Any]) -> None:
    app = TestApp(make_app())
    for accept, language, heading in (
        ("", "en", "Sign in"),
        ("fr-CH, fr;q=0.9", "fr", "Se connecter"),
        ("ja", "ja", "ログイン"),
        ("de, el;q=0.3", "el", "Σύνδεση"),
        ("de", "en", "Sign in"),
    ):
        page = app.get("/sessions", headers={"Accept-Language": accept})
        assert (page.html.html["lang"], page.html.h1.text) == (language, heading)
    only_english = TestApp(make_app(**{"accountsapp.locales": "en fr"}))
    assert only_english.get("/", headers={"Accept-Language": "ja"}).html.html["lang"] == "en"


def test_the_account_s_own_language_comes_first(app: TestApp, register: Callable[..., Any]) -> None:
    from accountsapp.testing.credentials import hold

    holder = hold(app.app.registry.process, register("dora", locale="it"))
    headers = {"Cookie": f"sessionid={holder.cookie}", "Accept-Language": "fr"}
    for path, heading in (("/", "Ciao dora"), ("/sessions", "Dove hai effettuato l’accesso")):
        page = app.get(path, headers=headers)
        assert (page.html.html["lang"], page.html.h1.text) == ("it", heading)
