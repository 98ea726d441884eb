"""Alembic migrations; ``accountsapp db upgrade`` runs them."""
