"""The forms of visitors, empty or with what is wrong with them."""

from typing import Any

from accountsapp.apis.pybossa import forms
from accountsapp.apis.pybossa.answers import Shown
from accountsapp.apis.pybossa.forms import Texts
from accountsapp.apis.pybossa.resources import Form
from accountsapp.apis.pybossa.settings import Settings
from accountsapp.web.next_url import is_absolute
from accountsapp.web.request import Request

SHOWS_PASSWORD = ("password.js",)


def outcome(flash: object, status: str) -> dict[str, Any]:
    """What came of it."""
    return {"flash": flash, "status": status}


def registration_form(request: Request, errors: Texts | None = None, **further: Any) -> Shown:
    """``/account/register``."""
    values = forms.shown_values(request.parameters.body, forms.REGISTRATION)
    content = {
        "form": forms.form(request, forms.REGISTRATION, values, errors),
        "template": "account/register.html",
        "title": "Register",
        **further,
    }
    return Shown(content, "register.jinja2", {"next_path": _next_path(request), "scripts": SHOWS_PASSWORD})


def sign_in_form(request: Request, errors: Texts | None = None, **further: Any) -> Shown:
    """``/account/signin``."""
    social = request.app_settings.section(Settings).social
    values = forms.shown_values(request.parameters.body, forms.SIGN_IN)
    next_path = _next_path(request)
    content = {
        "auth": {provider: bool(url) for provider, url in social.items()},
        "form": forms.form(request, forms.SIGN_IN, values, errors),
        "next": next_path,
        "template": "account/signin.html",
        "title": "Sign in",
        **further,
    }
    offered = {provider: url for provider, url in social.items() if url}
    further_values = {
        "next_path": next_path,
        "leads_away": is_absolute(next_path),
        "social": offered,
        "scripts": SHOWS_PASSWORD,
    }
    return Shown(content, "signin.jinja2", further_values)


def forgotten_form(request: Request, errors: Texts | None = None, **further: Any) -> Shown:
    """``/account/forgot-password``; the name of the template begins with a slash once it was sent."""
    values = forms.shown_values(request.parameters.body, forms.FORGOTTEN)
    content = {
        "form": forms.form(request, forms.FORGOTTEN, values, errors),
        "template": "/account/password_forgot.html" if further else "account/password_forgot.html",
        **further,
    }
    return Shown(content, "forgotten.jinja2")


def reset_form(request: Request, username: str, errors: Texts | None = None, **further: Any) -> Shown:
    """``/account/reset-password``.

    :param username: whose password is set, for password managers
    """
    content = {
        "form": forms.form(request, forms.RESET, None, errors),
        "template": "/account/password_reset.html",
        **further,
    }
    return Shown(content, "reset.jinja2", {"username": username})


def _next_path(request: Request) -> str | None:
    context: Form = request.context
    return context.next_path
