"""Alembic runs this to migrate: on the connection handed in, inside its transaction, and in no other way."""

from alembic import context

from gridtide.storage.schema import VERSION_TABLE
from gridtide.storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite changes a table by rebuilding it
)
with context.begin_transaction():
    context.run_migrations()
