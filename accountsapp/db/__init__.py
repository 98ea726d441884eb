"""The database: engines, connections, transactions, and what its errors mean."""
