"""The table of archives with what is stored about an account."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from accountsapp.domain.clock import now
from accountsapp.domain.data.models import Base


class Archive(Base):
    """One file that its owner is mailed a link to (``domain/transfer/archives.py``)."""

    __tablename__ = "archive"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    """SHA-256 of the code in the link."""
    name: Mapped[str]
    """What the file is called for its owner."""
    stem: Mapped[str]
    """What it is called here."""
    created: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime]
