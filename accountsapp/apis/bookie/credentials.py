"""The one credential of the Bookie API."""

from dataclasses import replace

from accountsapp.domain.rules.folding import fold
from accountsapp.security.credentials import ApiKeyParameter
from accountsapp.security.identity import Identity, Nobody
from accountsapp.web.request import Request
from accountsapp.web.resources import AccountResource, PartOfAccount


class NamedApiKey(ApiKeyParameter):
    """An API key, which grants nothing where a parameter ``username`` names another account than the path."""

    def identify(self, request: Request) -> Identity | Nobody | None:
        caller = super().identify(request)
        if isinstance(caller, Identity) and not _agree(request):
            return replace(caller, scopes=frozenset())
        return caller


def _agree(request: Request) -> bool:
    context = request.context
    if isinstance(context, PartOfAccount):
        context = context.__parent__
    if not isinstance(context, AccountResource):
        return True
    names = request.parameters.all("username")
    return all(isinstance(name, str) and fold(name) == fold(context.__name__) for name in names)
