"""Paths, folders, globs, object stores and standard input, turned into a list of files to read."""

import glob
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs as pafs

from stillwatch.domain.requests import REQUESTS
from stillwatch.errors import InputError, NothingToReadError

STANDARD_INPUT = "-"
_GLOB_SIGNS = frozenset("*?[")
_OPTIONS = re.compile(r"\w+=[^&]*(&\w+=[^&]*)*")
_FILE_ERRORS = (OSError, pa.ArrowException)


@dataclass(frozen=True, slots=True)
class Source:
    """One file to read.

    Args:
        name: As a person would name it.
        path: Inside the file system, with `/`; holds partition values such as `day=2026-03-02`.
        explicit: The user named this very file, so that being unable to use it is an error and no detail.
        open: Opens the bytes as stored.
        seekable: Whether they can be read in any order and more than once; pipes cannot.
    """

    name: str
    path: str
    explicit: bool
    open: Callable[[], Any]
    seekable: bool = True


def find_sources(
    names: Sequence[str | Path], *, filesystem: pafs.FileSystem | None = None
) -> tuple[Source, ...]:
    """List the files behind what the user named, each once, folders in sorted order.

    Args:
        names: Files, folders, globs, `-`, or URIs of object stores.
        filesystem: Where all of `names` live; None takes the local disk and URIs.

    Returns:
        The files, in the order named.

    Raises:
        InputError: A file does not exist or an object store cannot be reached.
        NothingToReadError: No file matches.
    """
    found: dict[str, Source] = {}
    for name in names:
        for source in _sources_of(str(name), filesystem):
            found.setdefault(_identity(source), source)
    if not found:
        listed = ", ".join(str(name) for name in names) or "no source"
        raise NothingToReadError(f"no files match {listed}")
    return tuple(found.values())


def partition_of(source: Source) -> dict[str, str]:
    """Read canonical values from folders such as `account_id=acct_1/`.

    Args:
        source: The file.
    """
    pairs = (part.partition("=") for part in source.path.split("/")[:-1])
    return {name: value for name, sign, value in pairs if sign and value and name in REQUESTS.names}


def _identity(source: Source) -> str:
    """Return what makes two names one file."""
    return source.path if "://" in source.name else os.path.realpath(source.path)


def _sources_of(name: str, filesystem: pafs.FileSystem | None) -> Iterable[Source]:
    """List the files behind one name."""
    if filesystem is not None:
        return _stored(filesystem, name, name)
    if name == STANDARD_INPUT:
        return [
            Source(
                STANDARD_INPUT, STANDARD_INPUT, explicit=True, open=lambda: sys.stdin.buffer, seekable=False
            )
        ]
    if "://" in name:
        return _from_uri(name)
    if _GLOB_SIGNS & set(name) and not Path(name).exists():
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        return [found for match in matches for found in _local(match, named=False)]
    return _local(name, named=True)


def _local(name: str, *, named: bool) -> Iterator[Source]:
    """List one local file, or the files below a local folder."""
    path = Path(name)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}", hint="check the path") from error
    if not stat.S_ISDIR(mode):
        yield _local_file(path, explicit=named)
        return
    for below in sorted(path.rglob("*")):
        if below.is_file() and not _is_hidden(below.relative_to(path).parts):
            yield _local_file(below, explicit=False)


def _local_file(path: Path, *, explicit: bool) -> Source:
    """Describe one local file."""

    def opened() -> Any:
        return pa.OSFile(str(path)) if path.is_file() else path.open("rb")

    return Source(str(path), path.as_posix(), explicit, opened, seekable=path.is_file())


def _is_hidden(parts: Iterable[str]) -> bool:
    """Say whether a path holds a part that tools write for themselves, such as `_SUCCESS` or `.crc`."""
    return any(part.startswith((".", "_")) for part in parts)


def _from_uri(uri: str) -> Iterator[Source]:
    """List the files behind an object store's URI; its last parts may hold glob signs."""
    scheme = urlsplit(uri).scheme
    place, options = _options_apart(uri)
    shown = _without_credentials(place)
    fixed, pattern = _fixed_part(place)
    try:
        filesystem, path = pafs.FileSystem.from_uri(fixed + options)
    except _FILE_ERRORS as error:
        raise InputError(
            f"{shown} cannot be opened: {_first_line(error)}",
            hint=f"check the address and the credentials that your {scheme}:// store needs",
        ) from error
    yield from _stored(filesystem, path, shown, pattern=f"{path.rstrip('/')}/{pattern}" if pattern else "")


def _options_apart(uri: str) -> tuple[str, str]:
    """Split a URI before its options, such as `?endpoint_override=…`; any other question mark is a glob sign."""
    place, sign, options = uri.rpartition("?")
    return (place, sign + options) if sign and _OPTIONS.fullmatch(options) else (uri, "")


def _without_credentials(uri: str) -> str:
    """Leave out a key and a secret that stand in an address: names of files go into logs and messages."""
    scheme, sign, rest = uri.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{sign}{host.rpartition('@')[2]}{slash}{path}"


def _fixed_part(uri: str) -> tuple[str, str]:
    """Split a URI before its first part with a glob sign."""
    head, _, rest = uri.partition("://")
    parts = rest.split("/")
    for index, part in enumerate(parts):
        if _GLOB_SIGNS & set(part):
            return f"{head}://{'/'.join(parts[:index])}", "/".join(parts[index:])
    return uri, ""


def _stored(filesystem: pafs.FileSystem, path: str, name: str, *, pattern: str = "") -> Iterator[Source]:
    """List one stored object, or the objects below a prefix."""
    try:
        info = filesystem.get_file_info(path)
        if info.type == pafs.FileType.File:
            yield _stored_file(filesystem, info.path, name, explicit=True)
            return
        below = filesystem.get_file_info(pafs.FileSelector(path, recursive=True))
    except _FILE_ERRORS as error:
        raise InputError(
            f"{name} cannot be listed: {_first_line(error)}", hint="check the address"
        ) from error
    for each in sorted(below, key=lambda found: str(found.path)):
        if each.type == pafs.FileType.File and _belongs(each.path, path, pattern):
            label = f"{urlsplit(name).scheme}://{each.path}" if "://" in name else each.path
            yield _stored_file(filesystem, each.path, label, explicit=False)


def _belongs(found: str, base: str, pattern: str) -> bool:
    """Say whether an object below `base` is asked for."""
    inner = PurePosixPath(found[len(base) :].lstrip("/"))
    if _is_hidden(inner.parts):
        return False
    return not pattern or _matches(found, pattern)


def _matches(path: str, pattern: str) -> bool:
    """Match part by part, so that `*` stays within one folder; `**` crosses folders."""
    return _parts_match(path.strip("/").split("/"), pattern.strip("/").split("/"))


def _parts_match(parts: list[str], patterns: list[str]) -> bool:
    """Match the parts of a path with those of a pattern."""
    if not patterns:
        return not parts
    if patterns[0] == "**":
        return any(_parts_match(parts[skip:], patterns[1:]) for skip in range(len(parts) + 1))
    return (
        bool(parts) and PurePosixPath(parts[0]).match(patterns[0]) and _parts_match(parts[1:], patterns[1:])
    )


def _stored_file(filesystem: pafs.FileSystem, path: str, name: str, *, explicit: bool) -> Source:
    """Describe one stored object."""

    def opened() -> Any:
        return filesystem.open_input_file(path)

    return Source(name, path, explicit, opened)


def _first_line(error: BaseException) -> str:
    """Return the part of a library's message that a person can use."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
