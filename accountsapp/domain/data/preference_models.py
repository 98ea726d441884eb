"""The tables of what an account prefers, and where else it is to be found."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from accountsapp.domain.data.models import Base


class Preference(Base):
    """One preference of an account that it has set."""

    __tablename__ = "preference"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class SocialLink(Base):
    """Where an account is to be found on one social network."""

    __tablename__ = "social_link"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    platform: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
