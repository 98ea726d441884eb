"""What is true of an account whatever the API. Knows nothing of the web, and never commits."""
