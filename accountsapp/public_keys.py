"""The file of public keys that a program publishes which reports lost keys, in its own form."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import BaseModel, ConfigDict, Field, ValidationError

PublicKeys = dict[str, EllipticCurvePublicKey]


class PublishedKey(BaseModel):
    """One of the keys; whether it is the current one does not matter, reports may be on their way."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    key_identifier: str = Field(min_length=1)
    key: str


class PublishedKeys(BaseModel):
    """The file."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    public_keys: list[PublishedKey] = Field(min_length=1)


def read_public_keys(path: Path) -> PublicKeys:
    """By their identifiers.

    :raises OSError: there is no such file, or it cannot be read
    :raises ValueError: it is not in the form, has no key, or one that is not on P-256; the text has nothing
        of what is in it
    """
    try:
        published = PublishedKeys.model_validate_json(path.read_bytes())
    except ValidationError:
        raise ValueError('must be {"public_keys": [{"key_identifier": …, "key": …}, …]} with a key') from None
    return {published.key_identifier: _on_p256(published.key) for published in published.public_keys}


def _on_p256(pem: str) -> EllipticCurvePublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("has a key that is no public key in PEM") from None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("has a key that is not on the curve P-256")
    return key
