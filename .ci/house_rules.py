"""Check what no linter knows: the rules of this house.

Looks only at files that git tracks or would track, so that build output never counts.
"""

import ipaddress
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
MAX_LINES: Final = 400
VAGUE_NAMES: Final = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "core", "misc"})
TEXT_SUFFIXES: Final = frozenset(
    {
        "",
        ".py",
        ".md",
        ".toml",
        ".txt",
        ".yml",
        ".yaml",
        ".json",
        ".jsonl",
        ".html",
        ".css",
        ".js",
        ".sh",
        ".csv",
    }
)

# Written with classes such as [.] and [T], so that this file does not break its own rules.
MACHINE_PATHS: Final = re.compile(r"(?<![\w.])/(?:work|home|Users|root|opt|tmp)/\w")
REGISTRY_HOSTS: Final = re.compile(r"files[.]pythonhosted|pypi[.]org|registry[.]npmjs")
UNFINISHED: Final = re.compile(r"\b(?:[T]ODO|[F]IXME|[N]otImplementedError)\b")
IPV4: Final = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?![\w.]*\d)")
CONTRADICTED: Final = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)

RESERVED: Final = tuple(
    ipaddress.ip_network(net)
    for net in (
        "192.0.2.0/24",  # RFC 5737, for documentation
        "198.51.100.0/24",
        "203.0.113.0/24",
        "10.0.0.0/8",  # RFC 1918, private: what a proxy puts into a forwarding header
        "172.16.0.0/12",
        "192.168.0.0/16",
        "240.0.0.0/4",  # RFC 1112, belongs to no host: where simulations find room
    )
)
LOCAL: Final = frozenset({"127.0.0.1", "0.0.0.0"})  # noqa: S104 - a text to compare with, nothing is bound


class Breach(NamedTuple):
    """One place where a rule is broken."""

    path: Path
    line: int
    rule: str

    def __str__(self) -> str:
        """Read like a compiler error."""
        return f"{self.path}:{self.line}: {self.rule}"


def tracked_files() -> Iterator[Path]:
    """Yield every file that git tracks or would track, relative to the root."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git is on the path
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in sorted(set(listing.stdout.splitlines())):
        if (ROOT / name).is_file():
            yield Path(name)


def check_name(path: Path) -> Iterator[Breach]:
    """A module that is called after nothing holds everything."""
    if path.suffix == ".py" and VAGUE_NAMES & {part.removesuffix(".py") for part in path.parts}:
        yield Breach(path, 1, "the name says nothing; name the module after what it holds")


def check_length(path: Path, text: str) -> Iterator[Breach]:
    """A file that nobody reads to the end comes apart."""
    lines = text.count("\n")
    if path.suffix == ".py" and path.parts[0] == "src" and lines > MAX_LINES:
        yield Breach(path, lines, f"{lines} lines, at most {MAX_LINES}")


def check_words(path: Path, text: str) -> Iterator[Breach]:
    """No trace of one machine, one registry or unfinished work."""
    for pattern, rule in (
        (MACHINE_PATHS, "names a path of one machine"),
        (REGISTRY_HOSTS, "names a registry host"),
        (UNFINISHED, "unfinished work belongs in an issue"),
        (CONTRADICTED, "unresolved merge"),
    ):
        for found in pattern.finditer(text):
            yield Breach(path, text.count("\n", 0, found.start()) + 1, f"{rule}: {found.group()}")


def check_addresses(path: Path, text: str) -> Iterator[Breach]:
    """Only addresses that belong to nobody on the internet, so that no real network is ever named."""
    if path.parts[0] not in {"src", "tests", "docs", "benchmarks"}:
        return
    for found in IPV4.finditer(text):
        if not _is_reserved(found.group(1)):
            line = text.count("\n", 0, found.start()) + 1
            yield Breach(path, line, f"could be somebody's address: {found.group(1)}")


def _is_reserved(literal: str) -> bool:
    """Return whether the text is a reserved address, or no address at all."""
    try:
        address = ipaddress.ip_address(literal)
    except ValueError:
        return True
    return literal in LOCAL or any(address in net for net in RESERVED)


def breaches() -> Iterator[Breach]:
    """Yield every breach in the tree."""
    for path in tracked_files():
        yield from check_name(path)
        if path.suffix not in TEXT_SUFFIXES:
            continue
        text = (ROOT / path).read_text(encoding="utf-8")
        yield from check_length(path, text)
        yield from check_words(path, text)
        yield from check_addresses(path, text)


def main() -> int:
    """Print every breach; return 0 when there is none."""
    found = list(breaches())
    for breach in found:
        print(breach)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
