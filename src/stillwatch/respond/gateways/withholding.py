"""Take out of requests and answers what is withheld: reasoning, log-probabilities, all answers but one.

Works on the JSON of OpenAI's chat, completions and Responses interfaces and of Anthropic's messages, whole or as
server-sent events. Parameters are taken out where an interface has them; the answer is filtered in any case, because
many models return their reasoning unasked.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from stillwatch.domain.actions import Withheld

_REASONING_KEYS: Final = frozenset(
    {"reasoning_content", "reasoning_details", "thinking_blocks", "encrypted_content"}
)
_REASONING_TYPES: Final = frozenset(
    {
        "thinking",
        "redacted_thinking",
        "thinking_delta",
        "signature_delta",
        "reasoning",
        "reasoning_text",
        "summary_text",
    }
)
_REASONING_EVENT: Final = "response.reasoning"
_TEXTS: Final = frozenset({"thinking", "signature", "data", "text", "delta"})
_LISTS: Final = frozenset({"summary", "content"})
_LOGPROB_INCLUDE: Final = "message.output_text.logprobs"
_REASONING_INCLUDE: Final = "reasoning.encrypted_content"
_DONE: Final = b"[DONE]"


def strip_request(body: dict[str, Any], withheld: Iterable[Withheld]) -> bool:
    """Take the parameters that ask for what is withheld out of a request, in place.

    Returns:
        Whether anything changed.
    """
    changed = [_STRIPPERS[part](body) for part in withheld]
    return any(changed)


def _strip_logprobs(body: dict[str, Any]) -> bool:
    return _drop(body, "logprobs", "top_logprobs") | _drop_include(body, _LOGPROB_INCLUDE)


def _strip_choices(body: dict[str, Any]) -> bool:
    return _drop(body, "n", "best_of")


def _strip_reasoning(body: dict[str, Any]) -> bool:
    reasoning = body.get("reasoning")
    changed = isinstance(reasoning, dict) and _drop(reasoning, "summary", "generate_summary")
    if body.get("include_reasoning"):
        body["include_reasoning"] = False
        changed = True
    return changed | _drop_include(body, _REASONING_INCLUDE)


def _drop(body: dict[str, Any], *names: str) -> bool:
    dropped = [body.pop(name, None) for name in names]
    return any(value is not None for value in dropped)


def _drop_include(body: dict[str, Any], name: str) -> bool:
    include = body.get("include")
    if not isinstance(include, list) or name not in include:
        return False
    body["include"] = [one for one in include if one != name]
    return True


_STRIPPERS: Final = {
    Withheld.LOGPROBS: _strip_logprobs,
    Withheld.CHOICES: _strip_choices,
    Withheld.REASONING: _strip_reasoning,
}


def strip_answer(value: Any, withheld: frozenset[Withheld]) -> Any:
    """Return an answer, or one event of a stream, without what is withheld. Changes it in place."""
    if isinstance(value, list):
        return [strip_answer(item, withheld) for item in value]
    if not isinstance(value, dict):
        return value
    if Withheld.CHOICES in withheld and isinstance(value.get("choices"), list):
        value["choices"] = [one for one in value["choices"] if not _is_further(one)]
    if Withheld.LOGPROBS in withheld and value.get("logprobs"):
        value["logprobs"] = [] if isinstance(value["logprobs"], list) else None
    if Withheld.REASONING in withheld:
        _blank_reasoning(value)
    for name, inner in value.items():
        if isinstance(inner, dict | list):
            value[name] = strip_answer(inner, withheld)
    return value


def _is_further(choice: Any) -> bool:
    return isinstance(choice, dict) and choice.get("index", 0) != 0


def _blank_reasoning(value: dict[str, Any]) -> None:
    """Empty reasoning, but keep its place: clients count blocks and items."""
    for name in _REASONING_KEYS & value.keys():
        del value[name]
    if isinstance(value.get("reasoning"), str):
        del value["reasoning"]
    kind = value.get("type")
    if isinstance(kind, str) and (kind in _REASONING_TYPES or kind.startswith(_REASONING_EVENT)):
        for name in _TEXTS & value.keys():
            if isinstance(value[name], str):
                value[name] = ""
        for name in _LISTS & value.keys():
            value[name] = []


def stripped_json(raw: bytes, withheld: frozenset[Withheld]) -> bytes:
    """Return a JSON answer without what is withheld; what is no JSON comes back as it is."""
    try:
        return msgspec.json.encode(strip_answer(msgspec.json.decode(raw), withheld))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return raw


class EventFilter:
    """Filters server-sent events as they pass: a whole line goes on as soon as it is there.

    Args:
        withheld: What is taken out.
    """

    def __init__(self, withheld: Iterable[Withheld]) -> None:
        self._withheld = frozenset(withheld)
        self._rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes in and return the lines that are complete."""
        whole, newline, self._rest = (self._rest + chunk).rpartition(b"\n")
        if not newline:
            return b""
        return b"".join(self._line(line) + b"\n" for line in whole.split(b"\n"))

    def end(self) -> bytes:
        """Return what is left when the stream ends without a line break."""
        rest, self._rest = self._rest, b""
        return self._line(rest) if rest else b""

    def _line(self, line: bytes) -> bytes:
        if not line.startswith(b"data:"):
            return line
        data = line[5:].strip()
        return line if data == _DONE else b"data: " + stripped_json(data, self._withheld)
