"""The closed vocabularies of what is decided: how strong, in which mode, by what a call is recognized."""

from enum import StrEnum
from typing import Final


class Action(StrEnum):
    """What happens to a call, mildest first. Each includes what it says and nothing milder.

    `observe` records, `tag` marks the call for systems behind the gateway, `verify` lets it pass and asks the
    provider to have the customer verify itself, `throttle` holds the account to a token bucket, `withhold`
    answers without what makes an answer worth training on, `block` refuses.
    """

    OBSERVE = "observe"
    TAG = "tag"
    VERIFY = "verify"
    THROTTLE = "throttle"
    WITHHOLD = "withhold"
    BLOCK = "block"

    @property
    def rank(self) -> int:
        """Return the position on the scale: 0 for observe to 5 for block."""
        return _RANKS[self]

    @property
    def hurts(self) -> bool:
        """Say whether a customer feels it, so that it needs an independent rationale before it is live."""
        return _RANKS[self] >= _RANKS[Action.THROTTLE]


_RANKS: Final = {action: rank for rank, action in enumerate(Action)}


class Withheld(StrEnum):
    """What an answer is given without."""

    REASONING = "reasoning"
    LOGPROBS = "logprobs"
    CHOICES = "choices"


class Mode(StrEnum):
    """Whether a decision acts, or only records what it would have done."""

    SHADOW = "shadow"
    LIVE = "live"


class IndicatorKind(StrEnum):
    """What a call is recognized by."""

    ACCOUNT = "account"
    CLIENT = "client"
    NETWORK = "network"
    PAYMENT = "payment"
    EMAIL = "email"
    TEMPLATE = "template"


class IndicatorOrigin(StrEnum):
    """Whether this provider found it, or another sent it."""

    OWN = "own"
    RECEIVED = "received"
