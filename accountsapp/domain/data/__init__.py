"""The tables, the two ways to read them, and the order in which rows are locked."""
