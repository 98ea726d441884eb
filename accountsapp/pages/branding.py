"""How the site looks: its name, its logo, its colour, and the files that pages load."""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from accountsapp import colours
from accountsapp.colours import Rgb
from accountsapp.domain.rules.text import initial_of
from accountsapp.settings import Settings
from accountsapp.site_logo import read_logo

if TYPE_CHECKING:
    from pyramid.config import Configurator

LIGHT_GROUNDS: tuple[Rgb, ...] = (colours.WHITE, (0xF3, 0xF4, 0xF6))
"""The card and what is around it, as in ``style.css``."""
DARK_GROUNDS: tuple[Rgb, ...] = ((0x1B, 0x1F, 0x26), (0x10, 0x13, 0x17))
ICON_SIZE = 32
"""Pixels of the icon of a site without a logo."""

SCRIPT = "text/javascript; charset=utf-8"
STYLE_SHEET = "text/css; charset=utf-8"
_FILES = {
    "style.css": STYLE_SHEET,
    "password.js": SCRIPT,
    "crop.js": SCRIPT,
    "copy.js": SCRIPT,
}


@dataclass(frozen=True)
class StaticFile:
    """A file that is the same for everybody.

    :ivar content: of a large one the path, since pages load it seldom
    """

    content_type: str
    content: bytes | Path

    def read(self) -> bytes:
        """All of it."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()

    def make_tag(self) -> str:
        """Names this content."""
        return hashlib.sha256(self.read()).hexdigest()[:16]


class Branding:
    """The looks of one site, made once.

    :ivar name: what pages and mails call it
    :ivar static: the files below ``/static``, by name
    :ivar icon: what is at ``/favicon.ico``
    """

    def __init__(self, settings: Settings) -> None:
        self.name = settings.site_name
        self._path = settings.site_path
        chosen = colours.parse(settings.site_colour)
        self.static = {name: StaticFile(kind, _read(name)) for name, kind in _FILES.items()}
        sheet = f"{_variables(chosen)}\n".encode() + _read("style.css")
        self.static["style.css"] = StaticFile(STYLE_SHEET, sheet)
        logo = _logo(settings)
        if logo is not None:
            name, file = logo
            self.static[name] = file
        self._logo_name = logo[0] if logo is not None else None
        self.icon = logo[1] if logo is not None else StaticFile("image/png", _square(chosen))
        self._tags = {name: file.make_tag() for name, file in self.static.items()}

    @property
    def initial(self) -> str:
        """Stands for the logo of a site that has none."""
        return initial_of(self.name).upper()

    @property
    def logo(self) -> str | None:
        """The path of the logo, if there is one."""
        return self.file(self._logo_name) if self._logo_name is not None else None

    def href(self, path: str) -> str:
        """The path of a page of this site, as a link has it.

        :param path: below that of ``site_url``
        """
        return self._path + path

    def add(self, name: str, file: StaticFile) -> None:
        """One more file below ``/static``."""
        self.static[name] = file
        self._tags[name] = file.make_tag()

    def tag(self, name: str) -> str:
        """Names the content of a static file."""
        return self._tags[name]

    def file(self, name: str) -> str:
        """The path of a static file: another one when its content is another one."""
        return f"{self._path}/static/{name}?v={self._tags[name]}"


def _read(name: str) -> bytes:
    return files("accountsapp.pages").joinpath("static", name).read_bytes()


def _variables(chosen: Rgb) -> str:
    """The site's colour, so that text in it and on it can be read in both schemes."""
    light = colours.readable(chosen, LIGHT_GROUNDS, colours.BLACK)
    dark = colours.readable(chosen, DARK_GROUNDS, colours.WHITE)
    return (
        f":root {{ --strong: {colours.written(light)}; --on-strong: #ffffff; }}\n"
        "@media (prefers-color-scheme: dark) {"
        f" :root {{ --strong: {colours.written(dark)}; --on-strong: {colours.written(DARK_GROUNDS[1])}; }} }}"
    )


def _logo(settings: Settings) -> tuple[str, StaticFile] | None:
    if settings.site_logo is None:
        return None
    logo = read_logo(settings.site_logo)
    return f"logo.{logo.ending}", StaticFile(logo.content_type, logo.content)


def _square(colour: Rgb) -> bytes:
    """A PNG of one colour (PNG 1.2: 8 bits a sample, RGB)."""
    row = b"\0" + bytes(colour) * ICON_SIZE
    header = struct.pack(">IIBBBBB", ICON_SIZE, ICON_SIZE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(row * ICON_SIZE, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def includeme(config: "Configurator") -> None:
    config.registry.branding = Branding(config.registry.app_settings)
