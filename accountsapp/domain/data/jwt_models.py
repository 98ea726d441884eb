"""The tables of the keys with which clients sign tokens of their own."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Base


class JwtKey(Base):
    """The one signing key of an account (``domain/credentials/jwt_keys.py``)."""

    __tablename__ = "jwt_key"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    key: Mapped[str] = mapped_column(unique=True)
    """Its public name, which tokens carry as their issuer."""
    sealed: Mapped[str]
    """The secret encrypted for its account and key: to check a signature it is needed in clear."""
    secret_id: Mapped[str] = mapped_column(index=True)
    """Which value of ``accountsapp.secret`` made the seal."""
    credential_epoch: Mapped[int]
    created: Mapped[datetime] = mapped_column(default=now)


class UsedJwt(Base):
    """A token that may be used once, and was."""

    __tablename__ = "used_jwt"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    """SHA-256 of key and token id."""
    used_by: Mapped[str]
    """Names the one request that used it, which may have to try again."""
    expires: Mapped[datetime] = mapped_column(index=True)
    """When nobody can use the token any more."""
