"""The server: waitress or granian by the lines of the ini, from its start to its orderly end."""
