"""Run every benchmark, or one by name: `./run bench [NAME [ARGUMENTS]]`.

Without a name all of them run, which takes about twenty minutes on two cores. Each ends with its own verdict; the
exit code is 1 if any claim was missed.
"""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

ORDER = ("calibration", "fdr", "detection", "speed", "peer_detection")
"""These first, in this order; any other module of this folder with a `main` follows."""

_PARTS = {"__init__", "__main__"}


def names() -> list[str]:
    """Every module of this folder that can be run on its own."""
    files = Path(__file__).parent.glob("*.py")
    found = {file.stem for file in files if "\ndef main(" in file.read_text(encoding="utf-8")} - _PARTS
    return [name for name in ORDER if name in found] + sorted(found - set(ORDER))


def run(name: str, arguments: Sequence[str]) -> bool:
    """Run one benchmark and return whether every claim it measures held."""
    print(f"== {name}", flush=True)
    module = importlib.import_module(f"benchmarks.{name}")
    result = module.main(list(arguments)) if arguments else module.main()
    return not result


def main(arguments: Sequence[str]) -> int:
    """Return 0 when every claim held, 1 when one was missed, 2 for an unknown name."""
    name, *rest = arguments or ["all"]
    if name != "all" and name not in names():
        print(
            f"error: unknown benchmark {name!r}\nhelp: the benchmarks are all, {', '.join(names())}",
            file=sys.stderr,
        )
        return 2
    chosen = names() if name == "all" else [name]
    missed = [each for each in chosen if not run(each, rest)]
    print(f"missed: {', '.join(missed)}" if missed else "every claim held")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
