"""PocketBase as it comes: its collection of users, its tokens, its own server.

``python pocketbase.py fill|serve FOLDER NUMBER``
"""

import json
import os
import secrets
import sqlite3
import string
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import jwt

FOLDER, NUMBER = Path(sys.argv[2]), int(sys.argv[3])
DATA = FOLDER / "pb_data"
PROGRAM = str(Path(sys.executable).with_name("pocketbase"))
ALPHABET = string.ascii_lowercase + string.digits


def fill() -> None:
    make_tables()
    with sqlite3.connect(DATA / "data.db") as connection:
        query = "SELECT id, options FROM _collections WHERE name = 'users'"
        ((collection, options),) = connection.execute(query)
        secret = json.loads(options)["authToken"]["secret"]
        expires = int(time.time()) + 7 * 86400
        now = datetime.now(UTC).isoformat(" ", "milliseconds").replace("+00:00", "Z")
        tokens, rows = [], []
        for number in range(1, NUMBER + 1):
            user = "".join(secrets.choice(ALPHABET) for _ in range(15))
            key = secrets.token_hex(25)
            claims = {
                "id": user,
                "type": "auth",
                "collectionId": collection,
                "refreshable": True,
                "exp": expires,
            }
            tokens.append(f"{user} {jwt.encode(claims, key + secret, 'HS256')}")
            rows.append(
                (user, key, "!", f"person{number:07d}@example.com", True, f"Person {number}", now, now)
            )
        columns = "id, tokenKey, password, email, verified, name, created, updated"
        connection.executemany(f"INSERT INTO users ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    (FOLDER / "credentials").write_text("\n".join(tokens))


def make_tables() -> None:
    """As its first start does."""
    address = "127.0.0.1:18090"
    server = subprocess.Popen([PROGRAM, "serve", f"--http={address}", f"--dir={DATA}"])
    try:
        while True:
            try:
                urlopen(f"http://{address}/api/health", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
    finally:
        server.terminate()
        server.wait()


def serve() -> None:
    os.execv(PROGRAM, [PROGRAM, "serve", f"--http=127.0.0.1:{NUMBER}", f"--dir={DATA}"])


{"fill": fill, "serve": serve}[sys.argv[1]]()
