"""Write each benchmark's table into docs/results.md, in a section of its own."""

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

from stillwatch import __version__

PAGE = Path(__file__).resolve().parents[1] / "docs" / "results.md"
_HEAD = """# Results

What `./run bench` measured last. Each section is rewritten by the benchmark of that name; nothing here is typed
by hand. No real attack log is public: every figure about detection comes from semi-synthetic or simulated logs.
"""


def write_section(name: str, title: str, body: str, *, page: Path = PAGE) -> None:
    """Replace one section of the page, or add it at the end.

    Args:
        name: Name of the benchmark; marks the section.
        title: Heading.
        body: Markdown.
        page: The page to write.
    """
    text = page.read_text(encoding="utf-8") if page.exists() else _HEAD
    stamp = f"stillwatch {__version__}, {datetime.now(UTC):%Y-%m-%d}, {machine()}"
    section = f"<!-- {name} -->\n## {title}\n\n{stamp}\n\n{body.strip()}\n<!-- /{name} -->\n"
    pattern = re.compile(rf"<!-- {re.escape(name)} -->\n.*?<!-- /{re.escape(name)} -->\n", re.DOTALL)
    text = pattern.sub(lambda _: section, text) if pattern.search(text) else f"{text.rstrip()}\n\n{section}"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")


def machine() -> str:
    """The machine in a few words: cores, processor, memory, Python."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores ({_processor()}), {memory_gib:.0f} GiB, Python {platform.python_version()}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
