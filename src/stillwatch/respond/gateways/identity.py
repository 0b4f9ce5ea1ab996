"""Who calls, as far as headers say: the account, the client, the address."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stillwatch.detect.logs.reading.network import forwarded_address
from stillwatch.domain.calls import Call

Headers = Mapping[str, str]
"""Names in lower case."""


@dataclass(frozen=True)
class HeaderNames:
    """Which headers to believe. Each of them must be set, or removed, by something the provider runs.

    Args:
        account: Account id; where it is absent, the digest of the key stands for the account.
        address: Client address; of a chain the last entry that is not from inside counts.
        tls_ja4: TLS fingerprint.
        payment: Pseudonym of the payment instrument.
        email: Pseudonym of the e-mail address.
    """

    account: str = "x-account-id"
    address: str = "x-forwarded-for"
    tls_ja4: str = "x-ja4"
    payment: str = "x-payment-pseudonym"
    email: str = "x-email-pseudonym"


def account_of(headers: Headers, names: HeaderNames) -> str:
    """Return the account, or what stands for it: `key-` and 32 digits of the SHA-256 of the API key."""
    named = headers.get(names.account)
    if named:
        return named
    key = headers.get("x-api-key") or headers.get("authorization", "").partition(" ")[2]
    return f"key-{hashlib.sha256(key.strip().encode()).hexdigest()[:32]}" if key.strip() else "anonymous"


def call_of(
    headers: Headers, body: Mapping[str, Any], names: HeaderNames, address: str | None = None
) -> Call:
    """Return the call that headers and body describe.

    Args:
        headers: Of the request, names in lower case.
        body: The request's JSON; empty when it is not known.
        names: Which headers to believe.
        address: The address of the connection, where no header names one.
    """
    forwarded = forwarded_address(headers.get(names.address))
    model, count = body.get("model"), body.get("n")
    return Call(
        account_id=account_of(headers, names),
        client_address=forwarded or address,
        tls_ja4=headers.get(names.tls_ja4) or None,
        user_agent=headers.get("user-agent") or None,
        payment=headers.get(names.payment) or None,
        email=headers.get(names.email) or None,
        model=model if isinstance(model, str) else None,
        choice_count=count if isinstance(count, int) and 0 < count < 1 << 15 else 1,
        logprobs=bool(body.get("logprobs")),
    )
