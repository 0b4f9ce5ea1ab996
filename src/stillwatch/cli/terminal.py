"""What every command may say, and where: stdout is data, stderr is talk.

Nothing heavy is imported here at load time, because `--help` passes through this file.
"""

import sys

from stillwatch.errors import StillwatchError

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
