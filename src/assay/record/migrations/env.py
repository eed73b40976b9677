"""Alembic asks this file how to reach the database: by the connection that `migrate` holds, in its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
context.run_migrations()
