"""The one picture of an account: from an upload to the files that everybody may fetch."""
