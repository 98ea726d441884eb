"""The form of a key, published so that scanners find those that were lost."""

from typing import Any

from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.domain.rules import api_keys
from accountsapp.keys.resources import Pattern
from accountsapp.web.answers import json_answer
from accountsapp.web.request import Request

KEPT_FOR = 3600
"""Seconds for which the answer may be kept: it changes with a setting alone."""


@view_config(context=Pattern, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def describe(context: Pattern, request: Request) -> Response:
    """The form, and where a key that was found is reported."""
    settings = request.app_settings
    are_reported = settings.leaks_public_keys is not None
    response = json_answer(
        request, pattern(f"{settings.site_url}/api/keys/v1/leaks" if are_reported else None)
    )
    response.headers["Cache-Control"] = f"public, max-age={KEPT_FOR}"
    return response


def pattern(reported_to: str | None) -> dict[str, Any]:
    """The form as scanners read it: positions are of characters, the end not included."""
    checksum_at = len(api_keys.PREFIX) + api_keys.BODY_LENGTH
    return {
        "type": "accountsapp_api_key",
        "prefix": api_keys.PREFIX,
        "length": api_keys.LENGTH,
        "regex": f"{api_keys.PREFIX}[0-9A-Za-z]{{{api_keys.LENGTH - len(api_keys.PREFIX)}}}",
        "report": reported_to,
        "checksum": {
            "algorithm": "crc32",
            "input": [len(api_keys.PREFIX), checksum_at],
            "output": [checksum_at, api_keys.LENGTH],
            "base": len(api_keys.ALPHABET),
            "alphabet": api_keys.ALPHABET,
        },
    }
