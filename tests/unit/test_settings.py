"""Defaults yield to the file, the file to the environment, the environment to flags."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stillwatch.detect.logs import ReadLimits
from stillwatch.errors import SettingsError
from stillwatch.settings import CONFIG_FILE, Settings, load, variable_names


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_config(text: str) -> None:
    Path(CONFIG_FILE).write_text(text)


def test_without_any_source_the_defaults_apply() -> None:
    assert load().scan.fdr == 0.05
    assert load().scan.max_rejected == 0.01


def test_the_file_beats_the_default() -> None:
    write_config("[scan]\nfdr = 0.1\n")
    assert load().scan.fdr == 0.1
    assert load().scan.max_rejected == 0.01


def test_the_environment_beats_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write_config("[scan]\nfdr = 0.1\nmax_rejected = 0.5\n")
    monkeypatch.setenv("STILLWATCH_SCAN__FDR", "0.2")
    assert load().scan.fdr == 0.2
    assert load().scan.max_rejected == 0.5


def test_a_flag_beats_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STILLWATCH_SCAN__FDR", "0.2")
    assert load({"scan": {"fdr": 0.3}}).scan.fdr == 0.3


def test_a_flag_that_was_not_given_leaves_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STILLWATCH_SCAN__FDR", "0.2")
    assert load({"scan": {"fdr": None}}).scan.fdr == 0.2


@pytest.mark.parametrize("name", ["STILLWATCH_SCAN__FRD", "STILLWATCH_FDR", "stillwatch_scan_fdr"])
def test_a_misspelled_variable_is_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "0.2")
    with pytest.raises(SettingsError, match=name):
        load()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[scan]\nfdr = 0\n", "scan.fdr"),
        ("[scan]\nfdr = 'low'\n", "scan.fdr"),
        ("[scan]\nmax_rejected = 1.5\n", "scan.max_rejected"),
        ("[scan]\nfalse_discovery = 0.1\n", "scan.false_discovery"),
        ("[scann]\nfdr = 0.1\n", "scann"),
        ("scan = 3\n", "scan"),
        ("fdr =\n", "not valid TOML"),
    ],
)
def test_a_mistake_in_the_file_is_one_error_that_names_it(text: str, named: str) -> None:
    write_config(text)
    with pytest.raises(SettingsError, match=named) as caught:
        load()
    assert caught.value.exit_code == 2


def test_a_wrong_value_in_the_environment_is_a_settings_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STILLWATCH_SCAN__FDR", "much")
    with pytest.raises(SettingsError, match=r"scan\.fdr"):
        load()


def test_a_group_that_is_not_json_is_a_settings_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STILLWATCH_SCAN", "{")
    with pytest.raises(SettingsError):
        load()


def test_a_config_file_that_is_not_text_is_a_settings_error() -> None:
    Path(CONFIG_FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError):
        load()


def test_every_setting_has_a_variable_and_a_description() -> None:
    assert "STILLWATCH_SCAN__MAX_REJECTED" in set(variable_names())
    for group in Settings.model_fields.values():
        fields = getattr(group.annotation, "model_fields", {})
        assert fields
        assert all(field.description for field in fields.values())


def test_limits_of_reading_are_settings_with_the_same_defaults() -> None:
    assert ReadLimits(**load().read.as_limits()) == ReadLimits()


def test_a_limit_of_reading_can_be_set_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write_config(
        "[read]\nmax_prompt_bytes = 65536\nearliest = 2024-01-01T00:00:00Z\nfuture_tolerance_h = 0.5\n"
    )
    monkeypatch.setenv("STILLWATCH_READ__MAX_LINE_BYTES", "1000000")
    limits = ReadLimits(**load().read.as_limits())
    assert (limits.max_prompt_bytes, limits.max_line_bytes) == (65_536, 1_000_000)
    assert limits.earliest == datetime(2024, 1, 1, tzinfo=UTC)
    assert limits.future_tolerance == timedelta(minutes=30)


@pytest.mark.parametrize(
    "line",
    ["max_prompt_bytes = 0", "max_line_bytes = -1", "earliest = 2024-01-01T00:00:00", "shoe_size = 43"],
)
def test_a_limit_that_makes_no_sense_is_refused(line: str) -> None:
    write_config(f"[read]\n{line}\n")
    with pytest.raises(SettingsError, match=line.split(maxsplit=1)[0]):
        load()
