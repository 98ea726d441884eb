"""A program that finds lost keys and reports them, signed with real keys on P-256."""

import json
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from webtest import TestApp, TestResponse

LEAKS = "/api/keys/v1/leaks"
URL = "https://code.example/alice/dotfiles/blob/main/.env"


class Reporter:
    """
    :ivar identifier: of its public key
    """

    def __init__(self, identifier: str = "first") -> None:
        self.identifier = identifier
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def published(self) -> dict[str, Any]:
        """The public key, as such programs publish theirs."""
        pem = self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {"key_identifier": self.identifier, "key": pem.decode(), "is_current": True}

    def sign(self, content: bytes) -> dict[str, str]:
        """The headers beside a report."""
        return {
            "Github-Public-Key-Identifier": self.identifier,
            "Github-Public-Key-Signature": b64encode(self.signature(content)).decode(),
        }

    def signature(self, content: bytes) -> bytes:
        return self._key.sign(content, ec.ECDSA(SHA256()))

    def send(self, app: TestApp, content: bytes, status: int = 200, **headers: str) -> TestResponse:
        """A report of any bytes."""
        headers = {"Content-Type": "text/plain", **self.sign(content), **headers}
        return app.post(LEAKS, content, headers=headers, status=status)

    def report(self, app: TestApp, *tokens: str, url: str = URL) -> list[str]:
        """The label of each token."""
        findings = [{"token": token, "type": "accountsapp_api_key", "url": url} for token in tokens]
        return [told["label"] for told in self.send(app, json.dumps(findings).encode()).json]


def publish(path: Path, reporters: Iterable[Reporter]) -> Path:
    """Write the file of public keys."""
    path.write_text(json.dumps({"public_keys": [reporter.published for reporter in reporters]}), "utf-8")
    return path
