"""What people see that belongs to no single API: home, and the pages behind mailed links.

They work without JavaScript, load nothing from elsewhere, and refuse to be framed.
"""

from typing import Any

from accountsapp.pages.resources import Confirmations, Recovery, Static


def includeme(config: Any) -> None:
    config.include("pyramid_jinja2")
    config.mount("/confirm", Confirmations)
    config.mount("/recovery", Recovery)
    config.mount("/static", Static)
    config.scan(__name__)
