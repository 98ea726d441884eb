"""Hashes of passwords that other systems made, at a low cost."""

from tests.support.people import PASSWORD

LONG_PASSWORD = "långt lösenord " * 8
"""More than bcrypt takes."""

HASHES = {
    "werkzeug pbkdf2 sha1": "pbkdf2:sha1:1000$r8Ill4QovJ7X9GrO$854779cb78517102cbf68c75fc46c2fd97b7d85b",
    "werkzeug pbkdf2 sha256": (
        "pbkdf2:sha256:1000$B9kdON0cbihW2qPm$194a309139de77111ce2bc84a41c7eba0b3d3569bea3eca01874990dfdc9e5d5"
    ),
    "werkzeug pbkdf2 sha512": (
        "pbkdf2:sha512:1000$ZqFMH6PC4YYA3RgO$d8a015f02cd57321fce211204e1562f88b4bb6249d6cd14e96dc3818c242db90"
        "bd5fb68f168f46fb7776fc1bffadd8704770cf606cd38c19778f4c86938f65f8"
    ),
    "werkzeug pbkdf2 without rounds": (
        "pbkdf2:sha1$r8Ill4QovJ7X9GrO$854779cb78517102cbf68c75fc46c2fd97b7d85b"
    ),
    "werkzeug scrypt": (
        "scrypt:1024:8:1$3IwsYsEuBh8EuT8H$270d80ff3edb9fab84ee3cc1708d36d1808a30ae92929ed658a95b36cf24e867"
        "cc808ce2479046ede50aa4446258a339b8a8e78ebffd15afdf9c46cb35370acc"
    ),
    "werkzeug scrypt as by default": (
        "scrypt:32768:8:1$G37b2WknAdu7Rz07$4c8d152c29953689e4b0007b268663c678257272236acec00fdeb04e4fffa9b7"
        "41bed19ff0ca8c2771dada2497d8b8a2b5ef9b8e1d612e4eb2b2951a8c2ec21a"
    ),
    "werkzeug sha1": "sha1$salt12$707af6b90e736c8960cf4f1896b1a7ebb986cece",
    "werkzeug sha256": "sha256$salt12$1333bf80b774186def11a039e08f48266583a2e2381d750d32a0a964a7604dcc",
    "werkzeug md5 without salt": "md5$$88e4ddd2402d92d50e1879d6ecd9ffd4",
    "django pbkdf2 sha256": "pbkdf2_sha256$1000$saltSALTsalt$exXdqJ+nza/pFOJRLtw3luJh0IdcFbKvUDHEOdxud/Q=",
    "django pbkdf2 sha1": "pbkdf2_sha1$1000$saltSALTsalt$BdsirLmUqLCbHry+zI59yMdE1Vk=",
    "django bcrypt sha256": "bcrypt_sha256$$2b$04$ultjvuJudEIuhr3r1jQl0ewl48mSWdmMbcg6oH3jT0r124imaCDXe",
    "django argon2": (
        "argon2$argon2id$v=19$m=1024,t=1,p=2$OXRveWYwVkhreGpSVzlDSEJNUThkcA"
        "$Xw/bHKzTxIt6nyx5VBzTo6hUqmMI9COQWxA7ERcxxdo"
    ),
    "argon2": (
        "$argon2id$v=19$m=1024,t=1,p=2$OXRveWYwVkhreGpSVzlDSEJNUThkcA"
        "$Xw/bHKzTxIt6nyx5VBzTo6hUqmMI9COQWxA7ERcxxdo"
    ),
    "django scrypt": (
        "scrypt$1024$saltSALTsalt$8$5$XYKQlCv56pExFwPCW7S48LXeAdWub27tWgLmLM5gGYv9KOCQV2pvCQYFcNeS1CUT"
        "lt9OIlrWvFGu0xfsUg5nzQ=="
    ),
    "django md5": "md5$saltSALTsalt$56b9d33dfc9db8379b2e654217d462ad",
    "django sha1": "sha1$Hw64nqsr81Xb$48aaf22787562d45046fd2f1f7262262aa4afd8d",
    "phpass": "$P$5r1XFZy/LwoFrYWGbHW98DWfOtG8lH.",
    "phpass of phpBB": "$H$6N.Q.aTZScq3q2QxwDMwYOhOyOZx1r0",
}
"""Each of :data:`PASSWORD`; made by Werkzeug 3.1, Django 5.2 and libpass 1.9."""

LONG_HASHES = {
    "werkzeug": (
        "pbkdf2:sha256:1000$bvAUlrkpYhod2iGG$1b6e483204289026244db04b692fe4f27607c3c4e1a51ea7731ddb8678d14fd1"
    ),
    "django": "bcrypt_sha256$$2b$04$FzX6yB3w.e/sfCYG9mboSugzC80T/HYU.XUTCwixltA7csHouUkJe",
}
"""Each of :data:`LONG_PASSWORD`."""

__all__ = ["HASHES", "LONG_HASHES", "LONG_PASSWORD", "PASSWORD"]
