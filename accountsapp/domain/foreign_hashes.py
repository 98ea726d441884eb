"""Hashes of passwords that other systems made: Werkzeug, Django, PHP.

One is checked when its owner signs in, and replaced by bcrypt then (``credentials/signin.py``). What that
costs is in the hash itself, so that one of a hostile file could keep the machine busy for hours: its form and
its cost are checked before anything is computed, when it comes in and again when it is used.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

from accountsapp.domain.bcrypt_hashes import is_bcrypt_hash

MOST_PBKDF2_ROUNDS = 2_000_000
MOST_SCRYPT_MEMORY = 64 * 1024 * 1024
"""Bytes."""
MOST_SCRYPT_WORK = 2**21
"""The product of its three parameters."""
MOST_ARGON2_MEMORY = 128 * 1024
"""KiB."""
MOST_ARGON2_WORK = 512 * 1024
"""KiB that all passes together go over."""
MOST_LANES = 16
"""Of scrypt and Argon2: what is computed side by side."""
MOST_BCRYPT_COST = 15
MOST_PHPASS_COST = 16
LONGEST_SALT = 256
LONGEST_BYTES = 4096
"""Of a password; Django takes no longer one."""

_PHPASS_DIGITS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class UnusableHash(ValueError):
    """A hash that cannot be taken; the text says why, without it."""


class Form(NamedTuple):
    """A kind of hash.

    :ivar pattern: what it looks like
    :ivar check: raises :class:`UnusableHash` where one costs too much, or no password can fit it
    :ivar matches: whether a password, as bytes, is the hashed one
    :ivar needs_library: whether libpass checks it
    """

    pattern: re.Pattern[str]
    check: Callable[[re.Match[str]], None]
    matches: Callable[[bytes, re.Match[str]], bool]
    needs_library: bool = False


def check(text: str) -> None:
    """
    :raises UnusableHash: no hash of a known form, one that is too dear, or one for which libpass is missing
    """
    form, match = _form_of(text)
    form.check(match)
    if form.needs_library and not _has_library():
        raise UnusableHash("needs a package that is not installed; install accountsapp[migrate]")


def matches(password: bytes, text: str) -> bool:
    """Whether the password is the hashed one; False for one that no system took.

    :raises UnusableHash: as :func:`check`
    """
    check(text)
    form, match = _form_of(text)
    return len(password) <= LONGEST_BYTES and form.matches(password, match)


def _form_of(text: str) -> tuple[Form, re.Match[str]]:
    for form in _FORMS:
        match = form.pattern.fullmatch(text)
        if match is not None:
            return form, match
    raise UnusableHash("must be a hash of bcrypt, Werkzeug, Django or PHP")


@cache
def _has_library() -> bool:
    return find_spec("passlib") is not None


def _check_pbkdf2(match: re.Match[str]) -> None:
    if not 1 <= _number(match["rounds"] or "1000") <= MOST_PBKDF2_ROUNDS:
        raise UnusableHash(f"has more than {MOST_PBKDF2_ROUNDS} rounds, or none")
    if len(_digest(match)) != hashlib.new(match["name"]).digest_size:
        raise UnusableHash("has a wrong length")


def _matches_pbkdf2(password: bytes, match: re.Match[str]) -> bool:
    rounds = _number(match["rounds"] or "1000")
    computed = hashlib.pbkdf2_hmac(match["name"], password, match["salt"].encode(), rounds)
    return hmac.compare_digest(computed, _digest(match))


def _check_scrypt(match: re.Match[str]) -> None:
    n, r, p = (_number(match[name]) for name in ("n", "r", "p"))
    if n < 2 or n & (n - 1) or r < 1 or p < 1:
        raise UnusableHash("has parameters that scrypt does not have")
    if 128 * n * r > MOST_SCRYPT_MEMORY or n * r * p > MOST_SCRYPT_WORK or p > MOST_LANES:
        raise UnusableHash("costs more than is computed for a sign-in")
    if len(_digest(match)) != 64:
        raise UnusableHash("has a wrong length")


def _matches_scrypt(password: bytes, match: re.Match[str]) -> bool:
    n, r, p = (_number(match[name]) for name in ("n", "r", "p"))
    room = 2 * MOST_SCRYPT_MEMORY
    computed = hashlib.scrypt(password, salt=match["salt"].encode(), n=n, r=r, p=p, maxmem=room, dklen=64)
    return hmac.compare_digest(computed, _digest(match))


def _check_salted(match: re.Match[str]) -> None:
    if len(_digest(match)) != hashlib.new(match["name"], usedforsecurity=False).digest_size:
        raise UnusableHash("has a wrong length")


def _matches_salted(password: bytes, match: re.Match[str]) -> bool:
    """Werkzeug made an HMAC under the salt, Django a digest of salt and password: they look the same."""
    name, salt = match["name"], match["salt"].encode()
    as_django = hashlib.new(name, salt + password, usedforsecurity=False).digest()
    as_werkzeug = hmac.digest(salt, password, name) if salt else as_django
    is_django = hmac.compare_digest(as_django, _digest(match))
    return hmac.compare_digest(as_werkzeug, _digest(match)) or is_django


def _check_bcrypt(match: re.Match[str]) -> None:
    if _number(match["cost"]) > MOST_BCRYPT_COST:
        raise UnusableHash(f"has a cost above {MOST_BCRYPT_COST}")
    if not is_bcrypt_hash(match["bcrypt"]):
        raise UnusableHash("has no bcrypt hash in it that a password can fit")


def _check_argon2(match: re.Match[str]) -> None:
    memory, passes, lanes = (_number(match[name]) for name in ("m", "t", "p"))
    if passes < 1 or lanes < 1 or memory < 8 * lanes:
        raise UnusableHash("has parameters that Argon2 does not have")
    if memory > MOST_ARGON2_MEMORY or memory * passes > MOST_ARGON2_WORK or lanes > MOST_LANES:
        raise UnusableHash("costs more than is computed for a sign-in")


def _check_phpass(match: re.Match[str]) -> None:
    if not 7 <= _PHPASS_DIGITS.index(match["cost"]) <= MOST_PHPASS_COST:
        raise UnusableHash(f"has a cost above {MOST_PHPASS_COST}, or none")
    if _PHPASS_DIGITS.index(match["last"]) > 3:
        raise UnusableHash("has bits set that no password can fit")


def _matches_by(name: str) -> Callable[[bytes, re.Match[str]], bool]:
    """A check by that handler of libpass."""

    def matches_hash(password: bytes, match: re.Match[str]) -> bool:
        try:
            return bool(_handler(name).verify(password, match.string))
        except (ValueError, TypeError):
            raise UnusableHash("is malformed") from None

    return matches_hash


@cache
def _handler(name: str) -> Any:
    import passlib.hash

    return getattr(passlib.hash, name)


def _number(digits: str) -> int:
    return int(digits)


def _digest(match: re.Match[str]) -> bytes:
    text: str = match["digest"]
    try:
        if match.re in _IN_BASE64:
            return base64.b64decode(text, validate=True)
        return bytes.fromhex(text)
    except (binascii.Error, ValueError):
        raise UnusableHash("has a digest that is none") from None


def _pattern(text: str) -> re.Pattern[str]:
    salt = rf"(?P<salt>[^$\x00-\x1f]{{0,{LONGEST_SALT}}})"
    number = r"[0-9]{1,10}"
    return re.compile(text.replace("SALT", salt).replace("NUMBER", number), re.ASCII)


_WERKZEUG_PBKDF2 = _pattern(
    r"pbkdf2:(?P<name>sha1|sha224|sha256|sha384|sha512)(?::(?P<rounds>NUMBER))?\$SALT\$(?P<digest>[0-9a-f]{40,128})"
)
_DJANGO_PBKDF2 = _pattern(
    r"pbkdf2_(?P<name>sha1|sha256)\$(?P<rounds>NUMBER)\$SALT\$(?P<digest>[A-Za-z0-9+/=]{28,44})"
)
_WERKZEUG_SCRYPT = _pattern(
    r"scrypt:(?P<n>NUMBER):(?P<r>NUMBER):(?P<p>NUMBER)\$SALT\$(?P<digest>[0-9a-f]{128})"
)
_DJANGO_SCRYPT = _pattern(
    r"scrypt\$(?P<n>NUMBER)\$SALT\$(?P<r>NUMBER)\$(?P<p>NUMBER)\$(?P<digest>[A-Za-z0-9+/=]{88})"
)
_SALTED = _pattern(r"(?P<name>md5|sha1|sha224|sha256|sha384|sha512)\$SALT\$(?P<digest>[0-9a-f]{32,128})")
_DJANGO_BCRYPT = _pattern(r"bcrypt_sha256\$(?P<bcrypt>\$2[ab]\$(?P<cost>[0-9]{2})\$[./A-Za-z0-9]{53})")
_ARGON2_TAIL = (
    r"\$argon2(?:id|i|d)(?:\$v=[0-9]{2})?\$m=(?P<m>NUMBER),t=(?P<t>NUMBER),p=(?P<p>NUMBER)"
    r"\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{11,86}"
)
_DJANGO_ARGON2 = _pattern(f"argon2{_ARGON2_TAIL}")
_ARGON2 = _pattern(_ARGON2_TAIL)
_PHPASS = _pattern(r"\$[PH]\$(?P<cost>[./A-Za-z0-9])[./A-Za-z0-9]{29}(?P<last>[./A-Za-z0-9])")
_IN_BASE64 = frozenset({_DJANGO_PBKDF2, _DJANGO_SCRYPT})

_FORMS = (
    Form(_WERKZEUG_PBKDF2, _check_pbkdf2, _matches_pbkdf2),
    Form(_DJANGO_PBKDF2, _check_pbkdf2, _matches_pbkdf2),
    Form(_WERKZEUG_SCRYPT, _check_scrypt, _matches_scrypt),
    Form(_DJANGO_SCRYPT, _check_scrypt, _matches_scrypt),
    Form(_SALTED, _check_salted, _matches_salted),
    Form(_DJANGO_BCRYPT, _check_bcrypt, _matches_by("django_bcrypt_sha256"), needs_library=True),
    Form(_DJANGO_ARGON2, _check_argon2, _matches_by("django_argon2"), needs_library=True),
    Form(_ARGON2, _check_argon2, _matches_by("argon2"), needs_library=True),
    Form(_PHPASS, _check_phpass, _matches_by("phpass"), needs_library=True),
)
