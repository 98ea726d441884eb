"""The e-mail addresses of accounts: who has one, and how one is added, proved and changed."""
