"""Counters as Prometheus reads them (text format 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric with its values.

    Args:
        name: Without the prefix.
        kind: counter or gauge.
        meaning: One sentence.
        values: By labels, each a tuple of pairs.
    """

    name: str
    kind: str
    meaning: str
    values: Mapping[tuple[tuple[str, str], ...], float] = field(default_factory=dict)


def single(name: str, kind: str, meaning: str, value: float) -> Metric:
    """Make a metric with one value and no labels."""
    return Metric(name, kind, meaning, {(): value})


def exposition(metrics: Iterable[Metric]) -> str:
    """Write metrics down.

    Args:
        metrics: In the order of the page.
    """
    lines: list[str] = []
    for metric in metrics:
        name = f"stillwatch_{metric.name}"
        lines += [f"# HELP {name} {metric.meaning}", f"# TYPE {name} {metric.kind}"]
        lines += [
            f"{name}{_labels(labels)} {value:g}" if value < _EXACT else f"{name}{_labels(labels)} {value:.0f}"
            for labels, value in metric.values.items()
        ]
    return "\n".join(lines) + "\n"


_EXACT = 100_000  # %g keeps six digits


def _labels(pairs: tuple[tuple[str, str], ...]) -> str:
    if not pairs:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
