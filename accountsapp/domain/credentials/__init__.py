"""What proves an account, and how it is changed, ended and recovered."""
