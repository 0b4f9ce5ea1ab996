"""Opening a published file: plain, gzip or zip, and in which format it is."""

import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO

from stillwatch.errors import OwnershipError


class FileFormat(StrEnum):
    """What the bytes look like."""

    CSV = "csv"
    JSON = "json"
    XML = "xml"


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, through its compression.

    Args:
        path: Plain, `.gz`, or a `.zip` with one file in it, told by its first bytes.

    Yields:
        The uncompressed bytes.

    Raises:
        OwnershipError: The file is missing or damaged, or the archive holds several files.
    """
    try:
        with ExitStack() as stack:
            yield _uncompressed(path, stack)
    except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError) as error:
        raise OwnershipError(f"{path} is damaged: {error}", hint="download the file again") from error
    except OSError as error:
        said = error.strerror or str(error)
        raise OwnershipError(f"{path} cannot be read: {said}", hint="check the path") from error


def format_of(path: Path) -> FileFormat:
    """Tell CSV, JSON and XML apart by the first visible character."""
    with opened(path) as stream:
        head = stream.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<"):
        return FileFormat.XML
    return FileFormat.JSON if head.startswith((b"{", b"[")) else FileFormat.CSV


def _uncompressed(path: Path, stack: ExitStack) -> IO[bytes]:
    """Look at the first bytes and open the right way."""
    raw = stack.enter_context(path.open("rb"))
    head = raw.read(4)
    raw.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return io.BufferedReader(stack.enter_context(gzip.GzipFile(fileobj=raw)))
    if head.startswith(b"PK"):
        archive = stack.enter_context(zipfile.ZipFile(raw))
        members = [info for info in archive.infolist() if not info.is_dir()]
        if len(members) != 1:
            raise OwnershipError(f"{path} holds {len(members)} files, not one", hint="unpack it first")
        return stack.enter_context(archive.open(members[0]))
    return raw
