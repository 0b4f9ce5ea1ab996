"""Where log events go, and what may never be in one.

Every layer logs with `structlog.get_logger()`; only the command line decides that events are lines on stderr.
An event that carries a prompt, a completion or a credential is a bug, so it raises instead of being masked.
"""

import sys

import structlog
from structlog.typing import EventDict, WrappedLogger

from stillwatch.domain.sensitive import SensitiveEventError, check_facts

__all__ = ["SensitiveEventError", "configure", "refuse_sensitive"]


def refuse_sensitive(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Return the event unchanged, or raise when it carries raw text or a credential.

    Raises:
        SensitiveEventError: A field has a forbidden name, looks like a credential or is too long to be a fact.
    """
    check_facts(event, "log field")
    return event


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
        # Looked up for each event: what stderr was when the program began may be closed by now.
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
