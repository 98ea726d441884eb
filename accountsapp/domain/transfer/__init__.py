"""Accounts as records of a file: imported and exported."""
