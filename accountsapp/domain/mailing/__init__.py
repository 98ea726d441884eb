"""The mails that operations want sent, and the one-time links in them."""
