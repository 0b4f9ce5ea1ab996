"""`stillwatch scan`: request logs in, findings out."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from stillwatch.errors import TooManyRejectedError, UsageError

if TYPE_CHECKING:
    from stillwatch.domain.labels import LabeledAccounts

_FIRST_FINDING_CODE = 10


def scan(
    *logs: Annotated[str, Parameter(allow_leading_hyphen=True)],
    accounts: str | None = None,
    authorizations: str | None = None,
    out: Path | None = None,
    format: Literal["pretty", "json", "jsonl", "ocsf", "html"] = "pretty",  # noqa: A002 - the flag is --format everywhere
    log_format: str | None = None,
    columns: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    rules: Annotated[tuple[Path, ...], Parameter(negative=())] = (),
    baseline: str | None = None,
    baseline_accounts: str | None = None,
    labels: Path | None = None,
    state: Path | None = None,
    replay: str | None = None,
    fdr: float | None = None,
    max_rejected: float | None = None,
    engine: str = "duckdb://",
    timings: Path | None = None,
    exit_codes: Annotated[bool, Parameter(negative="--no-exit-codes")] = True,
) -> int:
    """Find distillation campaigns in request logs.

    Writes findings.json, accounts.parquet, report.html and rejected.jsonl to the output folder and prints the
    findings. Nothing is blocked and nobody is told: what follows from a finding is a person's decision.

    Args:
        logs: Files, folders, globs, object stores (s3://, gs://) or - for standard input.
        accounts: Accounts table (Parquet, JSON lines or CSV). Without it, evidence by registration is missing.
        authorizations: Recorded permissions (YAML, JSON, JSON lines or CSV); covered use is never a finding.
        out: Output folder; stillwatch-out by default.
        format: What goes to standard output.
        log_format: Name of the log format, when it is not to be recognized.
        columns: Your own names of columns, as account_id=org_id,time=created_at; dotted paths in JSON formats.
        rules: Folders or files with elicitation rules to use instead of the shipped ones.
        baseline: Logs or a state folder of a period believed ordinary, to calibrate on.
        baseline_accounts: Accounts table of that period. What is known of one period's accounts only is left out.
        labels: What people said of accounts, as `stillwatch case export` writes it: ordinary ones count as ordinary.
        state: Folder that keeps facts, profiles and campaigns, so that the next scan reads only new logs.
        replay: Judge the logs step by step, as 1d; findings then say when each campaign was first seen.
        fdr: Share of the findings that may be false discoveries; 0.05 by default.
        max_rejected: Share of lines that may be rejected before the run counts as failed; 0.01 by default.
        engine: Where profiles are computed: duckdb://, polars:// or spark://host:port.
        timings: File for the seconds each stage took, as JSON; reading and fingerprinting apart.
        exit_codes: End with 11 to 14 when there are findings, by severity. --no-exit-codes ends with 0.

    Returns:
        0 without findings (or with --no-exit-codes), 11 to 14 by the worst severity.
    """
    import os  # noqa: PLC0415 - --help does not pay for the engine
    import sys  # noqa: PLC0415
    import time  # noqa: PLC0415

    from stillwatch.cli.progress import Progress  # noqa: PLC0415
    from stillwatch.detect.findings.report import account_rows, render, write_report  # noqa: PLC0415
    from stillwatch.detect.logs import ReadLimits, RejectedLog, columns_map_of  # noqa: PLC0415
    from stillwatch.detect.pipeline import ScanOptions, scan as run  # noqa: PLC0415
    from stillwatch.settings import load  # noqa: PLC0415

    _check_words(logs)
    if not logs:
        raise UsageError(
            "no logs were named", hint="stillwatch scan LOGS..., for example: stillwatch scan requests/"
        )
    if baseline_accounts and not baseline:
        raise UsageError("--baseline-accounts without --baseline", hint="name the logs of that period too")
    given = load({"scan": {"out": out, "fdr": fdr, "max_rejected": max_rejected}})
    settings = given.scan
    settings.out.mkdir(parents=True, exist_ok=True)
    options = ScanOptions(
        logs=logs,
        accounts=accounts,
        authorizations=authorizations,
        rules=rules,
        log_format=log_format,
        columns=columns_map_of(columns),
        state=state,
        baseline=baseline,
        baseline_accounts=baseline_accounts,
        replay_days=_replay_days(replay),
        fdr=settings.fdr,
        engine=engine,
        threads=settings.threads or min(os.cpu_count() or 1, 8),
        memory_gib=settings.memory_gib,
        limits=ReadLimits(**given.read.as_limits()),
        labeled=_labeled(labels),
    )
    others = settings.out / "rejected-baseline.jsonl" if baseline else None
    with (
        RejectedLog(settings.out / "rejected.jsonl") as rejected,
        RejectedLog(others) as baseline_rejected,
        Progress() as progress,
    ):
        result = run(options, rejected, baseline_rejected=baseline_rejected, say=progress.say)
        started = time.perf_counter()
        rows = account_rows(result.report, result.account_ids, result.extraction_share)
        write_report(result.report, settings.out, rows)
    if timings is not None:
        timings.write_text(
            json.dumps(_stages(result.seconds, time.perf_counter() - started), indent=1), encoding="utf-8"
        )
    render(result.report, format, sys.stdout)
    _check_rejected(rejected.total, result.read.rows, settings.max_rejected, settings.out)
    worst = result.report.worst
    return _FIRST_FINDING_CODE + worst.rank if worst is not None and exit_codes else 0


def _labeled(path: Path | None) -> "LabeledAccounts":
    """Read what people said of accounts, if there is anything."""
    if path is None:
        from stillwatch.domain.labels import NOBODY  # noqa: PLC0415 - --help does not pay for it

        return NOBODY
    from stillwatch.respond.cases.training import read_labels  # noqa: PLC0415 - most scans need no cases

    return read_labels(path)


def _check_words(logs: tuple[str, ...]) -> None:
    """Refuse what looks like an option; a bare - is standard input."""
    for word in logs:
        if word.startswith("-") and word != "-":
            raise UsageError(f"unknown option: {word}", hint="run `stillwatch scan --help`")


def _replay_days(text: str | None) -> int | None:
    """Read the length of a replay step, such as 1d."""
    if text is None:
        return None
    number = text.removesuffix("d")
    if not text.endswith("d") or not number.isdigit() or int(number) < 1:
        raise UsageError(f"--replay {text} is not a number of days", hint="write --replay 1d")
    return int(number)


def _stages(seconds: dict[str, float], report_s: float) -> dict[str, float]:
    """Name the stages as benchmarks read them; the total is the time that passed."""
    stages = {**seconds, "report": report_s, "total": seconds["total"] + report_s}
    return {f"{name}_s": round(value, 3) for name, value in stages.items()}


def _check_rejected(rejected: int, read: int, allowed: float, out: Path) -> None:
    """Fail after everything was written if too much could not be read."""
    total = rejected + read
    if total and rejected / total > allowed:
        raise TooManyRejectedError(
            rejected,
            total,
            allowed,
            hint=f"see {out / 'rejected.jsonl'} for each reason; the rest was scanned and written",
        )
