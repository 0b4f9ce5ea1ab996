"""What may never be in a log line or in the audit trail: raw text of requests and credentials.

The logs and the trail both call `check_facts`, which raises instead of masking: whatever gets there is a bug.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

FORBIDDEN_NAMES: Final = frozenset(
    {
        "api_key",
        "authorization_header",
        "completion",
        "content",
        "cookie",
        "credential",
        "input_messages",
        "messages",
        "output_messages",
        "password",
        "prompt",
        "response_text",
        "secret",
        "system_instructions",
        "token",
    }
)
"""Names under which raw text or a credential travels in the log formats that are read."""

CREDENTIAL: Final = re.compile(
    r"\b(?:sk-[\w-]{16,}|AKIA[0-9A-Z]{16}|gh[pousr]_\w{20,}|xox[abprs]-[\w-]{10,})"
    r"|\bBearer\s+[\w.~+/-]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\beyJ[\w-]{10,}\.[\w-]{10,}\."
)
"""The shapes of provider keys, cloud keys, bearer headers, private keys and signed web tokens."""

MAX_TEXT: Final = 500
"""Characters in one value of a log line. Events are about requests; a longer text is one."""


class SensitiveEventError(RuntimeError):
    """An event carried what must not be kept. The message names the field and never repeats the value."""


def check_facts(event: Mapping[str, object], what: str, max_text: int = MAX_TEXT) -> None:
    """Raise when an event carries raw text or a credential.

    Args:
        event: Fields, which may be nested.
        what: What the event is, for the message: "log field", "audit field".
        max_text: Characters that one value may have.

    Raises:
        SensitiveEventError: a field has a forbidden name, looks like a credential or is too long to be a fact.
    """
    for name, value in _leaves(event):
        if name.rsplit(".", 1)[-1].lower() in FORBIDDEN_NAMES:
            raise SensitiveEventError(f"{what} {name} may carry raw text or a credential")
        if isinstance(value, bytes):
            raise SensitiveEventError(f"{what} {name} carries raw bytes")
        if isinstance(value, str) and CREDENTIAL.search(value):
            raise SensitiveEventError(f"{what} {name} looks like a credential")
        if isinstance(value, str) and len(value) > max_text:
            raise SensitiveEventError(f"{what} {name} has {len(value)} characters, at most {max_text}")


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Yield every value with its dotted name, however deep it lies. Containers are yielded by name as well."""
    if name:
        yield name, value
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _leaves(inner, name or "item")
