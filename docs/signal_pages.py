"""The catalogue: one page for each signal and one for the kinds of link, from their own docstrings."""

import inspect
from collections.abc import Iterator
from typing import Final

from stillwatch.detect.links.registry import link_kinds
from stillwatch.detect.signals.registry import Signal, signals

INTRODUCTION: Final = """
# Signals

A signal tests the pooled demand of a cluster and is named for what is *seen*. It gives one number per cluster, which
is compared with the same number for clusters formed in the same way from ordinary traffic. No signal decides alone.

`stillwatch signals` prints this list and `stillwatch signals NAME` explains one.

| signal | what is seen | speaks for |
|---|---|---|
"""

LINKS_INTRODUCTION: Final = """
# Links

A link is weighted evidence that two accounts share an operator. What sharing a value is worth depends on how rare the
value is among all accounts of this traffic: a value that many accounts share is worth nothing. Kinds of one family
are not independent of each other, so they are not simply added up. Each kind says how many accounts it may tie
together by itself.
"""


def pages(notice: str) -> dict[str, str]:
    """Return the text of each page by its path below docs."""
    texts = {f"signals/{signal.name}.md": _signal_page(notice, signal) for signal in signals()}
    texts["signals/index.md"] = _index(notice)
    texts["links.md"] = _links_page(notice)
    return texts


def _index(notice: str) -> str:
    rows = (
        f"| [`{signal.name}`]({signal.name}.md) | {signal.title} | {signal.speaks_for} |"
        for signal in signals()
    )
    return "\n".join([notice, INTRODUCTION.strip(), *rows]) + "\n"


def _signal_page(notice: str, signal: Signal) -> str:
    return "\n".join([notice, *_signal_lines(signal)]) + "\n"


def _signal_lines(signal: Signal) -> Iterator[str]:
    yield from (f"# {signal.name}", "", f"*{signal.title}*", "", _prose(signal), "")
    yield from ("| | |", "|---|---|")
    yield f"| speaks for | {signal.speaks_for} |"
    yield f"| reads | {', '.join(f'`{name}`' for name in signal.needs)} |"
    yield f"| smallest cluster | {signal.min_accounts} account{'s' if signal.min_accounts > 1 else ''} |"


def _links_page(notice: str) -> str:
    lines = [notice, LINKS_INTRODUCTION.strip()]
    for kind in link_kinds():
        lines += ["", f"## {kind.name}", "", f"*{kind.title}*", "", _prose(kind), "", "| | |", "|---|---|"]
        lines += [
            f"| family | {kind.family} |",
            f"| reads | {', '.join(f'`{name}`' for name in kind.needs)} |",
        ]
        lines += [f"| ties alone at most | {kind.alone_max_accounts:,} accounts |"]
    return "\n".join(lines) + "\n"


def _prose(described: object) -> str:
    """Return the class docstring as paragraphs."""
    return inspect.getdoc(type(described)) or ""
