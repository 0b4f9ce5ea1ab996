"""What passes inline, once per request: the call that is asked about, the verdict, and how the call ended.

Bare structs, and nothing heavier is imported here: a gateway loads this file.
"""

from typing import Any

import msgspec

from stillwatch.domain.actions import Action, Mode, Withheld


class Call(msgspec.Struct, omit_defaults=True, gc=False):
    """What is known of one request before it is answered.

    Attributes:
        account_id: the customer identity the provider can act on.
        client_address: IPv4 or IPv6 address, or None.
        tls_ja4: fingerprint of the TLS client, or None.
        user_agent: as sent, or None.
        payment: pseudonym of the payment instrument, or None.
        email: pseudonym of the e-mail address, or None.
        template: template key of the prompt, 64 bits, or None.
        model: model asked for, or None.
        choice_count: answers asked for.
        logprobs: whether log-probabilities were asked for.
        time_us: UTC microseconds; None means now.
    """

    account_id: str
    client_address: str | None = None
    tls_ja4: str | None = None
    user_agent: str | None = None
    payment: str | None = None
    email: str | None = None
    template: int | None = None
    model: str | None = None
    choice_count: int = 1
    logprobs: bool = False
    time_us: int | None = None


class Verdict(msgspec.Struct, frozen=True):
    """What to do with one call.

    Attributes:
        action: the strongest live action that applies; `observe` when none does.
        mode: `live` when something acts on this call, else `shadow`.
        would: the strongest action that applies in shadow, or that chance spared this call from.
        would_refuse: True when that action would have refused the call.
        decision_id: the decision or indicator behind `action`; None when nothing is live.
        would_id: the decision or indicator behind `would`, or None.
        reason: the reason of the first of them, for the provider's own eyes: a customer must not learn the trigger.
        withheld: what to answer without; applies whatever `action` says.
        retry_after_s: seconds until the bucket has a token again; above 0 means: refuse this call.
        tags: what to mark the call with.
        verify: True when the customer should be asked to verify itself; the call passes.
        checked: False when nothing could be looked up and the call passes (or not) by setting.
        refused: True when the call must not reach the model.
    """

    action: Action = Action.OBSERVE
    mode: Mode = Mode.SHADOW
    would: Action = Action.OBSERVE
    would_refuse: bool = False
    decision_id: str | None = None
    would_id: str | None = None
    reason: str = ""
    withheld: tuple[Withheld, ...] = ()
    retry_after_s: float = 0.0
    tags: tuple[str, ...] = ()
    verify: bool = False
    checked: bool = True
    refused: bool = False


class Outcome(msgspec.Struct, omit_defaults=True):
    """How a call ended, for the provider's own count.

    Attributes:
        status: HTTP status that was answered, or None.
        input_tokens: tokens read, or None.
        output_tokens: tokens written, or None.
        latency_ms: milliseconds until the end of the answer, or None.
        finish_reason: why the answer ended, or None.
        request: further columns of the canonical request for the log, such as `prompt` or `request_id`; or None.
    """

    status: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: int | None = None
    finish_reason: str | None = None
    request: dict[str, Any] | None = None


def client_value(tls_ja4: str, user_agent: str) -> str:
    """Return the value of a client indicator; neither half says enough on its own."""
    return f"{tls_ja4} {user_agent}"
