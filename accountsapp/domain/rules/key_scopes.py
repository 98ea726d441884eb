"""What an API key may be allowed to do."""

SCOPES = (
    "account:read",
    "account:write",
    "email:read",
    "email:write",
    "key:read",
    "key:write",
    "password:write",
    "administer",
)
