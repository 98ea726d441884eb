"""What stands at the URLs about keys."""

from accountsapp.web.cors import ANY, Cors
from accountsapp.web.resources import ApiRoot


class Pattern(ApiRoot):
    """``/api/keys/v1/pattern``: what a key looks like, for whoever asks."""

    checks = ("acl",)
    cors = Cors(origins=ANY, exposed_headers=("X-Request-Id",))
