"""The command line: exit codes, errors, quiet, and what --help may load."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stillwatch import __version__
from stillwatch.cli import COMMANDS, main, terminal

HEAVY = (
    "alembic", "datasketches", "duckdb", "jinja2", "msgspec", "narwhals", "numpy", "pandas", "polars", "pyarrow", "pydantic",
    "pyspark", "scipy", "sknetwork", "sqlalchemy", "structlog", "yaml", "zstandard",
)  # fmt: skip
MAX_HELP_CPU_S = 0.4

PROBE = """
import json, resource, sys
from stillwatch.cli import main
code = main(sys.argv[1:])
usage = resource.getrusage(resource.RUSAGE_SELF)
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"code": code, "cpu_s": usage.ru_utime + usage.ru_stime, "loaded": loaded}), file=sys.stderr)
"""


def probe(*words: str) -> tuple[int, float, set[str]]:
    """Run the command line in a new process; return exit code, CPU seconds, and packages loaded."""
    done = subprocess.run([sys.executable, "-c", PROBE, *words], capture_output=True, text=True, check=True)
    seen = json.loads(done.stderr.splitlines()[-1])
    return seen["code"], seen["cpu_s"], set(seen["loaded"])


@pytest.mark.parametrize("words", [["--help"], [], ["--version"]], ids=str)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code, _, loaded = probe(*words)
    assert code == 0
    assert loaded.isdisjoint(HEAVY)


def test_help_takes_less_than_four_tenths_of_a_second_of_cpu() -> None:
    probe("--help")  # writes the bytecode, as an installation does
    assert min(probe("--help")[1] for _ in range(5)) < MAX_HELP_CPU_S


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_a_file_of_its_name_and_its_help_loads_nothing_heavy(command: str) -> None:
    code, _, loaded = probe(command, "--help")
    assert code == 0
    assert loaded.isdisjoint(HEAVY)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())  # lines are broken to the terminal's width
    assert all(f"{name}: {summary}" in said for name, summary in COMMANDS.items())


def test_the_version_is_data_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


def test_an_unknown_command_is_a_usage_error_with_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scann", "logs"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: unknown command 'scann'\nhelp: ")


def test_an_unknown_option_is_a_usage_error_that_names_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["schema", "--frobnicate"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "--frobnicate" in said.err
    assert "help: run `stillwatch schema --help`" in said.err


@pytest.mark.parametrize("words", [["--quiet", "schema"], ["schema", "--quiet"]], ids=str)
def test_quiet_may_stand_anywhere(words: list[str]) -> None:
    assert main(words) == 0
    assert terminal.is_quiet()
    assert main(["schema"]) == 0
    assert not terminal.is_quiet()


@pytest.mark.parametrize(
    "words", [["scan", "--quiet", "no-such-logs"], ["scan", "no-such-logs", "--quiet"]], ids=str
)
def test_quiet_is_no_flag_of_a_command_that_takes_several_words(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*words, "--out", str(tmp_path)])
    assert "no-such-logs cannot be read" in capsys.readouterr().err
    assert terminal.is_quiet()


def test_a_closed_pipe_ends_without_a_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "stillwatch", "schema"],
            stdout=closed, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode == 1


def test_every_file_in_the_folder_is_a_command_part_of_one_or_belongs_to_all_of_them() -> None:
    folder = Path(terminal.__file__).parent
    shared = {"__init__", "database", "events", "progress", "terminal"}
    files = {path.stem for path in folder.glob("*.py")} - shared
    one = [command.removesuffix("s") for command in COMMANDS]  # decision_appeals is of decisions
    parts = tuple(f"{command}_" for command in (*COMMANDS, *one))
    assert {name for name in files if not name.startswith(parts)} == set(COMMANDS)
