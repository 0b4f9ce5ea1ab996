"""Lines with a gutter, wrapped by what a terminal shows rather than by characters."""

from typing import IO, Final

from rich.console import Console
from rich.text import Text

_WIDEST: Final = 110
_NARROWEST: Final = 40
_WITHOUT_TERMINAL: Final = 100
_LEAST_TEXT: Final = 16
"""Columns that text keeps, however deep its gutter."""


class TerminalLines:
    """Lines with a gutter, wrapped to the width by display cells."""

    def __init__(self, stream: IO[str], width: int | None) -> None:
        plain = width or (None if stream.isatty() else _WITHOUT_TERMINAL)
        self._console = Console(
            file=stream, width=plain, highlight=False, markup=False, emoji=False, soft_wrap=False
        )
        self.width = max(_NARROWEST, min(self._console.width, _WIDEST))

    def line(self, text: Text | str = "", first: str | Text = "", rest: str | None = None) -> None:
        """Write one paragraph; `first` starts its first line and `rest` (default: blank) each other line."""
        lead = Text(first, style="blue") if isinstance(first, str) else first
        follow = Text(" " * lead.cell_len if rest is None else rest, style="blue")
        body = Text(text) if isinstance(text, str) else text
        room = self.width - max(lead.cell_len, follow.cell_len)
        lines = body.wrap(self._console, max(room, _LEAST_TEXT)) or [Text()]
        for number, part in enumerate(lines):
            part.rstrip()
            row = Text.assemble(lead if number == 0 else follow, part)
            row.rstrip()
            self.unwrapped(row)

    def unwrapped(self, row: Text) -> None:
        """Write one line as it is, however long."""
        self._console.print(row, overflow="ignore", no_wrap=True, crop=False)
