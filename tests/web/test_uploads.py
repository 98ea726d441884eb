"""S35: pictures are served to everybody, as what they are, and nothing else is."""

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from webtest import TestApp

from accountsapp.domain.accounts import profile
from accountsapp.domain.pictures.decoding import JPEG, PNG, picture_of
from accountsapp.process import Process
from accountsapp.testing.people import SITE_URL, Person
from accountsapp.web.uploads import default_image_url, picture_url, square_url
from tests.support.outbox import Outbox
from tests.support.pictures import encoded, opened, quarters
from tests.support.throwaway import added

LISTED = "https://front.example.org"
SIZES = (30, 120)


class Stem(NamedTuple):
    """What an account has of its picture."""

    picture: str


@pytest.fixture
def wsgi(monkeypatch: pytest.MonkeyPatch, make_app: Callable[..., Any]) -> Any:
    """The whole application, of which an API shows squares."""

    def setup(config: Any) -> None:
        for size in SIZES:
            config.add_rendition(size)

    with added(monkeypatch, setup):
        yield make_app(**{"accountsapp.cors_origins": LISTED, "accountsapp.apis": ""})


def upload(stores: Process, person: Person, colour: str | None = None) -> str:
    image = quarters() if colour is None else quarters().convert("RGBA")
    if colour is not None:
        image.paste(colour, (0, 0, *image.size))
    picture = picture_of(encoded(image), formats=frozenset({PNG, JPEG}), most_bytes=10_000)
    with stores.transaction() as store:
        profile.change(store, person.id, picture=picture)
        return profile.read(store, person.id, Stem).picture


def path(url: str) -> str:
    assert url.startswith(f"{SITE_URL}/uploads/")
    return urlsplit(url).path


def test_s35_a_picture(app: TestApp, stores: Process, alice: Person) -> None:
    stem = upload(stores, alice)
    assert len(stem) == 32
    url = path(picture_url(stores.settings, alice.id, stem))
    assert url == f"/uploads/user_{alice.id}/{stem}_avatar.png"
    answer = app.get(url, headers={"Cookie": "sessionid=no", "Authorization": "Basic no"})
    assert opened(answer.body).size == (60, 40)
    headers = {name: value for name, value in answer.headerlist if name != "X-Request-Id"}
    assert headers == {
        "Content-Type": "image/png",
        "Content-Length": str(len(answer.body)),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": "inline",
        "Cache-Control": "private, max-age=31536000, immutable",
        "Vary": "Origin",
    }
    head = app.head(url)
    assert (head.body, head.headers["Content-Length"]) == (b"", str(len(answer.body)))
    assert app.post(url, status=405).headers["Allow"] == "GET, HEAD, OPTIONS"


def test_squares_are_made_at_once_and_when_they_are_missing(
    app: TestApp, stores: Process, alice: Person, outbox: Outbox
) -> None:
    stem = upload(stores, alice, "#ff000080")
    folder = stores.settings.files / "uploads" / f"user_{alice.id}"
    made = {file.name for file in folder.iterdir()}
    assert set(SIZES) <= set(stores.rendition_sizes)
    assert made == {f"{stem}_avatar.png", *(f"{stem}_{size}.jpg" for size in stores.rendition_sizes)}
    for again in (False, True):
        for size in SIZES:
            url = path(square_url(stores.settings, alice.id, stem, size))
            if again:
                (folder / url.rpartition("/")[2]).unlink()
            answer = app.get(url)
            square = opened(answer.body)
            assert (answer.content_type, square.format, square.size) == ("image/jpeg", "JPEG", (size,) * 2)
            pixel = square.getpixel((size // 2, size // 2))
            assert isinstance(pixel, tuple)
            assert all(abs(a - b) < 9 for a, b in zip(pixel, (255, 127, 127), strict=True)), "over white"
    assert {file.name for file in folder.iterdir()} == made
    assert app.get(path(square_url(stores.settings, alice.id, stem, 31)), status=404)
    assert {file.name for file in folder.iterdir()} == made


def test_squares_where_nothing_can_be_written(app: TestApp, stores: Process, alice: Person) -> None:
    stem = upload(stores, alice)
    url = path(square_url(stores.settings, alice.id, stem, 30))
    folder = stores.settings.files / "uploads" / f"user_{alice.id}"
    (folder / url.rpartition("/")[2]).unlink()
    app.app.registry.app_settings.files.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("accountsapp.domain.pictures.files.write", _no_room)
        assert opened(app.get(url).body).size == (30, 30)


def _no_room(*_arguments: Any) -> None:
    raise OSError(28, "No space left on device")


def test_the_former_one_is_gone(app: TestApp, stores: Process, alice: Person, outbox: Outbox) -> None:
    first, second = upload(stores, alice), upload(stores, alice)
    outbox.take()
    for make in (picture_url, lambda *of: square_url(*of, 30)):
        assert app.get(path(make(stores.settings, alice.id, first)), status=404)
        assert app.get(path(make(stores.settings, alice.id, second)), status=200)
    assert (
        app.get(path(square_url(stores.settings, alice.id, first, 120)), status=404).headers["Cache-Control"]
        == "no-store"
    )


def test_s35_nothing_else_is_served(app: TestApp, stores: Process, alice: Person, bob: Person) -> None:
    stem = upload(stores, alice)
    upload(stores, bob)
    files = stores.settings.files
    (files / "exports").mkdir()
    (files / "exports" / "secret.zip").write_bytes(b"canary")
    container, name = f"user_{alice.id}", f"{stem}_avatar.png"
    (files / "uploads" / container / f"{stem}_note.txt").write_bytes(b"canary")
    (files / "uploads" / container / ("0" * 32 + "_avatar.png")).mkdir()
    (files / "uploads" / container / ("1" * 32 + "_avatar.png")).symlink_to(files / "exports" / "secret.zip")
    paths = [
        "/uploads",
        "/uploads/",
        f"/uploads/{container}",
        f"/uploads/{container}/",
        f"/uploads/user_{bob.id}/{name}",
        f"/uploads/{container}/{name}/x",
        f"/uploads/{container}/{name.upper()}",
        f"/uploads/{container.upper()}/{name}",
        f"/uploads/user_0{alice.id}/{name}",
        f"/uploads/{container}/{stem}_note.txt",
        f"/uploads/{container}/{stem}_030.jpg",
        f"/uploads/{container}/{'0' * 32}_avatar.png",
        f"/uploads/{container}/{'1' * 32}_avatar.png",
        f"/uploads/{container}/{name}%00",
        f"/uploads/{container}/{name}%0a",
        f"/uploads/{container}/..%2f{container}%2f{name}",
        f"/uploads/{container}/../{container}/{name}",
        "/uploads/../exports/secret.zip",
        "/uploads/%2e%2e/exports/secret.zip",
        "/uploads/..%2fexports/secret.zip",
        f"/uploads/{container}/..%2f..%2fexports%2fsecret.zip",
        f"/uploads/{container}/%2fetc%2fpasswd",
        f"/uploads/{container}/%ff",
        f"/uploads/{container}/{'a' * 3000}",
        "/uploads/default",
        "/uploads/default/31.png",
        "/uploads/default/30.jpg",
        "/uploads/default/0.png",
        f"/uploads/user_{'9' * 400}/{name}",
    ]
    for wrong in paths:
        answer = app.get(wrong, status=404)
        assert b"canary" not in answer.body, wrong
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_default_image(app: TestApp, stores: Process) -> None:
    for size in SIZES:
        answer = app.get(path(default_image_url(stores.settings, size)))
        image = opened(answer.body)
        assert (answer.content_type, image.format, image.size) == ("image/png", "PNG", (size,) * 2)
        assert len(image.getcolors(99_999) or ()) > 2
        assert answer.headers["Cache-Control"] == "public, max-age=86400"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_pages_of_listed_origins_may_read_pictures(app: TestApp, stores: Process, alice: Person) -> None:
    url = path(picture_url(stores.settings, alice.id, upload(stores, alice)))
    for status, place in ((200, url), (404, f"{url}x")):
        answer = app.get(place, headers={"Origin": LISTED}, status=status)
        assert answer.headers["Access-Control-Allow-Origin"] == LISTED
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        other = app.get(place, headers={"Origin": "https://evil.example"}, status=status)
        assert "Access-Control-Allow-Origin" not in other.headers


def test_whichever_apis_are_mounted(make_app: Callable[..., Any], stores: Process, alice: Person) -> None:
    url = path(picture_url(stores.settings, alice.id, upload(stores, alice)))
    assert TestApp(make_app()).get(url).content_type == "image/png"


@pytest.mark.parametrize("size", [0, -1, 2001])
def test_sizes_that_no_square_has(size: int, make_app: Callable[..., Any], monkeypatch: Any) -> None:
    with (
        added(monkeypatch, lambda config: config.add_rendition(size)),
        pytest.raises(ValueError, match="square"),
    ):
        make_app()
