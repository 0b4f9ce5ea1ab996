"""stillwatch finds the bulk querying of a model that is done to train an imitation of it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillwatch.domain.calls import Call, Outcome, Verdict
    from stillwatch.respond.decisions.guard import Guard

__version__ = "0.1.0"

__all__ = ["Call", "Guard", "Outcome", "Verdict", "__version__"]


def __getattr__(name: str) -> object:
    """Load what a gateway needs when it is asked for, so that the command line does not pay for it."""
    if name == "Guard":
        from stillwatch.respond.decisions.guard import Guard  # noqa: PLC0415 - see above

        return Guard
    if name in {"Call", "Outcome", "Verdict"}:
        from stillwatch.domain import calls  # noqa: PLC0415 - see above

        return getattr(calls, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
