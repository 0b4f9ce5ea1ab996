"""Run every check that needs no test: format, lint, types, layers, generated pages, house rules.

All of them run even when one fails, so that one round shows everything. `--fix` repairs what can be repaired.
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
BIN: Final = Path(sys.executable).parent

CHECKS: Final[dict[str, list[str]]] = {
    "format": [str(BIN / "ruff"), "format", "--check", "."],
    "lint": [str(BIN / "ruff"), "check", "."],
    "types": [str(BIN / "mypy")],
    "layers": [str(BIN / "lint-imports"), "--no-logo"],
    "house rules": [sys.executable, ".ci/house_rules.py"],
    "generated pages": [sys.executable, "docs/generate.py", "--check"],
}
FIXES: Final[list[list[str]]] = [
    [str(BIN / "ruff"), "check", "--fix", "--quiet", "."],
    [str(BIN / "ruff"), "format", "--quiet", "."],
    [sys.executable, "docs/generate.py"],
]


def passes(name: str, command: list[str]) -> bool:
    """Run one check, print its outcome and, when it failed, all that it said."""
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    took_s = time.monotonic() - started
    print(f"{'ok' if done.returncode == 0 else 'FAILED':6} {name} ({took_s:.1f} s)", flush=True)
    if done.returncode != 0:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode == 0


def main() -> int:
    """Return 0 when every check passes."""
    if "--fix" in sys.argv[1:]:
        for command in FIXES:
            subprocess.run(command, cwd=ROOT, check=False)
    failed = [name for name, command in CHECKS.items() if not passes(name, command)]
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
