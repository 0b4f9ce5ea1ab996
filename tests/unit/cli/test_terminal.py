"""stdout is data, stderr is talk, and quiet silences talk but no errors."""

from collections.abc import Iterator

import pytest

from stillwatch.cli import terminal
from stillwatch.cli.progress import Progress
from stillwatch.errors import NothingToReadError


@pytest.fixture(autouse=True)
def _talkative_afterwards() -> Iterator[None]:
    yield
    terminal.configure(quiet=False)


def test_talk_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say("reading 3 files")
    assert capsys.readouterr() == ("", "reading 3 files\n")


def test_quiet_silences_talk(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.configure(quiet=True)
    terminal.say("reading 3 files")
    assert capsys.readouterr() == ("", "")


def test_quiet_does_not_silence_errors(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.configure(quiet=True)
    terminal.print_error(NothingToReadError("no requests in logs/", hint="check the glob"))
    assert capsys.readouterr() == ("", "error: no requests in logs/\nhelp: check the glob\n")


def test_progress_shows_nothing_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        progress.say("reading")
    assert capsys.readouterr() == ("", "")
