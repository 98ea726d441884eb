"""How a request comes in and goes out, whatever the API."""
