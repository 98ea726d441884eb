"""The same work done by other account services from their packages, to measure beside ours."""
