"""Alembic's entry: runs the migrations on the connection that it is given, with the guards out of their way."""

from alembic import context

from inventory.persistence import guards
from inventory.persistence.tables import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
    user_module_prefix="columns.",
)
with context.begin_transaction():
    if set(context.get_context().get_current_heads()) != {context.get_revision_argument()}:
        guards.remove(connection)
    context.run_migrations()
    guards.install(connection)
