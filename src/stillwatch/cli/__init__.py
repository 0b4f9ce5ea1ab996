"""The command line: one file per command, loaded only when that command runs.

A command is a function that returns its exit code, in a file of its own in this folder, with one line in
`COMMANDS`. What it returns is the exit code; what it raises on purpose is a `StillwatchError`.
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Final

from cyclopts import App, CycloptsError, Parameter, UnknownCommandError

from stillwatch import __version__
from stillwatch.cli import terminal
from stillwatch.errors import StillwatchError, UsageError

COMMANDS: Final[dict[str, str]] = {
    "scan": "Find distillation campaigns in request logs.",
    "simulate": "Write a labeled log set: ordinary accounts and adversaries.",
    "evaluate": "Compare the findings of a scan with the truth of a simulated set.",
    "demo": "Simulate a lab's fortnight, scan it, and say what was found and how early.",
    "rules": "List or check elicitation rules.",
    "signals": "List the signals, or explain one.",
    "node": "Receive requests as they happen, detect while they do, decide in time.",
    "case": "Open cases for findings, work on them, label them.",
    "decisions": "Decide what happens to calls: in shadow first, always with an end and an undo.",
    "audit": "Show and verify the trail of everything that was done.",
    "schema": "Print the JSON Schema of findings.json.",
    "access": "Check who owns an organization, who qualifies for a programme, what is authorized.",
}
"""Command name to the one line that --help shows. The file and its function carry the same name."""

_INTERRUPTED: Final = 130
"""128 + SIGINT, as shells report it."""


def build_app() -> App:
    """Return the application with every command registered by name and none of them imported."""
    app = App(
        name="stillwatch",
        help="Find adversarial distillation in the request logs of a model API.",
        help_format="plaintext",
        help_formatter="plain",
        usage="Usage: stillwatch COMMAND [OPTIONS]",
        version=__version__,
        result_action="return_value",
        default_parameter=Parameter(negative=()),
    )
    for name, summary in COMMANDS.items():
        app.command(f"stillwatch.cli.{name}:{name}", name=name, help=summary)
    _add_global_flags(app)
    return app


def _add_global_flags(app: App) -> None:
    """Let `--quiet` stand anywhere on the line, before or after the command."""

    @app.meta.default
    def launch(
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)], quiet: bool = False
    ) -> object:
        """Run one command.

        Args:
            tokens: The command and its own arguments.
            quiet: Say nothing on stderr but errors.
        """
        terminal.configure(quiet=quiet)
        if tokens:
            from stillwatch.cli import events  # noqa: PLC0415 - --help does not pass here

            events.configure(quiet=quiet)
        return app(tokens, exit_on_error=False, print_error=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: The words after the program's name; None reads them from the process.

    Returns:
        0 clean, 1 error, 2 usage or settings, 3 nothing to read, 11 to 14 findings by severity.
    """
    words = _global_flags_first(list(sys.argv[1:] if arguments is None else arguments))
    try:
        result = build_app().meta(words, exit_on_error=False, print_error=False)
    except StillwatchError as error:
        return _fail(error)
    except CycloptsError as error:
        return _fail(_as_usage_error(error, words))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        return _reader_went_away()
    return result if isinstance(result, int) else 0


def _global_flags_first(words: list[str]) -> list[str]:
    """Move `--quiet` before the command: behind it, it would be taken for a flag of the command's own."""
    rest = [word for word in words if word != "--quiet"]
    return words if len(rest) == len(words) else ["--quiet", *rest]


def _fail(error: StillwatchError) -> int:
    """Print one error as every command does."""
    terminal.print_error(error)
    return error.exit_code


def _as_usage_error(error: CycloptsError, words: Sequence[str]) -> UsageError:
    """Say a parsing error in our own words; the library's text may import every command to list them."""
    if isinstance(error, UnknownCommandError):
        unknown = next((word for word in words if not word.startswith("-")), "")
        return UsageError(f"unknown command {unknown!r}", hint=f"the commands are {', '.join(COMMANDS)}")
    command = next((word for word in words if word in COMMANDS), "")
    hint = f"run `stillwatch {command} --help`" if command else "run `stillwatch --help`"
    return UsageError(str(error).strip().rstrip("."), hint=hint)


def _reader_went_away() -> int:
    """End quietly when stdout was a pipe that closed, as `| head` does."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
