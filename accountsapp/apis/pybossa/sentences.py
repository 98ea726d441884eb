"""Sentences that the forms make of their limits, for the catalogue."""

from accountsapp.i18n import mark as _

SENTENCES = (
    _("Full name must be between 3 and 35 characters long"),
    _("Email must be between 3 and 254 characters long"),
    _("This may have at most 254 characters."),
)
