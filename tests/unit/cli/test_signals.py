"""The catalogue lists what the registries find, and explains each in its own words."""

import json

import pytest

from stillwatch.cli import main
from stillwatch.detect.links.registry import link_kinds
from stillwatch.detect.signals.registry import signals

NAMES = [signal.name for signal in signals()] + [kind.name for kind in link_kinds()]


def test_every_signal_and_link_is_listed_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["signals"]) == 0
    rows = capsys.readouterr().out.splitlines()[1:]
    assert [row.split()[1] for row in rows] == NAMES


def test_programs_get_the_same_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["signals", "--format", "json"]) == 0
    assert [entry["name"] for entry in json.loads(capsys.readouterr().out)] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_is_explained_with_what_a_high_value_means(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["signals", name]) == 0
    said = capsys.readouterr().out
    assert name in said
    assert "High: " in said


def test_an_unknown_name_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["signals", "distiller_detector"]) == 2
    assert "help: `stillwatch signals` lists them" in capsys.readouterr().err
