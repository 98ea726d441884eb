"""The places of the documents."""

from accountsapp.pages.resources import Pages
from accountsapp.web.resources import Resource


class Documents(Pages):
    """``/docs``: the first one."""


class DocumentPlace(Resource):
    """``/docs/{document}``: the page of one, and its JSON at its name with ``.json``."""


Documents.children = {"{document}": DocumentPlace}
