"""The one view."""

from typing import Any

from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from tests.support.sixth_api.resources import SixthRoot
from tests.support.sixth_api.settings import Settings


@view_config(context=SixthRoot, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show_max_length(context: SixthRoot, request: Any) -> dict[str, int]:
    return {"max_length": request.app_settings.section(Settings).max_length}
