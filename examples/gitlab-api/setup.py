from setuptools import setup

setup(
    name="accountsapp-gitlab",
    version="1.0",
    description="Accounts of accountsapp as users of GitLab's API",
    packages=["accountsapp_gitlab"],
    python_requires=">=3.11",
    install_requires=["accountsapp"],
    extras_require={"testing": ["accountsapp[testing]"]},
    entry_points={"accountsapp.apis": ["gitlab = accountsapp_gitlab"]},
)
