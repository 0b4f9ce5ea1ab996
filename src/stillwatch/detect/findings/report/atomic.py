"""Write a file whole or not at all."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Final

from stillwatch.errors import OutputError

_READABLE: Final = 0o666
"""What an ordinary new file may be before the umask; temporary files start as 0600."""


def replace_whole(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write beside `path` and rename over it, so that nobody ever reads half a file.

    Args:
        path: Where the file will be. Its folder is made if it is absent.
        write: Writes the content into an open binary file.

    Raises:
        OutputError: the folder or the file cannot be written. What was there before stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            try:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                with suppress(OSError):
                    temporary.unlink()
                raise
        _as_permitted(temporary)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def _as_permitted(path: Path) -> None:
    """Give the file the permissions that the process's umask grants any new file."""
    umask = os.umask(0)
    os.umask(umask)
    path.chmod(_READABLE & ~umask)
