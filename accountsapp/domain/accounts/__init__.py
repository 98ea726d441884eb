"""Accounts: made, changed, renamed, locked, deleted, administered."""
