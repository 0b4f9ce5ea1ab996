"""The command says what it wrote, lists what it can write, and refuses what it cannot."""

from pathlib import Path

import pytest

from stillwatch.cli import main


def test_a_log_set_is_written_and_summed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario = tmp_path / "mine.yml"
    scenario.write_text(
        "{name: mine, days: 2, customers: {individual: 20}, campaigns: [{name: c, like: bulk, rate: 9, start_day: 0}]}"
    )
    assert main(["simulate", str(scenario), "--out", str(tmp_path / "logs"), "--seed", "4"]) == 0
    said = capsys.readouterr().out
    assert "1 campaigns" in said
    assert "with seed 4 at scale 1" in said
    assert (tmp_path / "logs" / "truth.parquet").exists()


def test_several_labs_get_a_folder_each(tmp_path: Path) -> None:
    scenario = tmp_path / "mine.yml"
    scenario.write_text("{name: mine, days: 1, customers: {individual: 20}}")
    assert main(["simulate", str(scenario), "--out", str(tmp_path / "logs"), "--labs", "east, west"]) == 0
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == ["east", "scenario.json", "west"]


def test_the_list_names_every_packaged_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {"smoke", "fortnight", "quiet", "three-labs"} <= {line.split()[0] for line in lines}


@pytest.mark.parametrize(
    "words",
    [
        ["simulate"],
        ["simulate", "smoke"],
        ["simulate", "atlantis", "--out", "x"],
        ["simulate", "smoke", "--out", "x", "--scale", "0"],
    ],
)
def test_what_cannot_be_done_is_a_usage_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "help:" in capsys.readouterr().err


def test_labs_with_impossible_names_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "smoke", "--out", str(tmp_path), "--labs", "../x"]) == 1
    assert "labs" in capsys.readouterr().err
