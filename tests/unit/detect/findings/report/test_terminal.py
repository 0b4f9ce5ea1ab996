import io
import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from rich.cells import cell_len

from stillwatch.detect.findings.report import render
from stillwatch.detect.findings.report.example import example_report
from stillwatch.domain.findings import InputSummary, ScanReport

GOLDEN = Path(__file__).parent / "golden"


def pretty(report: ScanReport, width: int) -> str:
    stream = io.StringIO()
    render(report, "pretty", stream, width=width)
    return stream.getvalue()


def compare(text: str, name: str) -> None:
    """Compare with a golden file; UPDATE_GOLDEN=1 writes it, for a person to read the difference."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def colored(report: ScanReport, monkeypatch: pytest.MonkeyPatch, *, no_color: bool) -> str:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    render(report, "pretty", stream, width=100)
    return stream.getvalue()


@pytest.mark.parametrize("width", [72, 100])
def test_a_report_reads_as_it_did_before(report: ScanReport, width: int) -> None:
    compare(pretty(report, width), f"pretty-{width}.txt")


def test_a_scan_without_findings_says_so_in_its_last_line(report: ScanReport) -> None:
    quiet = report.model_copy(update={"findings": (), "authorized": (), "prevalence": ()})
    assert pretty(quiet, 100).splitlines()[-1].startswith("stillwatch: no findings in 4,218,340 requests")


def test_the_last_line_is_one_line_however_narrow_the_terminal(report: ScanReport) -> None:
    last = pretty(report, 40).splitlines()[-1]
    assert last.startswith("stillwatch: 4 findings (1 critical, 1 high, 1 medium, 1 low) in ")
    assert last.endswith("false-discovery rate 0.05")


def test_a_low_finding_takes_few_lines_and_only_says_observe(report: ScanReport) -> None:
    low = report.findings[-1]
    only = report.model_copy(update={"findings": (low,), "authorized": (), "prevalence": ()})
    block = pretty(only, 100).split("\n\n")[0]
    assert block.startswith("low[account]: 1 account, 1,840 exchanges")
    assert block.endswith("= help: observe")
    assert len(block.splitlines()) <= 5


def test_colors_are_used_on_a_terminal_and_not_with_no_color(
    report: ScanReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\x1b[" in colored(report, monkeypatch, no_color=False)
    without = colored(report, monkeypatch, no_color=True)
    assert re.findall(r"\x1b\[(?:\d+;)*(?:3|4|9|10)\d(?:;\d+)*m", without) == []


def test_a_pipe_gets_no_escape_sequence(report: ScanReport) -> None:
    assert "\x1b" not in pretty(report, 100)


def test_escape_sequences_from_traffic_are_written_out(hostile_report: ScanReport) -> None:
    text = pretty(hostile_report, 100)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "\\u001b[2J" in text
    assert "\\u202egnp.exe" in text


def test_console_markup_from_traffic_stays_text(hostile_report: ScanReport) -> None:
    assert "[bold red]markup[/bold red]" in pretty(hostile_report, 100)


def test_each_piece_of_evidence_shows_its_nats_with_a_sign(report: ScanReport) -> None:
    text = pretty(report, 100)
    assert "+17.8  shared_payment" in text
    assert "what ties the accounts together: +39.7 nats" in text


def test_negative_evidence_keeps_its_minus(report: ScanReport) -> None:
    finding = report.findings[0]
    weak = tuple(e for e in finding.evidence if e.nats < 0)
    only = report.model_copy(update={"findings": (finding.model_copy(update={"evidence": weak}),)})
    assert "−0.9  tool_breadth" in pretty(only, 100)  # noqa: RUF001 - a real minus sign is what people read


_REPORT = example_report()


@given(width=st.integers(min_value=44, max_value=200), text=st.text(min_size=1, max_size=400))
def test_no_line_but_the_last_is_wider_than_the_terminal(width: int, text: str) -> None:
    finding = _REPORT.findings[0]
    evidence = tuple(e.model_copy(update={"sentence": text}) for e in finding.evidence)
    changed = finding.model_copy(update={"evidence": evidence})
    only = _REPORT.model_copy(update={"findings": (changed,), "authorized": (), "prevalence": ()})
    lines = pretty(only, width).splitlines()[:-1]
    assert max(cell_len(line) for line in lines) <= min(width, 110)


def test_a_narrow_terminal_drops_the_token_columns_of_prevalence(report: ScanReport) -> None:
    wide, narrow = pretty(report, 110), pretty(report, 72)
    assert "tokens  share" in wide
    assert "tokens  share" not in narrow


def test_many_models_are_summed_up_in_the_prevalence_table(report: ScanReport) -> None:
    week = next(p for p in report.prevalence if p.week_start and p.model)
    many = tuple(week.model_copy(update={"model": f"model-{n}"}) for n in range(60))
    text = pretty(report.model_copy(update={"prevalence": (*report.prevalence, *many)}), 110)
    assert "model-7" not in text
    assert "all models" in text


def test_many_low_findings_are_counted_after_the_first_ten(report: ScanReport) -> None:
    low = report.findings[-1]
    many = tuple(low.model_copy(update={"finding_id": f"f-{n}"}) for n in range(25))
    text = pretty(report.model_copy(update={"findings": many}), 100)
    assert text.count("low[account]") == 10
    assert "and 15 low findings more, in findings.json" in text
    assert text.splitlines()[-1].startswith("stillwatch: 25 findings (25 low)")


def test_without_a_replay_nothing_is_said_of_replay_steps(report: ScanReport) -> None:
    at_once = report.model_copy(update={"replay": ()})
    assert "replay" in pretty(report, 100)
    assert "replay" not in pretty(at_once, 100)


def test_what_an_earlier_scan_flagged_is_said_with_its_date(report: ScanReport) -> None:
    at_once = report.model_copy(update={"replay": ()})
    assert (
        pretty(at_once, 200).count("first flagged by an earlier scan of the logs that ended 2026-11-05") == 1
    )


def test_a_scan_that_flags_a_campaign_itself_says_nothing_of_earlier(report: ScanReport) -> None:
    now = [
        one.model_copy(update={"detected_at": one.last_seen + timedelta(hours=1)}) for one in report.findings
    ]
    said = pretty(report.model_copy(update={"replay": (), "findings": tuple(now)}), 100)
    assert "first flagged" not in said


def test_what_was_read_of_the_baseline_has_a_line_of_its_own(report: ScanReport) -> None:
    read = InputSummary(files=3, requests=51_200, rejected=7, duplicates=2)
    lines = pretty(report.model_copy(update={"baseline": read}), 100).splitlines()
    assert "baseline: 51,200 requests; 7 lines rejected; 2 duplicates dropped" in lines
    assert "212 lines rejected" in lines[-1]
    assert not any(line.startswith("baseline:") for line in pretty(report, 100).splitlines())
