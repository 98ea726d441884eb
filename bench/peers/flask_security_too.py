"""Flask-Security with its authentication tokens, Flask-SQLAlchemy, under waitress.

``python flask_security_too.py fill|serve FOLDER NUMBER``
"""

import sys
import uuid
from pathlib import Path
from typing import Any

import waitress
from flask import Flask, request
from flask_security import Security, SQLAlchemyUserDatastore, auth_required, current_user
from flask_security.models import fsqla_v3
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event

FOLDER, NUMBER = Path(sys.argv[2]), int(sys.argv[3])

app = Flask(__name__)
app.config.update(
    SECRET_KEY="b" * 50,
    SECURITY_PASSWORD_SALT="1" * 30,
    SQLALCHEMY_DATABASE_URI=f"sqlite:///{FOLDER / 'flask.sqlite'}",
    WTF_CSRF_ENABLED=False,
    SECURITY_WAN_ALLOW_AS_FIRST_FACTOR=False,
)
db = SQLAlchemy(app)
fsqla_v3.FsModels.set_db_info(db)


class Role(db.Model, fsqla_v3.FsRoleMixin):  # type: ignore[name-defined, misc]
    pass


class User(db.Model, fsqla_v3.FsUserMixin):  # type: ignore[name-defined, misc]
    name = db.Column(db.String(255))


security = Security(app, SQLAlchemyUserDatastore(db, User, Role))
security.want_json(lambda _request: True)


def shown(user: Any) -> dict[str, Any]:
    return {
        "username": user.username,
        "name": user.name,
        "signup": user.create_datetime.isoformat(),
        "activated": user.active,
        "last_login": None,
        "email": user.email,
    }


@app.get("/account")
@auth_required("token")
def read() -> dict[str, Any]:
    return shown(current_user)


@app.post("/account")
@auth_required("token")
def change() -> dict[str, Any]:
    current_user.name = request.form["name"]
    db.session.commit()
    return shown(current_user)


with app.app_context():

    @event.listens_for(db.engine, "connect")
    def keep_every_write(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")


def fill() -> None:
    with app.app_context():
        db.create_all()
        users = [
            User(
                username=f"person{n:07d}",
                email=f"person{n:07d}@example.com",
                active=True,
                fs_uniquifier=uuid.uuid4().hex,
            )
            for n in range(1, NUMBER + 1)
        ]
        db.session.add_all(users)
        db.session.flush()
        with app.test_request_context():
            tokens = [user.get_auth_token() for user in users]
        db.session.commit()
    (FOLDER / "credentials").write_text("\n".join(tokens))


def serve() -> None:
    waitress.serve(app, listen=f"127.0.0.1:{NUMBER}", threads=16, _quiet=True)


{"fill": fill, "serve": serve}[sys.argv[1]]()
