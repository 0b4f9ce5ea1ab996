"""Run the packaged migrations on an open connection."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from stillwatch.errors import StoreError

FOLDER: Final = Path(__file__).with_name("migrations")


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the schema up to a revision, inside the transaction that is open.

    Args:
        connection: A connection in a write transaction.
        revision: How far; the newest by default.

    Raises:
        StoreError: the database has a revision that this version does not know.
    """
    try:
        command.upgrade(_config(connection), revision)
    except CommandError as error:
        raise StoreError(
            "the database was made by a newer stillwatch",
            hint="upgrade stillwatch, or restore the database from before its upgrade",
        ) from error


def newest() -> str:
    """Return the newest revision in the folder."""
    return str(ScriptDirectory(str(FOLDER)).get_current_head())


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
