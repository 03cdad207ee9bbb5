"""The store: tables, the database session and Alembic migrations."""
