"""What the authorization server says of itself at ``/docs/oauth``."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from accountsapp.documents.document import (
    HTML,
    Answer,
    Document,
    Operation,
    Refusals,
    Shown,
    bad_bodies,
    busy,
    shown,
)
from accountsapp.oauth import endpoint_views, metadata, page_views
from accountsapp.web.bodies import FORM

PROGRAMS, PEOPLE = "For programs", "For people"


class Metadata(Shown):
    """RFC 8414."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    introspection_endpoint: str
    response_types_supported: list[str]
    response_modes_supported: list[str]
    grant_types_supported: list[str]
    scopes_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
    introspection_endpoint_auth_methods_supported: list[str]
    code_challenge_methods_supported: list[str]
    authorization_response_iss_parameter_supported: bool


class Tokens(Shown):
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str
    refresh_token: str
    username: str
    user_id: int


class Introspection(BaseModel):
    """RFC 7662; of a token that is not living nothing but `active`."""

    model_config = ConfigDict(extra="allow")

    active: bool


class ProtocolError(Shown):
    """RFC 6749 5.2."""

    error: str
    error_description: str | None = None


class Client(BaseModel):
    client_id: str | None = Field(None, description="Of a client that does not use Basic")
    client_secret: str | None = None


class TokenRequest(Client):
    grant_type: Literal["authorization_code", "refresh_token"]
    code: str | None = None
    redirect_uri: str | None = None
    code_verifier: str | None = Field(None, description="PKCE (RFC 7636)")
    refresh_token: str | None = None
    scope: str | None = None


class TokenQuestion(Client):
    token: str
    token_type_hint: Literal["access_token", "refresh_token"] | None = None


class AuthorizationRequest(BaseModel):
    client_id: str
    response_type: Literal["code"]
    redirect_uri: str | None = None
    scope: str | None = None
    state: str | None = None
    code_challenge: str | None = Field(None, description="PKCE (RFC 7636)")
    code_challenge_method: Literal["S256"] | None = None


class Decision(BaseModel):
    decision: Literal["allow", "deny"]


class Withdrawal(BaseModel):
    client_id: str


ISSUER = "http://accounts.example.org/api/v1.1/o"
METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize/",
    "token_endpoint": f"{ISSUER}/token/",
    "revocation_endpoint": f"{ISSUER}/revoke/",
    "introspection_endpoint": f"{ISSUER}/introspect/",
    "response_types_supported": ["code"],
    "response_modes_supported": ["query"],
    "grant_types_supported": ["authorization_code", "refresh_token"],
    "scopes_supported": ["profile_read", "profile_write", "email_read", "email_write"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
    "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
    "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    "code_challenge_methods_supported": ["S256"],
    "authorization_response_iss_parameter_supported": True,
}
CLIENT = {"client_id": "the-client"}
REQUEST = {
    **CLIENT,
    "response_type": "code",
    "redirect_uri": "https://client.example.com/callback",
    "scope": "profile_read",
    "state": "a1b2c3",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}
SENT_BACK = Answer("To the client.", headers={"Location": "Its redirect URI, with `code` or `error`"})
NO_LINK = {400: Answer("The client or its redirect URI are not known.", str, media_type=HTML)}
BAD_CLIENT = {
    401: Answer(
        "The client is not known, or did not prove itself.",
        ProtocolError,
        headers={"WWW-Authenticate": "Basic"},
    )
}
TO_SIGN_IN = {
    200: Answer("A page for people; for who is not signed in, the sign-in form.", str, media_type=HTML)
}

DOCUMENT = Document(
    title="OAuth 2.0",
    description="""
The authorization server: clients send people to `authorize`, and change the code that comes back for tokens.
A client without a secret needs PKCE (`S256`). Clients are registered with `accountsapp clients add`; one with
a secret proves itself by Basic or by fields of the body.
""",
    operations={
        metadata.describe: Operation(PROGRAMS, "What the server can (RFC 8414)", shown(Metadata, METADATA)),
        page_views.ask: Operation(
            PEOPLE,
            "Ask whether a client is let in",
            {
                **TO_SIGN_IN,
                303: SENT_BACK,
            },
            refusals=NO_LINK,
            query=AuthorizationRequest,
            example=REQUEST,
        ),
        page_views.decide: Operation(
            PEOPLE,
            "Let a client in, or not",
            {303: SENT_BACK, **TO_SIGN_IN},
            refusals=NO_LINK,
            query=AuthorizationRequest,
            body=Decision,
            media_types=(FORM,),
            example={**REQUEST, "decision": "allow"},
        ),
        endpoint_views.token: Operation(
            PROGRAMS,
            "Change a code or a refresh token for tokens",
            shown(
                Tokens,
                {
                    "access_token": "acat_b2J1QqaJdTUrlgXdzNqVQM4tgQcyqcxBiuaL7zhwl4U",
                    "expires_in": 3600,
                    "token_type": "Bearer",
                    "scope": "profile_read email_read",
                    "refresh_token": "acrt_6O2UPpBKf7ylJdyaq7SOatuQu9qUvbkKK7Qxaa2soaI",
                    "username": "admin",
                    "user_id": 1,
                },
            ),
            refusals=BAD_CLIENT,
            body=TokenRequest,
            media_types=(FORM,),
            example={
                **CLIENT,
                "grant_type": "authorization_code",
                "code": "the-code-that-came-back",
                "redirect_uri": REQUEST["redirect_uri"],
                "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            },
        ),
        endpoint_views.revoke: Operation(
            PROGRAMS,
            "End a token (RFC 7009)",
            {200: Answer("It is dead, if it was one.")},
            refusals=BAD_CLIENT,
            body=TokenQuestion,
            media_types=(FORM,),
            example={**CLIENT, "token": "the-token"},
        ),
        endpoint_views.introspect: Operation(
            PROGRAMS,
            "Whether a token is living, and whose it is (RFC 7662)",
            shown(Introspection, {"active": False}),
            "For clients with a secret.",
            refusals=BAD_CLIENT,
            body=TokenQuestion,
            media_types=(FORM,),
            example={**CLIENT, "client_secret": "the-secret", "token": "the-token"},
        ),
        page_views.list_applications: Operation(PEOPLE, "List the clients that have access", TO_SIGN_IN),
        page_views.withdraw: Operation(
            PEOPLE,
            "End a client's access",
            {303: Answer("Back to the list.", headers={"Location": "Its URL"}), **TO_SIGN_IN},
            body=Withdrawal,
            media_types=(FORM,),
            example=CLIENT,
        ),
    },
    refusals=Refusals(
        everywhere={
            400: Answer("The request is not one.", ProtocolError, also=(HTML,)),
            **busy(ProtocolError, also=(HTML,)),
        },
        of_bodies=bad_bodies(ProtocolError, "The body is larger than 64 KiB.", also=(HTML,)),
    ),
)
