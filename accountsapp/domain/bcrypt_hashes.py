"""The form of bcrypt hashes."""

BEGINNINGS = ("$2a$", "$2b$", "$2y$")
MOST_ROUNDS = 20


def is_bcrypt_hash(text: str) -> bool:
    """Whether the text is a bcrypt hash that an imported account may come with.

    Of a cost up to 20: the check of a higher one would take minutes. With zeros in the bits that pad salt and
    digest: bcrypt writes them, so that no password fits a hash that has others.
    """
    return (
        len(text) == 60
        and text.isascii()
        and text[:4] in BEGINNINGS
        and text[4:6].isdecimal()
        and text[6] == "$"
        and 4 <= int(text[4:6]) <= MOST_ROUNDS
        and set(text[7:]) <= _BCRYPT_ALPHABET
        and text[28] in _SALT_ENDS
        and text[59] in _DIGEST_ENDS
    )


_BCRYPT_DIGITS = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_BCRYPT_ALPHABET = frozenset(_BCRYPT_DIGITS)
_SALT_ENDS = frozenset(_BCRYPT_DIGITS[::16])
"""What the last of a salt's 22 characters can be: 128 bits leave four to pad."""
_DIGEST_ENDS = frozenset(_BCRYPT_DIGITS[::4])
"""What the last of a digest's 31 characters can be: 184 bits leave two to pad."""
