"""Log records that wait to be delivered: bounded, and what finds no room is counted."""

import time
import uuid
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from stillwatch.domain.calls import Call, Outcome

MOST_LINES: Final = 10_000
_BATCH: Final = 1_000
_FILE_BYTES: Final = 64 << 20
"""A file of the log folder is closed at this size and the next one begun."""


class LogBuffer:
    """Lines in memory, oldest first. Safe across threads: a deque's ends are.

    Args:
        most: Lines kept; beyond that new ones are dropped.
    """

    def __init__(self, most: int = MOST_LINES) -> None:
        self.added = 0
        self.dropped = 0
        self._most = most
        self._lines: deque[bytes] = deque()

    def __len__(self) -> int:
        """Return how many lines wait."""
        return len(self._lines)

    def add(self, line: bytes) -> None:
        """Keep a line, or count that there was no room."""
        if len(self._lines) >= self._most:
            self.dropped += 1
        else:
            self.added += 1
            self._lines.append(line)

    def batch(self) -> list[bytes]:
        """Take the oldest lines out."""
        return [self._lines.popleft() for _ in range(min(_BATCH, len(self._lines)))]

    def give_back(self, lines: Sequence[bytes]) -> None:
        """Put lines back that could not be delivered, as far as there is room."""
        room = max(0, self._most - len(self._lines))
        kept = lines[len(lines) - min(room, len(lines)) :]
        self.dropped += len(lines) - len(kept)
        self._lines.extendleft(reversed(kept))


class LogFolder:
    """Writes lines into files that a node tails.

    Args:
        folder: Where; it is made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None

    def write(self, lines: Sequence[bytes]) -> None:
        """Append whole lines in one write.

        Raises:
            OSError: the folder cannot be written.
        """
        if self._path is None or self._path.stat().st_size >= _FILE_BYTES:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._path = self._folder / f"guard-{uuid.uuid4().hex}.jsonl"
        with self._path.open("ab", buffering=0) as file:
            file.write(b"\n".join(lines) + b"\n")

    def forked(self) -> None:
        """Begin a file of this process."""
        self._path = None


def line_of(call: Call, outcome: Outcome, now_us: int) -> bytes:
    """Return the canonical request of a call as one line of JSON, without line break."""
    row: dict[str, Any] = {
        "request_id": uuid.uuid4().hex,
        "time": _iso(now_us if call.time_us is None else call.time_us),
        "account_id": call.account_id,
        "client_address": call.client_address,
        "tls_ja4": call.tls_ja4,
        "user_agent": call.user_agent,
        "model": call.model,
        "choice_count": call.choice_count,
        "logprobs": call.logprobs,
        "input_tokens": outcome.input_tokens,
        "output_tokens": outcome.output_tokens,
        "finish_reason": outcome.finish_reason,
        "status": outcome.status,
        "latency_ms": outcome.latency_ms,
        **(outcome.request or {}),
    }
    return msgspec.json.encode({name: value for name, value in row.items() if value is not None})


def _iso(time_us: int) -> str:
    seconds, rest = divmod(time_us, 1_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:06d}Z"
