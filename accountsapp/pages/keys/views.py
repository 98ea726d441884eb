"""The page of keys and the places of its forms."""

from pyramid.response import Response
from pyramid.view import view_config

from accountsapp.domain.credentials import api_keys, named_keys, signin
from accountsapp.domain.credentials.named_keys import By
from accountsapp.pages import kept_forms
from accountsapp.pages.html import go
from accountsapp.pages.keys.forms import RotationForm, kept_values, load_new_key, values_of
from accountsapp.pages.keys.resources import Confirmation, DefaultKey, Keys, NewKeys, OwnKey
from accountsapp.pages.keys.showing import Revealed, show
from accountsapp.security.freshness import is_fresh
from accountsapp.security.permissions import Permission
from accountsapp.web.fields import load
from accountsapp.web.request import Request


@view_config(context=Keys, request_method="GET", permission=Permission.KEYS_WRITE)
def list_keys(context: Keys, request: Request) -> Response:
    new = kept_values(request) if is_fresh(request) else None
    if new is None:
        return show(request)
    response = show(request, new=new, is_kept=True)
    kept_forms.forget(request, response)
    return response


@view_config(context=Confirmation, request_method="POST", permission=Permission.KEYS_WRITE)
def confirm(context: Confirmation, request: Request) -> Response:
    """Make the session fresh."""
    password = request.parameters.last_in_body("password")
    signin.confirm(request.store, request.actor, password, request.caller.secret or "")
    return go(context.page.path)


@view_config(context=NewKeys, request_method="POST", permission=Permission.KEYS_WRITE)
def add(context: NewKeys, request: Request) -> Response:
    form = load_new_key(request)
    added = named_keys.add(
        request.store,
        request.actor.id,
        name=form.name,
        scopes=form.scopes,
        lifetime=form.lifetime,
        by=By.PAGE,
        most=request.app_settings.keys.max,
    )
    return show(request, revealed=Revealed(added.api_key, added.key))


@view_config(context=OwnKey, name="revoke", request_method="POST", permission=Permission.KEYS_WRITE)
def revoke(context: OwnKey, request: Request) -> Response:
    named_keys.revoke(request.store, request.actor.id, context.key.id, By.PAGE)
    return go(context.page.path)


@view_config(context=OwnKey, name="rotate", request_method="POST", permission=Permission.KEYS_WRITE)
def rotate(context: OwnKey, request: Request) -> Response:
    key, form = context.key, load(RotationForm, values_of(request.parameters.body))
    rotation = named_keys.rotate(request.store, request.actor.id, key.id, form.overlap, By.PAGE)
    replaced = rotation.replaced if form.overlap else None
    return show(request, revealed=Revealed(rotation.api_key, rotation.key, replaced))


@view_config(context=DefaultKey, name="show", request_method="POST", permission=Permission.KEYS_WRITE)
def show_default(context: DefaultKey, request: Request) -> Response:
    api_key = api_keys.reveal(request.store, request.actor, session=request.caller.secret)
    return show(request, revealed=Revealed(api_key) if api_key is not None else None)


@view_config(context=DefaultKey, name="reset", request_method="POST", permission=Permission.KEYS_WRITE)
def reset_default(context: DefaultKey, request: Request) -> Response:
    return show(request, revealed=Revealed(api_keys.reset(request.store, request.actor.id)))
