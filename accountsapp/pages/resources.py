"""The places of the pages."""

from typing import Any

from accountsapp.web.resources import ApiRoot, Resource


class Pages(ApiRoot):
    """HTML. Nobody signs in here: a mailed code is the authority."""

    largest_body = 64 * 1024


class Static(Pages):
    """``/static``: the stylesheet."""


class Confirmations(Pages):
    """``/confirm``: addresses are confirmed below it."""


class EmailChanges(Resource):
    """``/confirm/email``."""


class Coded(Resource):
    """The end of a mailed link."""

    @property
    def code(self) -> str:
        """The code in the path."""
        return self.__name__


class EmailChange(Coded):
    """``/confirm/email/{code}``."""


class AddressProofs(Resource):
    """``/confirm/address``."""


class AddressProof(Coded):
    """``/confirm/address/{code}``: proves an address that an account has already."""


class Recovery(Pages):
    """``/recovery``."""


class RecoveryOf(Resource):
    """``/recovery/{username}``."""


class Resets(Resource):
    """``/recovery/{username}/reset``."""


class Reset(Coded):
    """``/recovery/{username}/reset/{code}``."""

    @property
    def username(self) -> Any:
        """The username in the path."""
        return self.__parent__.__parent__.__name__


Confirmations.children = {"email": EmailChanges, "address": AddressProofs}
AddressProofs.children = {"{code}": AddressProof}
EmailChanges.children = {"{code}": EmailChange}
Recovery.children = {"{username}": RecoveryOf}
RecoveryOf.children = {"reset": Resets}
Resets.children = {"{code}": Reset}
