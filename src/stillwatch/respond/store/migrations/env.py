"""What Alembic runs for each upgrade: our connection, our transaction, and all of it or nothing."""

from alembic import context

from stillwatch.respond.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
