"""The reading of ACLs: as Pyramid's own, whatever stands in them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pyramid.authorization import ALL_PERMISSIONS, ACLHelper, Allow, Deny, Everyone

from accountsapp.security.policy import acl_permits

PRINCIPALS = (Everyone, "account:1", "account:11", "group:administrators")
PERMISSIONS = ("account:read", "account:write", "account")
ENTRIES = st.tuples(
    st.sampled_from((Allow, Deny)),
    st.sampled_from(PRINCIPALS),
    st.one_of(st.just(ALL_PERMISSIONS), st.lists(st.sampled_from(PERMISSIONS)).map(tuple)),
)
ACLS = st.one_of(st.none(), st.lists(ENTRIES, max_size=4))


class Place:
    def __init__(self, parent: "Place | None", acl: Any, *, called: bool) -> None:
        self.__parent__ = parent
        if acl is not None:
            self.__acl__ = (lambda: acl) if called else acl


@given(
    st.lists(st.tuples(ACLS, st.booleans()), min_size=1, max_size=4),
    st.sets(st.sampled_from(PRINCIPALS)),
    st.sampled_from(PERMISSIONS),
)
def test_what_pyramid_permits(acls: list[tuple[Any, bool]], principals: set[str], permission: str) -> None:
    context = None
    for acl, called in acls:
        context = Place(context, acl, called=called)
    expected = bool(ACLHelper().permits(context, principals, permission))
    assert acl_permits(context, principals, permission) is expected
