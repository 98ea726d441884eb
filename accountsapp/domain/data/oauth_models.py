"""The tables of the authorization server: clients, what they were granted, and the tokens for it.

A grant is one consent. Code, access tokens and refresh tokens hang on it and go with it, so whatever ends
access (withdrawal, a stolen token used twice, the end of the client or the account) deletes one row.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, false
from sqlalchemy.orm import Mapped, mapped_column

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Base


class OAuthClient(Base):
    """A program that the operator let in."""

    __tablename__ = "oauth_client"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(unique=True)
    """Its public name in the protocol."""
    name: Mapped[str]
    secret_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    """SHA-256 of the client secret; None for a public client, which has none."""
    redirect_uris: Mapped[list[Any]]
    scopes: Mapped[list[Any]]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    """The account that the client acts for by itself; the client goes with it."""
    is_resource_server: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it may look at any living token, because tokens of others are shown to it."""
    created: Mapped[datetime] = mapped_column(default=now)
    revoked: Mapped[datetime | None]


class OAuthGrant(Base):
    """What one account allowed one client."""

    __tablename__ = "oauth_grant"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int | None] = mapped_column(
        ForeignKey("oauth_client.id", ondelete="CASCADE"), index=True
    )
    """None for a token that the operator issued by hand."""
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    """None for a client that acts for no account."""
    credential_epoch: Mapped[int | None]
    """The account's at that time; what is older than the account's present one is dead."""
    scope: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=now)


class OAuthCode(Base):
    """The authorization code of a grant. A used one is kept, so that its second use is noticed."""

    __tablename__ = "oauth_code"

    grant_id: Mapped[int] = mapped_column(
        ForeignKey("oauth_grant.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    redirect_uri: Mapped[str | None]
    """As the authorization request had it; None where it had none."""
    challenge: Mapped[str | None]
    """PKCE (RFC 7636), method ``S256``."""
    expires: Mapped[datetime] = mapped_column(index=True)
    used: Mapped[datetime | None]


class AccessToken(Base):
    """An opaque bearer token; account, client and epoch are its grant's, here to be found in one step."""

    __tablename__ = "oauth_access_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    """SHA-256 of the token, which has 256 random bits."""
    grant_id: Mapped[int] = mapped_column(ForeignKey("oauth_grant.id", ondelete="CASCADE"), index=True)
    client_id: Mapped[int | None] = mapped_column(
        ForeignKey("oauth_client.id", ondelete="CASCADE"), index=True
    )
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    credential_epoch: Mapped[int | None]
    scope: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime] = mapped_column(index=True)


class RefreshToken(Base):
    """A refresh token; a used one is kept until it expires, so that its second use is noticed."""

    __tablename__ = "oauth_refresh_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("oauth_grant.id", ondelete="CASCADE"), index=True)
    created: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime] = mapped_column(index=True)
    used: Mapped[datetime | None]


__all__ = ["AccessToken", "OAuthClient", "OAuthCode", "OAuthGrant", "RefreshToken"]
