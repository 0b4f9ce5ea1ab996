"""How figures are written for people: the same words on the terminal and on the page."""

from datetime import date, datetime
from typing import Final

from stillwatch.domain.findings import Finding, Interval

_SMALLEST_P: Final = 0.0001
"""Below this a p- or q-value is written as "< 0.0001": more digits would claim more than they mean."""

_MINUS: Final = "\N{MINUS SIGN}"
_THOUSAND: Final = 999.5
_ROUNDS_UP: Final = 0.9995
"""From here three figures of the smaller unit would read 1000."""

_UNITS: Final = ((1_000_000_000, "bn"), (1_000_000, "M"), (1_000, "k"))


def count(number: float) -> str:
    """Write a count with thousands separators: 48,310."""
    return f"{number:,.0f}"


def short_count(number: float) -> str:
    """Write a count in at most four figures: 48.3 k, 1.24 M."""
    for size, unit in _UNITS:
        if number >= size * _ROUNDS_UP:
            scaled = max(number / size, 1.0)
            return f"{scaled:.3g} {unit}" if scaled < _THOUSAND else f"{scaled:,.0f} {unit}"
    return f"{number:,.0f}"


def plural(number: int, noun: str) -> str:
    """Write a count with its noun: 1 account, 212 accounts."""
    return f"{count(number)} {noun if number == 1 else noun + 's'}"


def nats(value: float) -> str:
    """Write evidence in nats, always with its sign: +14.1."""
    sign = _MINUS if value < 0 else "+"
    return f"{sign}{abs(value):.1f}"


def probability(name: str, value: float) -> str:
    """Write a p- or q-value with its name: q = 0.0004, q < 0.0001."""
    written = chance(value)
    return f"{name} {written}" if written.startswith("<") else f"{name} = {written}"


def chance(value: float | None) -> str:
    """Write a p- or q-value alone, for a table: 0.0004, < 0.0001, or nothing."""
    if value is None:
        return ""
    return f"< {_SMALLEST_P:.4f}" if value < _SMALLEST_P else f"{value:.2g}"


def percent(share: float) -> str:
    """Write a share in percent, finer where it is small: 31 %, 2.4 %, 0.03 %."""
    value = 100 * share
    if value == 0:
        return "0 %"
    if value < 0.01:
        return "< 0.01 %"
    digits = 0 if value >= 10 else 1 if value >= 1 else 2
    return f"{value:.{digits}f} %"


def span(low: float, high: float) -> str:
    """Write the ends of an interval of shares: 88 % to 95 %."""
    return f"{percent(low)} to {percent(high)}"


def estimate(interval: Interval) -> str:
    """Write a share with its interval: 92 % (95 % interval 88 % to 95 %)."""
    ends = span(interval.low, interval.high)
    return f"{percent(interval.share)} ({level(interval.level)} interval {ends})"


def level(share: float) -> str:
    """Write a share that somebody chose, without digits to spare: 95 %, 99.9 %."""
    return f"{round(100 * share, 6):g} %"


def day(when: date | datetime) -> str:
    """Write a day in full: 3 November 2026."""
    return f"{when.day} {when:%B %Y}"


def short_day(when: date | datetime) -> str:
    """Write a day without its year: 3 Nov."""
    return f"{when.day} {when:%b}"


def period(first: datetime, last: datetime) -> str:
    """Write a span of days: 3 to 17 November 2026."""
    if first.date() == last.date():
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {day(last)}"
    start = f"{first.day} {first:%B}" if first.year == last.year else day(first)
    return f"{start} to {day(last)}"


def minute(when: datetime) -> str:
    """Write an instant to the minute: 2026-11-17 06:00 UTC."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def headline(finding: Finding) -> str:
    """Return the one line that says how large a finding is and how sure."""
    operator = "one operator" if len(finding.accounts) > 1 else "on its own"
    return (
        f"{plural(len(finding.accounts), 'account')}, {plural(finding.exchanges, 'exchange')}, "
        f"{operator} ({probability('q', finding.q_value)})"
    )


def scope(finding: Finding) -> str:
    """Return what the finding is about: one account, or a campaign of several."""
    return "campaign" if len(finding.accounts) > 1 else "account"
