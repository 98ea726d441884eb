"""Sentences of the domain that pages show, for the catalogue: the domain itself speaks English alone."""

from accountsapp.i18n import mark as _

SENTENCES = (
    # domain.oauth.scopes
    _("See your profile: name, e-mail address, location, company, homepage"),
    _("Change your profile"),
    _("See your e-mail addresses"),
    _("Add, confirm and remove your e-mail addresses"),
    # domain.passwords
    _("You must provide a password"),
    _("A password needs at least 8 characters"),
    _("The password has characters that are not allowed"),
    _("A password may have at most 72 bytes"),
    _("A password of white space only is not allowed"),
    _("A password must not be the user name or e-mail address"),
    _("That password is too common"),
    # domain.rules.usernames
    _("The user name is already taken"),
    _("User name must be between 3 and 35 characters long"),
    _("User name must be between 1 and 255 characters long"),
    _("The user name has symbols that are not allowed"),
    _("The user name is used by the system"),
    _("The user name is too long without its ligatures"),
    _("The user name must be a text"),
    _("Only an invited account may choose its user name here"),
    # domain.pictures.problems
    _("That is not a picture of a kind that is taken here."),
    _("The picture is too small."),
    _("The file of the picture is too large."),
    _("The picture has too many pixels."),
    _("The picture is animated."),
    _("The picture is damaged."),
    _("That is not a part of the picture."),
    # domain.rules.key_names, key_scopes
    _("The name must have 1 to 80 characters."),
    _("The name has characters that are not allowed."),
    _("A key needs at least one scope."),
    _(
        "The scopes of a key are: account:read, account:write, email:read, email:write, key:read, key:write,"
        " password:write, administer."
    ),
    # domain.errors
    _("Another key of this account has that name."),
    _("That key has expired, or is being replaced already."),
    _("Registration is closed."),
    _("Invalid email address."),
    _("That e-mail address is already taken."),
)
