"""FastAPI-Users with signed tokens and SQLAlchemy, under uvicorn.

``python fastapi_users_sqlalchemy.py fill|serve FOLDER NUMBER``
"""

import asyncio
import sys
import uuid
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated, Any

import fastapi_users.schemas
import uvicorn
from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.db import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from sqlalchemy import String, event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

FOLDER, NUMBER = Path(sys.argv[2]), int(sys.argv[3])
SECRET = "b" * 50

engine = create_async_engine(f"sqlite+aiosqlite:///{FOLDER / 'fastapi.sqlite'}")
make_session = async_sessionmaker(engine, expire_on_commit=False)


@event.listens_for(engine.sync_engine, "connect")
def keep_every_write(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


class Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTableUUID, Base):
    name: Mapped[str | None] = mapped_column(String(255), default=None)


class UserRead(fastapi_users.schemas.BaseUser[uuid.UUID]):
    name: str | None


class UserUpdate(fastapi_users.schemas.BaseUserUpdate):
    name: str | None = None


class UserManager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    reset_password_token_secret = verification_token_secret = SECRET


async def session() -> AsyncGenerator[AsyncSession]:
    async with make_session() as made:
        yield made


async def user_manager(session: Annotated[AsyncSession, Depends(session)]) -> AsyncGenerator[UserManager]:
    yield UserManager(SQLAlchemyUserDatabase(session, User))


def strategy() -> JWTStrategy[User, uuid.UUID]:
    return JWTStrategy(secret=SECRET, lifetime_seconds=7 * 86400)


backend = AuthenticationBackend("jwt", BearerTransport("login"), strategy)
users = FastAPIUsers[User, uuid.UUID](user_manager, [backend])
app = FastAPI()
app.include_router(users.get_users_router(UserRead, UserUpdate), prefix="/users")


async def fill() -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    made = [
        User(email=f"person{n:07d}@example.com", hashed_password="!", id=uuid.uuid4())
        for n in range(1, NUMBER + 1)
    ]
    async with make_session() as session:
        session.add_all(made)
        await session.commit()
    (FOLDER / "credentials").write_text("\n".join([await strategy().write_token(user) for user in made]))


def serve() -> None:
    uvicorn.run(app, host="127.0.0.1", port=NUMBER, log_level="warning", access_log=False)


if sys.argv[1] == "fill":
    asyncio.run(fill())
else:
    serve()
