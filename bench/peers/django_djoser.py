"""Django and djoser: tokens of Django REST framework, under waitress.

``python django_djoser.py fill|serve FOLDER NUMBER``
"""

import sys
from pathlib import Path

import django
import waitress
from django.conf import settings

FOLDER, NUMBER = Path(sys.argv[2]), int(sys.argv[3])

settings.configure(
    SECRET_KEY="b" * 50,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="urls_of_djoser",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework.authtoken",
        "djoser",
    ],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": FOLDER / "django.sqlite",
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
                "transaction_mode": "IMMEDIATE",
            },
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DJOSER={"SERIALIZERS": {"current_user": "urls_of_djoser.UserSerializer"}},
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
)
django.setup()


def fill() -> None:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from rest_framework.authtoken.models import Token

    call_command("migrate", verbosity=0)
    users = [
        User(username=f"person{n:07d}", email=f"person{n:07d}@example.com") for n in range(1, NUMBER + 1)
    ]
    users = User.objects.bulk_create(users, batch_size=5000)
    tokens = [Token(user=user, key=Token.generate_key()) for user in users]
    Token.objects.bulk_create(tokens, batch_size=5000)
    (FOLDER / "credentials").write_text("\n".join(token.key for token in tokens))


def serve() -> None:
    from django.core.wsgi import get_wsgi_application

    waitress.serve(get_wsgi_application(), listen=f"127.0.0.1:{NUMBER}", threads=16, _quiet=True)


{"fill": fill, "serve": serve}[sys.argv[1]]()
