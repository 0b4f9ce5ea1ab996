"""A node lives through a simulated fortnight in fast time: how soon findings come, and whether memory grows with the days.

python -m benchmarks.node_days                  the scenario `fortnight` at a third of its size, window of five days
python -m benchmarks.node_days --scale 1

Days are sent one after the other over HTTP, with the accounts table. A request that comes just after a round began
waits for the next one; with `--every 1m` a finding is there at the latest a minute and one round after the last
request of its campaign.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from tests.e2e.node.running import RunningNode, cpu_s

from benchmarks.claims import Claim, claims_markdown, print_claims
from benchmarks.results import write_section
from stillwatch.cli import main as stillwatch

SCENARIO = "fortnight"
_EVERY_S = 60.0  # the default of --every
_MOST_S = 90.0
_WINDOW_DAYS = 5
_BODY_ROWS = 2_000
_GROWTH = 1.15  # of memory, from when the window is full to the end


@dataclass(frozen=True, slots=True)
class Day:
    """One day as the node took it.

    Args:
        requests: How many.
        round_s: Wall seconds of the round that judged it.
        round_cpu_s: Processor seconds of detection for all of its rounds.
        node_mib: Memory of the process that receives.
        detection_mib: Memory of the process that detects.
        findings: Findings in the window.
    """

    requests: int
    round_s: float
    round_cpu_s: float
    node_mib: float
    detection_mib: float
    findings: int


def main(arguments: Sequence[str] = ()) -> int:
    """Play, measure, and return 1 if a claim was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=0.3)
    parser.add_argument("--scenario", default=SCENARIO)
    options = parser.parse_args(list(arguments))
    with tempfile.TemporaryDirectory() as folder:
        lab = Path(folder) / "lab"
        stillwatch(["simulate", options.scenario, "--out", str(lab), "--scale", str(options.scale)])
        days = list(played(Path(folder) / "node", lab))
    claims = claims_on(days)
    write_section("node_days", "A node over days", claims_markdown(claims))
    return print_claims(claims)


def claims_on(days: Sequence[Day]) -> list[Claim]:
    """Say what must hold.

    Args:
        days: All days, in order.
    """
    slowest = max(day.round_s for day in days)
    cpu = max(day.round_cpu_s for day in days)
    full, last = days[_WINDOW_DAYS], max(days[_WINDOW_DAYS + 1 :], key=lambda day: day.detection_mib)
    return [
        Claim(
            f"from the last request to the finding ≤ {_MOST_S:.0f} s at --every 1m",
            f"at the latest {_EVERY_S + cpu:.0f} s by processor time (longest round {cpu:.1f} s; by the clock of this "
            f"machine, which others may use, {slowest:.1f} s); {days[-1].findings} findings at the end",
            _EVERY_S + cpu <= _MOST_S and any(day.findings for day in days),
        ),
        Claim(
            f"memory bounded as {len(days)} days pass (window of {_WINDOW_DAYS})",
            f"receiver {full.node_mib:.0f} MiB on day {_WINDOW_DAYS + 1}, {days[-1].node_mib:.0f} MiB at the end; "
            f"detection {full.detection_mib:.0f} MiB, then at most {last.detection_mib:.0f} MiB",
            last.detection_mib <= _GROWTH * full.detection_mib
            and days[-1].node_mib <= _GROWTH * full.node_mib,
        ),
    ]


def played(data: Path, lab: Path) -> Iterator[Day]:
    """Send a simulated set day by day and yield what each cost.

    Args:
        data: Folder of the node.
        lab: The simulated set.
    """
    words = ["--accounts", str(lab / "accounts.parquet"), "--window", f"{_WINDOW_DAYS}d", "--threads", "2"]
    node = RunningNode(data, *words, every="2s")
    node.start()
    node.until("rounds_total", 1)
    try:
        for number, rows in enumerate(_days_of(lab / "requests"), start=1):
            day = _lived(node, rows)
            print(f"day {number}: {day}", file=sys.stderr, flush=True)
            yield day
    finally:
        node.kill()


def _lived(node: RunningNode, rows: list[dict[str, Any]]) -> Day:
    child = _child_of(node.pid)
    before, seen = cpu_s(child), node.metric("requests_detected_total")
    for start in range(0, len(rows), _BODY_ROWS):
        answer = node.send(rows[start : start + _BODY_ROWS])
        if answer.status != 200 or answer.json()["rejected"]:
            raise RuntimeError(f"the node answered {answer.status}: {answer.body[:200]!r}")
    node.until("requests_detected_total", seen + len(rows), seconds=600)
    return Day(
        len(rows),
        _longest_round_s(node),
        cpu_s(child) - before,
        _resident_mib(node.pid),
        _resident_mib(child),
        int(node.metric("findings")),
    )


def _longest_round_s(node: RunningNode) -> float:
    """Read the seconds of the last rounds from the log."""
    time.sleep(0.2)
    lines = [line for line in node.text().splitlines() if "message='round'" in line]
    return max(float(line.rpartition("seconds=")[2]) for line in lines[-2:])


def _days_of(requests: Path) -> Iterator[list[dict[str, Any]]]:
    table: pa.Table = ds.dataset(requests).to_table().sort_by("time")
    days = pc.cast(table["time"], pa.date32())
    for day in pc.unique(days).to_pylist():
        rows = table.filter(pc.equal(days, pa.scalar(day, pa.date32()))).to_pylist()
        yield json.loads(json.dumps(rows, default=_plain))


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _child_of(process: int) -> int:
    return int(Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()[0])


def _resident_mib(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    [kib] = [line.split()[1] for line in lines if line.startswith("VmRSS")]
    return int(kib) / 1024


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
