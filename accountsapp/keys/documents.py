"""What the endpoints about API keys say of themselves at ``/docs/keys``."""

from typing import Literal

from pydantic import BaseModel, Field

from accountsapp.documents.document import (
    JSON,
    WHOLE,
    Answer,
    Document,
    Operation,
    Refusals,
    Shown,
    busy,
    shown,
    unauthenticated,
)
from accountsapp.keys import check_views, leak_views, pattern_views


class Checksum(Shown):
    """Positions are of characters, the end not included."""

    algorithm: Literal["crc32"]
    input: list[int]
    output: list[int]
    base: int
    alphabet: str


class Pattern(Shown):
    type: Literal["accountsapp_api_key"]
    prefix: str
    length: int
    regex: str
    report: str | None = Field(description="Where keys that were found are reported")
    checksum: Checksum


class Finding(BaseModel):
    token: str
    type: str | None = None
    url: str | None = Field(None, description="Where it was found")


class Label(Shown):
    token_hash: str = Field(description="SHA-256 of the token")
    token_type: str
    label: Literal["true_positive", "false_positive"]


class Error(Shown):
    error: str


class Requirements(BaseModel):
    """All of them must hold; any other parameter is refused."""

    scope: str | None = Field(None, description="What the credential must grant, such as `account:read`")
    permission: str | None = Field(None, description="What the account must have, as `app:action`")
    admin: Literal["1"] | None = Field(None, description="Only administrators")
    session: Literal["1"] | None = Field(None, description="The cookie of a session counts, too")


PATTERN = {
    "type": "accountsapp_api_key",
    "prefix": "acct_",
    "length": 41,
    "regex": "acct_[0-9A-Za-z]{36}",
    "report": "http://accounts.example.org/api/keys/v1/leaks",
    "checksum": {
        "algorithm": "crc32",
        "input": [5, 35],
        "output": [35, 41],
        "base": 62,
        "alphabet": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    },
}

TOKEN = "acct_5wnGv0mVq0cXJ8zvb9tW2cYkR3uEo1dF4a12k"  # noqa: S105
LABEL = {
    "token_hash": "3dffea0e103e0a29495672ffba5259a6c052fe46fc083161e7a056cf1f6c4e1f",
    "token_type": "accountsapp_api_key",
    "label": "false_positive",
}

DOCUMENT = Document(
    title="API keys",
    description="""
For who meets API keys of this server: scanners that look for lost ones, and proxies that ask, before they
let a request through, whose credential it has. Keys are made on the page `/keys`.
""",
    operations={
        check_views.check: Operation(
            "Proxies",
            "May this request pass?",
            {
                200: Answer(
                    "It may: who it is, in headers.",
                    headers={
                        "X-Auth-User": "The username, escaped as in URLs",
                        "X-Auth-User-Id": "Its id",
                        "X-Auth-Scopes": "What the credential grants",
                        "X-Auth-Credential": "What it is",
                    },
                )
            },
            "For the addresses of `accountsapp.check_from`; to all others it is 404. A proxy may hand on the"
            " URL of the request in `X-Original-URI`.",
            refusals={
                404: Answer("You may not ask.", Error),
                403: Answer(
                    "Something that is required is missing.",
                    Error,
                    headers={"X-Accepted-Scope": "The scope that is missing"},
                ),
            },
            query=Requirements,
            example={"scope": "account:read"},
        ),
        leak_views.report: Operation(
            "Scanners",
            "Report keys that were found",
            shown(list[Label], [LABEL]),
            "`Github-Public-Key-Identifier` and `Github-Public-Key-Signature` sign the body. Keys of"
            " this server are dead before the answer leaves.",
            refusals={403: Answer("It is not signed by who may report.", Error)},
            body=list[Finding],
            media_types=(JSON,),
            example={
                WHOLE: [{"token": TOKEN, "type": "accountsapp_api_key", "url": "https://code.example/a"}]
            },
        ),
        pattern_views.describe: Operation("Scanners", "What a key looks like", shown(Pattern, PATTERN)),
    },
    refusals=Refusals(
        everywhere={
            400: Answer("The request cannot be understood.", Error),
            **busy(Error),
        },
        of_bodies={413: Answer("The report is too large.", Error)},
        of_credentials={401: unauthenticated(Error, {"error": "Authentication is required."})},
    ),
    schemes={
        "proxied api_key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
        "requested session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
    },
)
