"""What detection reads of one exchange, by the same code that reads log files."""

from typing import Any, Final

import msgspec

from stillwatch.detect.logs.openai import fill_answer, fill_question
from stillwatch.detect.logs.reading.rows import Row

_TEXTS: Final = frozenset({"prompt", "system_instructions"})
_NOT_OURS: Final = frozenset({"request_id", "time", "account_id"})


def request_columns(raw: bytes, *, text: bool = True) -> dict[str, Any]:
    """Return the canonical columns of a request's body.

    Args:
        raw: JSON of a chat, completions, Responses or messages request.
        text: Include prompt and system instructions.
    """
    row = Row()
    try:
        fill_question(row, raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return {name: value for name, value in _given(row).items() if text or name not in _TEXTS}


def answer_columns(raw: bytes, status: int) -> dict[str, Any]:
    """Return the canonical columns of an answer's body, or of the last event of a stream that tells the usage."""
    row = Row()
    try:
        fill_answer(row, raw, status)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return _given(row)


def _given(row: Row) -> dict[str, Any]:
    found = msgspec.structs.asdict(row)
    return {name: value for name, value in found.items() if value is not None and name not in _NOT_OURS}
