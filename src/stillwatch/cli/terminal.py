"""What every command may say, and where: stdout is data, stderr is talk.

Nothing heavy is imported here at load time, because `--help` passes through this file.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stillwatch.errors import StillwatchError

Advance = Callable[[float], None]
"""Moves a progress bar by so many steps."""

_quiet = False


def configure(*, quiet: bool) -> None:
    """Remember for the life of the process whether to talk.

    Args:
        quiet: Say nothing on stderr but errors.
    """
    global _quiet  # noqa: PLW0603 - one process, one terminal
    _quiet = quiet


def is_quiet() -> bool:
    """Return whether `--quiet` was given."""
    return _quiet


def say(text: str) -> None:
    """Write one line of talk, unless asked to be quiet."""
    if not _quiet:
        print(text, file=sys.stderr)


def print_error(error: StillwatchError) -> None:
    """Write what happened and what to do about it; quiet does not silence errors."""
    print(f"error: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"help: {error.hint}", file=sys.stderr)


@contextmanager
def progress(description: str, total: float | None = None) -> Iterator[Advance]:
    """Show a bar on a terminal while the block runs, and nothing anywhere else.

    Args:
        description: What is being done, as `reading logs`.
        total: Steps until done; None when nobody knows.

    Yields:
        A function that moves the bar on by so many steps.
    """
    if _quiet or not sys.stderr.isatty():
        yield lambda _steps: None
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal pays for it
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(description, total=total)
        yield lambda steps: bars.update(task, advance=steps)
