"""``/sixth``."""

from accountsapp.web.resources import ApiRoot


class SixthRoot(ApiRoot):
    """Open to everybody."""
