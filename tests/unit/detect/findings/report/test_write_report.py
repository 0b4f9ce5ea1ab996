import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stillwatch.detect.findings.report import Format, account_rows, render, write_report
from stillwatch.detect.findings.report.atomic import replace_whole
from stillwatch.domain.findings import ScanReport
from stillwatch.errors import OutputError


def test_the_folder_holds_three_whole_files_and_nothing_else(report: ScanReport, tmp_path: Path) -> None:
    write_report(report, tmp_path / "out", account_rows(report, ["ordinary"]))
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert names == ["accounts.parquet", "findings.json", "report.html"]
    assert json.loads((tmp_path / "out" / "findings.json").read_text())["schema_version"] == "1.0"
    assert pq.read_table(tmp_path / "out" / "accounts.parquet").num_rows == 898
    assert (tmp_path / "out" / "report.html").read_text().rstrip().endswith("</html>")


def test_writing_twice_gives_the_same_bytes(report: ScanReport, tmp_path: Path) -> None:
    rows = account_rows(report, [])
    for name in ("one", "two"):
        write_report(report, tmp_path / name, rows)
    for name in ("accounts.parquet", "findings.json", "report.html"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_failed_write_leaves_the_old_file_and_no_scrap(tmp_path: Path) -> None:
    path = tmp_path / "findings.json"
    path.write_text("old")

    def fail(file: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        replace_whole(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_one_clear_error(report: ScanReport, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write") as caught:
        write_report(report, tmp_path / "file", account_rows(report, []))
    assert caught.value.hint


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    replace_whole(tmp_path / "whole", lambda file: file.writelines([b"x"]))
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("fmt", list(Format))
def test_every_format_writes_something_for_findings_and_survives_none(
    report: ScanReport, fmt: Format, tmp_path: Path
) -> None:
    empty = report.model_copy(update={"findings": (), "authorized": (), "prevalence": (), "replay": ()})
    with (tmp_path / "out").open("w", encoding="utf-8") as stream:
        render(report, fmt, stream)
        written = stream.tell()
        render(empty, fmt, stream)
    assert written > 500
