"""A client of the accounts API of addons-server."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from webtest import TestApp, TestResponse

from accountsapp.testing.credentials import Holder, by_jwt

BASE = "/api/v5/accounts"
PUBLIC_KEYS = {
    "average_addon_rating",
    "biography",
    "created",
    "has_anonymous_display_name",
    "has_anonymous_username",
    "homepage",
    "id",
    "is_addon_developer",
    "is_artist",
    "location",
    "name",
    "num_addons_listed",
    "occupation",
    "picture_type",
    "picture_url",
    "username",
}
SELF_KEYS = PUBLIC_KEYS | {
    "deleted",
    "display_name",
    "email",
    "fxa_edit_email_url",
    "last_login",
    "last_login_ip",
    "is_verified",
    "permissions",
    "read_dev_agreement",
    "site_status",
}


class Amo:
    """Calls below ``/api/v5/accounts``, by session or by token."""

    def __init__(self, app: TestApp) -> None:
        self.app = app

    def __call__(
        self,
        method: str,
        path: str,
        holder: Holder | None = None,
        body: Any = None,
        *,
        form: Any = None,
        files: Any = None,
        headers: Mapping[str, str] = {},
        by_token: bool = False,
    ) -> TestResponse:
        """
        :param body: JSON, or bytes as they are
        :param form: URL-encoded; with ``files`` multipart
        """
        sent = dict(headers)
        if holder is not None:
            sent |= by_jwt(holder.signing) if by_token else {"Authorization": f"Session {holder.cookie}"}
        url = f"{BASE}{path}"
        if files is not None:
            kind, content = self.app.encode_multipart(list((form or {}).items()), files)
            sent["Content-Type"] = kind
        elif form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            content = urlencode(form).encode()
        elif isinstance(body, bytes):
            content = body
        else:
            content = json.dumps(body).encode() if body is not None else b""
            if body is not None:
                sent.setdefault("Content-Type", "application/json")
        self.app.reset()
        return self.app.request(url, method=method, body=content, headers=sent, expect_errors=True)

    def account(self, holder: Holder, method: str = "GET", body: Any = None, **more: Any) -> TestResponse:
        """One's own account."""
        return self(method, f"/account/{holder.person.id}/", holder, body, **more)
