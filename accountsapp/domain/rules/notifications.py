"""What an account can be notified about."""

MANDATORY = {
    "reply": False,
    "new_features": False,
    "upgrade_success": False,
    "sdk_upgrade_success": False,
    "new_review": False,
    "announcements": False,
    "upgrade_fail": True,
    "sdk_upgrade_fail": True,
    "reviewer_reviewed": True,
    "individual_contact": True,
}
"""Every kind, in the order in which they are shown, and whether nobody can switch it off."""
