"""The house-rule check finds what it is there to find, and leaves the rest alone."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def rules() -> ModuleType:
    spec = importlib.util.spec_from_file_location("house_rules", ROOT / ".ci" / "house_rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # NamedTuple looks its module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name", ["src/stillwatch/utils.py", "src/stillwatch/core/links.py", "tests/helpers.py"]
)
def test_a_name_that_says_nothing_is_a_breach(name: str, rules: ModuleType) -> None:
    assert list(rules.check_name(Path(name)))


def test_a_name_that_contains_such_a_word_is_none(rules: ModuleType) -> None:
    assert not list(rules.check_name(Path("src/stillwatch/scores.py")))


def test_a_source_file_of_more_than_four_hundred_lines_is_a_breach(rules: ModuleType) -> None:
    path = Path("src/stillwatch/long.py")
    assert list(rules.check_length(path, "x\n" * 401))
    assert not list(rules.check_length(path, "x\n" * 400))


@pytest.mark.parametrize(
    "text",
    [
        "open('/" + "home/me/logs')",
        "see /" + "work/data",
        "https://files.python" + "hosted.org/x",
        "# TO" + "DO: later",
        "raise NotImplemented" + "Error",
        "<<<<<<< " + "ours",
    ],
)
def test_a_trace_of_one_machine_or_of_unfinished_work_is_a_breach(text: str, rules: ModuleType) -> None:
    found = list(rules.check_words(Path("src/a.py"), f"first\n{text}\n"))
    assert [breach.line for breach in found] == [2]


@pytest.mark.parametrize(
    "text", ["docs/home/start.md", "a framework/core", "the todo list", "x = NotImplemented"]
)
def test_ordinary_words_are_none(text: str, rules: ModuleType) -> None:
    assert not list(rules.check_words(Path("src/a.py"), text))


@pytest.mark.parametrize("address", ["8.8.8" + ".8", "172.32.0" + ".1", "104.16.1" + ".2", "192.0.3" + ".1"])
def test_an_address_that_could_be_somebody_is_a_breach(address: str, rules: ModuleType) -> None:
    assert list(rules.check_addresses(Path("tests/a.py"), f'"{address}"'))


@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.7",
        "198.51.100.255",
        "203.0.113.0/24",
        "240.1.2.3",
        "10.0.0.3",
        "127.0.0.1",
        "version 1.2.3",
        "1.2.3.4.5",
    ],
)
def test_a_reserved_address_or_a_version_is_none(text: str, rules: ModuleType) -> None:
    assert not list(rules.check_addresses(Path("tests/a.py"), f'"{text}"'))
