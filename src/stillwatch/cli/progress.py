"""Progress on stderr: one transient line on a terminal, nothing elsewhere."""

import sys
from types import TracebackType
from typing import Self

from stillwatch.cli import terminal


class Progress:
    """A line that says what is being done and leaves no trace."""

    def __init__(self) -> None:
        """Talk only to a person who wants to hear it."""
        self._talks = sys.stderr.isatty() and not terminal.is_quiet()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wipe the line."""
        if self._talks:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def say(self, message: str) -> None:
        """Replace the line.

        Args:
            message: What is being done, in a few words.
        """
        if self._talks:
            sys.stderr.write(f"\r\033[K{message} …")
            sys.stderr.flush()
