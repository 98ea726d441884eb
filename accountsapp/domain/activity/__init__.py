"""What accounts did at the services around this one, and what is shown of it."""
