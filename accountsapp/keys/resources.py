"""What stands at the URLs about keys."""

from typing import TYPE_CHECKING

from accountsapp.web.cors import ANY, Cors
from accountsapp.web.resources import ApiRoot

if TYPE_CHECKING:
    from accountsapp.keys.reporters import Reporters


class Pattern(ApiRoot):
    """``/api/keys/v1/pattern``: what a key looks like, for whoever asks."""

    checks = ("acl",)
    cors = Cors(origins=ANY, exposed_headers=("X-Request-Id",))


class Leaks(ApiRoot):
    """``/api/keys/v1/leaks``: where keys are reported that were found. What counts is the signature."""

    checks = ("acl",)

    @property
    def reporters(self) -> "Reporters":
        """Whose signatures count."""
        reporters: Reporters = self.request.registry.leak_reporters
        return reporters
