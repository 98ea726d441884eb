"""OAuth clients, their tokens, and who let them in."""
