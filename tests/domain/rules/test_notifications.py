"""The ten kinds of notification: their order, what is mandatory, what a choice does."""

from accountsapp.domain.rules.notifications import MANDATORY, Notification, notification, notifications


def test_the_ten_kinds_in_their_order() -> None:
    assert [(kind.name, kind.mandatory) for kind in notifications({})] == [
        ("reply", False),
        ("new_features", False),
        ("upgrade_success", False),
        ("sdk_upgrade_success", False),
        ("new_review", False),
        ("announcements", False),
        ("upgrade_fail", True),
        ("sdk_upgrade_fail", True),
        ("reviewer_reviewed", True),
        ("individual_contact", True),
    ]


def test_a_kind_is_on_until_it_is_switched_off_and_a_mandatory_one_always() -> None:
    assert all(kind.enabled for kind in notifications({}))
    off = notifications(dict.fromkeys(MANDATORY, False))
    assert all(kind.enabled is kind.mandatory for kind in off)
    assert notification({"reply": False, "other": False}, "new_review") == Notification(
        "new_review", True, False
    )
