"""A scan's report in every form that people and machines read.

`write_report` fills the output folder; `render` writes one form to a stream. Each form is one file in this
folder, imported when it is asked for.
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import IO, Final

import pyarrow as pa

from stillwatch.detect.findings.report.accounts_table import (
    ACCOUNT_VERDICTS,
    account_rows,
    write_account_rows,
)
from stillwatch.detect.findings.report.atomic import replace_whole
from stillwatch.detect.findings.report.json_report import dump_json, read_report, write_json_lines
from stillwatch.domain.findings import ScanReport

__all__ = ["ACCOUNT_VERDICTS", "Format", "account_rows", "read_report", "render", "write_report"]


class Format(StrEnum):
    """The forms a report can be printed in."""

    PRETTY = "pretty"
    JSON = "json"
    JSONL = "jsonl"
    OCSF = "ocsf"
    HTML = "html"


def write_report(report: ScanReport, out: Path, rows: pa.Table) -> None:
    """Write findings.json, accounts.parquet and report.html into a folder, each whole or not at all.

    Args:
        report: What the scan found.
        out: The folder; made if it is absent.
        rows: One row per account seen, in the columns of `ACCOUNT_VERDICTS` (see `account_rows`).

    Raises:
        OutputError: the folder cannot be written.
    """
    from stillwatch.detect.findings.report.html import build_page  # noqa: PLC0415 - templates load on demand

    page = build_page(report, rows)
    replace_whole(out / "accounts.parquet", lambda file: write_account_rows(rows, file))
    replace_whole(out / "report.html", lambda file: _write_text(file, page))
    replace_whole(out / "findings.json", lambda file: _write_text(file, dump_json(report)))


def render(report: ScanReport, fmt: Format | str, stream: IO[str], *, width: int | None = None) -> None:
    """Write one form of the report to a stream.

    Args:
        report: What the scan found.
        fmt: pretty, json, jsonl, ocsf or html.
        stream: An open text stream.
        width: Columns for `pretty`; None asks the terminal.
    """
    _WRITERS[Format(fmt)](report, stream, width)


def _write_text(file: IO[bytes], text: str) -> None:
    """Write text as UTF-8; a lone surrogate from a broken log becomes a question mark."""
    file.write(text.encode("utf-8", errors="replace"))


def _pretty(report: ScanReport, stream: IO[str], width: int | None) -> None:
    """Write for people."""
    from stillwatch.detect.findings.report.terminal import write_pretty  # noqa: PLC0415 - rich loads on demand

    write_pretty(report, stream, width)


def _json(report: ScanReport, stream: IO[str], _width: int | None) -> None:
    """Write findings.json."""
    stream.write(dump_json(report))


def _jsonl(report: ScanReport, stream: IO[str], _width: int | None) -> None:
    """Write one finding per line."""
    write_json_lines(report, stream)


def _ocsf(report: ScanReport, stream: IO[str], _width: int | None) -> None:
    """Write one OCSF event per line."""
    from stillwatch.detect.findings.report.ocsf import write_events  # noqa: PLC0415 - loads on demand

    write_events(report, stream)


def _html(report: ScanReport, stream: IO[str], _width: int | None) -> None:
    """Write the page."""
    from stillwatch.detect.findings.report.html import build_page  # noqa: PLC0415 - templates load on demand

    stream.write(build_page(report))


_WRITERS: Final[dict[Format, Callable[[ScanReport, IO[str], int | None], None]]] = {
    Format.PRETTY: _pretty,
    Format.JSON: _json,
    Format.JSONL: _jsonl,
    Format.OCSF: _ocsf,
    Format.HTML: _html,
}
