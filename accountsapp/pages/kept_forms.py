"""What was typed into a form that was not taken, to be sent once more."""

from pyramid.exceptions import BadCSRFToken

from accountsapp.pages.resources import PersonPage
from accountsapp.security import csrf
from accountsapp.web.request import Request

BUTTON = "btn"
"""Which button was pressed, as forms with several say."""
SECRETS = frozenset({"password", "confirm", "current_password", "new_password"})
"""Fields that never come back: who typed them has them."""


def typed(request: Request, error: Exception) -> list[tuple[str, str]]:
    """The fields of a form that a page of ours had, whose token alone was not good.

    What a page of somebody else put into it does not come back: browsers say by ``Origin`` where it stood.

    :param error: ``BadCSRFToken`` or ``BadCSRFOrigin``
    :returns: none where nothing was typed that a page can keep: a password or a file is to be given again
    """
    if isinstance(request.context, PersonPage) and request.context.must_be_seen:
        return []
    if not isinstance(error, BadCSRFToken) or request.headers.get("Origin") != csrf.site_origin(request):
        return []
    fields = [(name, value) for name, value in request.parameters.body if name != csrf.FIELD]
    if any(name in SECRETS or not isinstance(value, str) for name, value in fields):
        return []
    has_text = any(value for name, value in fields if name != BUTTON)
    return fields if has_text else []
