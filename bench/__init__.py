"""What performance claims are made with: CPU of a server process per request, ours beside a bare waitress."""
