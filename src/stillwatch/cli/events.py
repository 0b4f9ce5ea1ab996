"""Where log events go, and what may never be in one.

Every layer logs with `structlog.get_logger()`; only the command line decides that events are lines on stderr.
An event that carries a prompt, a completion or a credential is a bug, so it raises instead of being masked.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Final

import structlog
from structlog.typing import EventDict, WrappedLogger

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
"""Characters in one value. Events are about requests; a longer text is one."""


class SensitiveEventError(RuntimeError):
    """A log event carried what must not be logged. The message names the field and never repeats the value."""


def refuse_sensitive(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Return the event unchanged, or raise when it carries raw text or a credential.

    Raises:
        SensitiveEventError: A field has a forbidden name, looks like a credential or is too long to be a fact.
    """
    for name, value in _leaves(event):
        if name.rsplit(".", 1)[-1].lower() in FORBIDDEN_NAMES:
            raise SensitiveEventError(f"log field {name} may carry raw text or a credential")
        if isinstance(value, bytes):
            raise SensitiveEventError(f"log field {name} carries raw bytes")
        if isinstance(value, str) and CREDENTIAL.search(value):
            raise SensitiveEventError(f"log field {name} looks like a credential")
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise SensitiveEventError(f"log field {name} has {len(value)} characters, at most {MAX_TEXT}")
    return event


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


def configure(*, quiet: bool) -> None:
    """Send events to stderr, one line each.

    Args:
        quiet: Keep warnings and errors only.
    """
    warning, info = 30, 20  # the standard library's levels
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.EventRenamer("message"),
            refuse_sensitive,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "message"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(warning if quiet else info),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
