"""Decisions, indicators, appeals, counts and backtests as text for a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from stillwatch.domain.decisions import Appeal, Decision, Indicator
from stillwatch.respond.decisions.backtest import BacktestReport
from stillwatch.respond.decisions.reporting import EffectReport


def decision_table(decisions: Iterable[Decision], now: datetime) -> str:
    """Return decisions as a table."""
    rows = [("ID", "ACTION", "MODE", "STATUS", "ACCOUNTS", "ENDS", "AUTHOR", "REASON")]
    rows += [
        (
            one.decision_id,
            one.action.value,
            one.mode.value,
            one.status(now).value,
            f"{len(one.bound):,}",
            _minute(one.ends_at),
            one.author,
            _short(one.reason),
        )
        for one in decisions
    ]
    return aligned(rows)


def decision_text(one: Decision, now: datetime) -> str:
    """Return everything about one decision."""
    bucket = one.throttle
    parts = [
        ("action", f"{one.action} ({one.mode}), {one.status(now)}"),
        ("label", one.label.phrase if one.label else "none"),
        ("accounts", f"{len(one.bound):,} of {len(one.accounts):,}: {_first(one.bound)}"),
        ("reason", one.reason),
        ("rationale", one.rationale),
        ("evidence", ", ".join(one.evidence)),
        ("case", one.case_id or ""),
        ("author", one.author),
        ("decided", _minute(one.decided_at)),
        ("acts", f"{_minute(one.starts_at)} to {_minute(one.ends_at)}"),
        ("share", f"{one.enforced_share:.0%} of the calls" if one.enforced_share < 1 else ""),
        ("withheld", ", ".join(one.withheld)),
        ("tags", ", ".join(one.tags)),
        ("undone", f"{_minute(one.undone_at)} by {one.undone_by}: {one.undone_why}" if one.undone_at else ""),
    ]
    if bucket is not None:
        pooled = "for all accounts together" if bucket.pooled else "for each account"
        parts.append(("bucket", f"{bucket.requests_per_min:g} a minute, {bucket.burst} at once, {pooled}"))
    lines = [one.decision_id, *(f"  {name:<10}{text}" for name, text in parts if text)]
    return "\n".join(lines) + "\n"


def indicator_table(indicators: Iterable[Indicator], now: datetime) -> str:
    """Return indicators as a table."""
    rows = [("ID", "KIND", "VALUE", "ORIGIN", "ACTION", "MODE", "STATUS", "UNTIL", "REASON")]
    rows += [
        (
            one.indicator_id,
            one.kind.value,
            _short(one.value),
            one.origin.value,
            one.action.value,
            one.mode.value,
            one.status(now).value,
            _minute(one.valid_until),
            _short(one.reason),
        )
        for one in indicators
    ]
    return aligned(rows)


def appeal_table(appeals: Iterable[Appeal]) -> str:
    """Return appeals as a table."""
    rows = [("ID", "DECISION", "ACCOUNT", "OPENED", "OUTCOME", "STATEMENT")]
    rows += [
        (
            one.appeal_id,
            one.decision_id,
            one.account_id,
            _minute(one.opened_at),
            one.outcome.value,
            _short(one.statement),
        )
        for one in appeals
    ]
    return aligned(rows)


def effect_table(reports: Iterable[EffectReport]) -> str:
    """Return what decisions and indicators did, or in shadow would have done."""
    rows = [("ID", "ACCOUNTS", "CALLS", "REFUSED", "WOULD REFUSE", "WITHHELD")]
    rows += [
        (
            one.entry_id,
            f"{one.accounts:,}",
            f"{one.matched:,}",
            f"{one.refused:,}",
            f"{one.would_refuse:,}",
            f"{one.withheld:,}",
        )
        for one in reports
    ]
    return aligned(rows)


def backtest_text(report: BacktestReport) -> str:
    """Return a backtest as text."""
    return "\n\n".join(_backtest_parts(report)) + "\n"


def _backtest_parts(report: BacktestReport) -> Iterator[str]:
    yield (
        f"{report.playbook}: {report.matched:,} of {report.findings:,} findings matched, "
        f"{report.accounts:,} accounts hit, {report.hurt:,} would feel it"
        + (f", {report.benign_hurt:,} of them benign" if report.benign_hurt is not None else "")
    )
    if report.steps:
        yield aligned(_step_rows(report)).rstrip()
    if any(group.label != "unknown" for group in report.groups):
        yield aligned(_group_rows(report)).rstrip()
    if report.labels:
        yield "accounts hit by the finding's label: " + _counts(report.labels)
    if report.overlap:
        yield "already in force: " + _counts(report.overlap)
    if report.requests:
        yield (
            f"{report.requests:,} requests played: {report.touched:,} met a decision, {report.refused:,} refused, "
            f"{report.withheld:,} answered without something"
        )
    yield (
        "= note: decisions begin when each campaign was found"
        if report.replayed
        else "= note: decisions begin with each campaign's first request; --replay 1d begins when it was found"
    )


def _step_rows(report: BacktestReport) -> list[tuple[str, ...]]:
    rows = [("RULE", "ACTION", "DECISIONS", "ACCOUNTS", "BENIGN", "REQUESTS", "REFUSED", "WITHHELD")]
    rows += [
        (
            step.rule,
            step.action.value,
            f"{step.decisions:,}",
            f"{step.accounts:,}",
            "?" if step.benign is None else f"{step.benign:,}",
            f"{step.requests:,}",
            f"{step.refused:,}",
            f"{step.withheld:,}",
        )
        for step in report.steps
    ]
    return list(rows)


def _group_rows(report: BacktestReport) -> list[tuple[str, ...]]:
    rows = [("TRULY", "ARCHETYPE", "ACCOUNTS", "HURT", "REQUESTS", "REFUSED", "WITHHELD")]
    rows += [
        (
            group.label,
            group.archetype,
            f"{group.accounts:,}",
            f"{group.hurt:,}",
            f"{group.requests:,}",
            f"{group.refused:,}",
            f"{group.withheld:,}",
        )
        for group in report.groups
    ]
    return list(rows)


def aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows in columns as wide as their widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _minute(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M")


def _short(text: str, most: int = 60) -> str:
    """Return one printable line; values and statements are written by strangers."""
    plain = "".join(character if character.isprintable() else "?" for character in text)
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def _first(accounts: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(_short(account) for account in accounts[:most])
    return f"{shown}, …" if len(accounts) > most else shown
