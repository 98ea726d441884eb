"""S34 at the domain: what is a picture for us, what becomes of it, and what it may cost."""

import json
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from accountsapp.domain.errors import Busy
from accountsapp.domain.pictures import decoding, pixels
from accountsapp.domain.pictures.boxes import Box, box_of
from accountsapp.domain.pictures.decoding import GIF, JPEG, PNG, WEBP, Picture, picture_of
from accountsapp.domain.pictures.problems import InvalidPicture, Problem
from tests.support.pictures import blank_png, chunk, encoded, opened, photograph, quarters

ALL = frozenset({PNG, JPEG, GIF, WEBP})
MOST = 4 * 1024 * 1024
RED, LIME, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)


def decode(data: bytes, formats: frozenset[str] = ALL, **options: Any) -> Picture:
    return picture_of(data, formats=formats, most_bytes=MOST, **options)


def corners(image: Image.Image) -> list[Any]:
    """The colours of the quarters, row by row."""
    width, height = image.size
    points = [(x * width // 4, y * height // 4) for y in (1, 3) for x in (1, 3)]
    return [image.convert("RGB").getpixel(point) for point in points]


def are_like(colours: list[Any], expected: list[tuple[int, ...]]) -> bool:
    pairs = zip(colours, expected, strict=True)
    return all(abs(a - b) < 12 for one, other in pairs for a, b in zip(one, other, strict=True))


def animation(kind: str, **options: Any) -> bytes:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "blue")]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)


def many_frames() -> bytes:
    """A GIF of 4 MiB whose second frame is there again and again."""
    data = animation(GIF)
    frame = data[data.rindex(b"\x21\xf9") : -1]
    return data[:-1] + frame * ((MOST - len(data)) // len(frame)) + b";"


def many_scans() -> bytes:
    """A progressive JPEG whose last scan is there a thousand times."""
    data = photograph(progressive=True)
    start = data.rindex(b"\xff\xda")
    return data[:start] + data[start:-2] * 1000 + b"\xff\xd9"


REFUSED: dict[str, tuple[Callable[[], bytes], Problem]] = {
    "nothing": (lambda: b"", Problem.KIND),
    "text": (lambda: b"no picture", Problem.KIND),
    "SVG": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', Problem.KIND),
    "a page before a picture": (lambda: b"<script>1</script>" + photograph(), Problem.KIND),
    "BMP": (lambda: encoded(quarters(), "BMP"), Problem.KIND),
    "TIFF": (lambda: encoded(quarters(), "TIFF"), Problem.KIND),
    "a byte too much": (lambda: encoded(quarters()).ljust(MOST + 1, b"\0"), Problem.MANY_BYTES),
    "900 megapixels": (lambda: blank_png(30_000, 30_000, depth=1, colour=0), Problem.MANY_PIXELS),
    "a row too much": (lambda: blank_png(5000, 5001), Problem.MANY_PIXELS),
    "50 megapixels": (lambda: encoded(Image.new("L", (7100, 7100)), JPEG), Problem.MANY_PIXELS),
    "27 megapixels of GIF": (lambda: encoded(Image.new("P", (5200, 5200)), GIF), Problem.MANY_PIXELS),
    "animated PNG": (lambda: animation(PNG), Problem.ANIMATED),
    "animated GIF": (lambda: animation(GIF), Problem.ANIMATED),
    "a GIF of a hundred thousand frames": (many_frames, Problem.ANIMATED),
    "animated WebP": (lambda: animation(WEBP), Problem.ANIMATED),
    "half a PNG": (lambda: encoded(quarters())[:-60], Problem.DAMAGED),
    "a PNG without its end": (lambda: encoded(quarters())[:-12], Problem.DAMAGED),
    "half a JPEG": (lambda: photograph()[:-400], Problem.DAMAGED),
    "a JPEG without its end": (lambda: photograph()[:-2], Problem.DAMAGED),
    "half a GIF": (lambda: encoded(Image.effect_noise((80, 60), 50), GIF)[:-400], Problem.DAMAGED),
    "half a WebP": (lambda: encoded(quarters(), WEBP)[:-40], Problem.DAMAGED),
    "a PNG with other pixels": (lambda: encoded(quarters()).replace(b"IDAT", b"IDAX"), Problem.DAMAGED),
    "a PNG of no size": (lambda: blank_png(0, 0), Problem.DAMAGED),
    "a signature": (lambda: b"\x89PNG\r\n\x1a\n", Problem.DAMAGED),
    "a beginning": (lambda: b"\xff\xd8\xff", Problem.DAMAGED),
    "a JPEG with a thousand scans": (many_scans, Problem.DAMAGED),
}


@pytest.mark.parametrize("name", REFUSED)
def test_s34_refused_for_its_reason_and_at_once(name: str) -> None:
    make, problem = REFUSED[name]
    data = make()
    started = time.perf_counter()
    with pytest.raises(InvalidPicture) as refusal:
        decode(data)
    assert (refusal.value.problem, refusal.value.field) == (problem, "picture")
    assert time.perf_counter() - started < 2


def test_s34_what_unfolds_is_never_unfolded() -> None:
    """Texts and profiles of a PNG are left alone, whatever they say."""
    bomb = b"canary\0\0" + zlib.compress(bytes(60 * 1024 * 1024), 9)
    chunks = b"".join(chunk(kind, bomb) for kind in (b"zTXt", b"iCCP", b"zTXt"))
    started = time.perf_counter()
    picture = decode(blank_png(30, 20, chunks=chunks + chunk(b"tEXt", b"canary\0canary")))
    assert time.perf_counter() - started < 1
    assert b"canary" not in picture.png


@pytest.mark.parametrize("kind", [PNG, JPEG, GIF, WEBP])
def test_the_content_decides_and_only_what_is_taken_is(kind: str) -> None:
    data = encoded(quarters(), kind)
    assert decode(data).format == kind
    with pytest.raises(InvalidPicture) as refusal:
        decode(data, ALL - {kind})
    assert refusal.value.problem == Problem.KIND


def test_too_few_bytes() -> None:
    data = encoded(quarters())
    assert decode(data, least_bytes=len(data))
    with pytest.raises(InvalidPicture) as refusal:
        decode(data, least_bytes=len(data) + 1)
    assert refusal.value.problem == Problem.FEW_BYTES


def test_as_large_as_may_be() -> None:
    data = encoded(quarters())
    assert decode(data + bytes(MOST - len(data)))


MODES = {
    "grey": encoded(quarters().convert("L")),
    "grey JPEG": encoded(quarters().convert("L"), JPEG, quality=95),
    "black and white": encoded(quarters().convert("1", dither=Image.Dither.NONE)),
    "16 bits": encoded(Image.new("I;16", (60, 40), 0x8040)),
    "palette": encoded(quarters().convert("P")),
    "RGBA": encoded(quarters().convert("RGBA")),
    "grey with alpha": encoded(quarters().convert("LA")),
    "CMYK": encoded(quarters().convert("CMYK"), JPEG, quality=95, subsampling=0),
    "GIF": encoded(quarters(), GIF),
    "WebP": encoded(quarters(), WEBP, lossless=True),
    "progressive": photograph(60, 40, progressive=True),
}
COLOURED = [RED, LIME, BLUE, YELLOW]
GREY = [(level, level, level) for level in (76, 150, 29, 226)]
SHOWN = {
    **dict.fromkeys(MODES, COLOURED),
    **dict.fromkeys(["grey", "grey JPEG", "grey with alpha"], GREY),
    "black and white": [(0,) * 3, (255,) * 3, (0,) * 3, (255,) * 3],
    "16 bits": [(128, 128, 128)] * 4,
}


@pytest.mark.parametrize("name", MODES)
def test_every_mode_is_converted(name: str) -> None:
    kept = opened(decode(MODES[name]).png)
    assert (kept.format, kept.mode, kept.size) == ("PNG", "RGB", (60, 40))
    assert are_like(corners(kept), SHOWN[name])


TRANSPARENT = {
    "RGBA": encoded(Image.new("RGBA", (60, 40), (255, 0, 0, 0))),
    "grey with alpha": encoded(Image.new("LA", (60, 40), (9, 0))),
    "palette": blank_png(60, 40, colour=3, chunks=chunk(b"PLTE", bytes(6)) + chunk(b"tRNS", bytes(1))),
    "RGB": blank_png(60, 40, chunks=chunk(b"tRNS", bytes(6))),
    "RGB of 16 bits": blank_png(60, 40, depth=16, chunks=chunk(b"tRNS", bytes(6))),
    "grey of 16 bits": blank_png(60, 40, depth=16, colour=0, chunks=chunk(b"tRNS", bytes(2))),
    "GIF": encoded(Image.new("P", (60, 40), 3), GIF, transparency=3),
    "WebP": encoded(Image.new("RGBA", (60, 40), (255, 0, 0, 0)), WEBP, lossless=True),
}


@pytest.mark.parametrize("name", TRANSPARENT)
def test_transparency_is_kept(name: str) -> None:
    kept = opened(decode(TRANSPARENT[name]).png)
    assert kept.mode == "RGBA"
    assert kept.getchannel("A").getextrema() == (0, 0)


def test_a_transparent_colour_of_16_bits_is_that_colour() -> None:
    row = b"\x34\x12" * 30 + b"\xdc\xfe" * 30
    image = Image.frombytes("I;16", (60, 40), row * 40)
    kept = opened(decode(encoded(image, transparency=0xFEDC)).png)
    assert (kept.getpixel((5, 5)), kept.getpixel((55, 5))) == ((18, 18, 18, 255), (254, 254, 254, 0))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((60, 40), (60, 40)),
        ((500, 500), (500, 500)),
        ((501, 10), (500, 10)),
        ((1, 3000), (1, 500)),
        ((3000, 1), (500, 1)),
        ((2999, 1501), (500, 250)),
        ((1000, 4000), (125, 500)),
    ],
)
@pytest.mark.parametrize("kind", [PNG, JPEG])
def test_smaller_in_proportion_never_larger(
    kind: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    picture = decode(encoded(quarters(*size), kind, quality=95))
    kept = opened(picture.png)
    assert kept.size == expected
    assert picture.square.size == (min(*size, 1000),) * 2
    if min(expected) > 3:
        assert are_like(corners(kept), COLOURED)


def test_nothing_else_of_the_upload_is_kept() -> None:
    data = photograph() + b"<script>canary</script>"
    picture = decode(data)
    kept = opened(picture.png)
    assert not kept.getexif()
    assert kept.info == {}
    assert b"canary" not in picture.png


TURNED = {
    1: [RED, LIME, BLUE, YELLOW],
    2: [LIME, RED, YELLOW, BLUE],
    3: [YELLOW, BLUE, LIME, RED],
    4: [BLUE, YELLOW, RED, LIME],
    5: [RED, BLUE, LIME, YELLOW],
    6: [BLUE, RED, YELLOW, LIME],
    7: [YELLOW, LIME, BLUE, RED],
    8: [LIME, YELLOW, RED, BLUE],
}


@pytest.mark.parametrize("large", [1, 50])
@pytest.mark.parametrize("orientation", TURNED)
def test_upright(orientation: int, large: int) -> None:
    """And a box is one of the upright picture."""
    data = photograph(80 * large, 60 * large, orientation=orientation)
    width, height = (80 * large, 60 * large) if orientation < 5 else (60 * large, 80 * large)
    kept = opened(decode(data).png)
    assert (kept.width > kept.height) == (width > height)
    assert are_like(corners(kept), TURNED[orientation])
    part = opened(decode(data, box=Box(width // 2 + 2, 2, width, height // 2 - 4)).png)
    assert are_like(corners(part), [TURNED[orientation][1]] * 4)


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_a_senseless_orientation_counts_as_none(orientation: int) -> None:
    assert are_like(corners(opened(decode(photograph(orientation=orientation)).png)), COLOURED)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0MM", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + bytes(99)]
)
def test_broken_exif_counts_as_none(exif: bytes) -> None:
    for kind in (JPEG, PNG, WEBP):
        data = encoded(quarters(), kind, exif=exif, quality=95)
        assert are_like(corners(opened(decode(data).png)), COLOURED)


def test_a_photograph_with_further_pictures_behind_it() -> None:
    """MPO, as cameras and telephones write it, is a JPEG and its first picture counts."""
    file = BytesIO()
    quarters().save(file, "MPO", save_all=True, append_images=[Image.new("RGB", (60, 40))], quality=95)
    picture = decode(file.getvalue(), frozenset({JPEG}))
    assert picture.format == JPEG
    assert are_like(corners(opened(picture.png)), COLOURED)


@pytest.mark.parametrize("kind", [PNG, GIF, WEBP])
def test_an_animation_by_its_first_frame(kind: str) -> None:
    options = {"lossless": True} if kind == WEBP else {}
    kept = opened(decode(animation(kind, **options), first_frame=True).png)
    assert are_like(corners(kept), [RED] * 4)
    assert getattr(kept, "n_frames", 1) == 1


BOXES = [
    ((0, 0, 30, 20), (30, 20), [RED] * 4),
    ((30, 0, 30, 20), (30, 20), [LIME] * 4),
    ((31, 21, 9, 7), (9, 7), [YELLOW] * 4),
    ((30, 20, 1000, 1000), (30, 20), [YELLOW] * 4),
    (("0", "20.9", "30.7", "1e2"), (30, 20), [BLUE] * 4),
    ((10**400, 0, 0, 0), None, ["x2", "y2"]),
    ((60, 0, 10, 10), None, ["x1"]),
    ((60, 40, 10, 10), None, ["x1", "y1"]),
    ((-1, 0, 10, 10), None, ["x1"]),
    ((0, "-0.1", 10, 10), (10, 10), [RED] * 4),
    ((0, 0, 10, 0), None, ["y2"]),
    ((5, 5, None, ""), None, ["x2", "y2"]),
    ((0, 0, -3, 5), None, ["x2"]),
    (("a", float("nan"), True, [1]), None, ["x1", "x2", "y1", "y2"]),
    (("nan", "inf", "0x1", "1_0"), None, ["x1", "x2", "y1", "y2"]),
    (("١", 0, 5, 5), None, ["x1"]),
    ((float("inf"), 0, 5, 5), None, ["x1"]),
    ((0, 0, float("inf"), "9" * 39), (60, 40), COLOURED),
    ((0, 0, 5, "9" * 1000), None, ["y2"]),
]


@pytest.mark.parametrize(("given", "size", "expected"), BOXES)
def test_boxes(given: tuple[Any, ...], size: tuple[int, int] | None, expected: list[Any]) -> None:
    data = encoded(quarters())
    if size is None:
        with pytest.raises(InvalidPicture) as refusal:
            decode(data, box=box_of(*given))
        assert (refusal.value.problem, list(refusal.value.fields)) == (Problem.BOX, expected)
        return
    kept = opened(decode(data, box=box_of(*given)).png)
    assert (kept.size, corners(kept)) == (size, expected)


def test_no_box_is_the_whole() -> None:
    assert box_of() is None
    assert box_of("0", 0, 0.5, "") is None
    assert Box(0, 0, 1, 1).area(60, 40) == (0, 0, 1, 1)


def test_a_large_box_is_made_smaller() -> None:
    data = encoded(quarters(3000, 2000))
    kept = opened(decode(data, box=Box(0, 0, 1500, 1000)).png)
    assert (kept.size, corners(kept)) == ((500, 333), [RED] * 4)


@pytest.mark.parametrize("orientation", [1, 4, 7])
def test_a_box_of_a_photograph_that_is_decoded_smaller(orientation: int) -> None:
    data = photograph(4800, 3600, orientation=orientation, progressive=True)
    width, height = (4800, 3600) if orientation < 5 else (3600, 4800)
    box = Box(width // 2 - 1000, height // 2 - 1001, 2002, 2001)
    picture = decode(data, box=box)
    kept = opened(picture.png)
    assert (kept.size, picture.square.size) == ((500, 500), (1000, 1000))
    edges = [kept.getpixel(point) for point in ((245, 245), (255, 245), (245, 255), (255, 255))]
    assert are_like(edges, TURNED[orientation])


def test_many_at_once_are_refused_not_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    """One is decoded, five wait, the seventh is told to come again."""
    inside, go_on = threading.Semaphore(0), threading.Event()

    def slow(*_arguments: Any) -> tuple[bytes, Image.Image]:
        inside.release()
        assert go_on.wait(20)
        return b"", quarters()

    monkeypatch.setattr(pixels, "_decoded", slow)
    data = encoded(quarters())
    threads = [threading.Thread(target=decode, args=(data,)) for _ in range(decoding.MOST_ADMITTED)]
    for thread in threads:
        thread.start()
    assert inside.acquire(timeout=20)
    while decoding._admission.acquire(blocking=False):  # until all of them are waiting
        decoding._admission.release()
    assert not inside.acquire(blocking=False), "one at a time"
    with pytest.raises(Busy):
        decode(data)
    go_on.set()
    for thread in threads:
        thread.join()
    assert decode(data)


MEASURE = """
import json, resource, sys
from accountsapp.domain.pictures.boxes import Box
from accountsapp.domain.pictures.decoding import picture_of
from accountsapp.domain.pictures.problems import InvalidPicture

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def decode(data, box=None):
    try:
        return picture_of(data, formats=frozenset({"PNG", "JPEG"}), most_bytes=4 * 1024 * 1024, box=box)
    except InvalidPicture:
        return None

files = [open(name, "rb").read() for name in sys.argv[2:]]
decode(open(sys.argv[1], "rb").read())
before = peak()
boxes = (None, Box(1, 1, 4900, 4900))
taken = [decode(data, box) is not None for data in files for box in boxes]
print(json.dumps([taken, peak() - before]))
"""


def test_s34_memory(tmp_path: Any) -> None:
    """All of them, one after the other, need at most 150 MB more than a small picture; with a large part cut
    out too."""
    uploads = [
        encoded(quarters()),
        blank_png(5000, 5000, colour=6, depth=16),
        blank_png(5000, 5000, colour=2, chunks=chunk(b"tRNS", bytes(6))),
        encoded(Image.new("RGB", (5000, 5000), "red"), JPEG),
        encoded(Image.new("RGB", (5000, 5000), "red"), JPEG, progressive=True),
        blank_png(30_000, 30_000, depth=1, colour=0),
        encoded(Image.new("L", (7100, 7100)), JPEG),
        blank_png(30, 20, chunks=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200 * 1024 * 1024), 9))),
    ]
    names = []
    for number, data in enumerate(uploads):
        (tmp_path / str(number)).write_bytes(data)
        names.append(str(tmp_path / str(number)))
    run = subprocess.run([sys.executable, "-c", MEASURE, *names], check=True, capture_output=True)
    taken, megabytes = json.loads(run.stdout)
    assert taken[::2] == taken[1::2] == [True, True, True, True, False, False, True]
    assert megabytes < 150
